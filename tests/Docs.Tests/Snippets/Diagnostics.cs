using System.ComponentModel;
using Hone;

namespace Docs.Tests.Snippets.Diagnostics;

#region diagnostics-method
public sealed partial class ResearchHop(IRetriever search) : Module<Claim, Research>
{
    [ChainOfThought("Given a claim and key facts, write the search query for the most useful missing fact.")]
    private partial Task<string> GenerateQuery(
        [Description("claim to verify")] string claim, IReadOnlyList<string> keyFacts, CancellationToken cancellationToken);
}
#endregion

public sealed partial class ResearchHop
{
    protected override async Task<Research> ForwardAsync(Claim input, CancellationToken cancellationToken)
    {
        var found = await search.SearchAsync(await GenerateQuery(input.Text, [], cancellationToken), 1, cancellationToken);
        return new([.. found.Select(passage => passage.Title)], []);
    }
}
