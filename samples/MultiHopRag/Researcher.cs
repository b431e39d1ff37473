using System.ComponentModel;
using Hone;

namespace MultiHopRag;

/// <summary>A question that no single page answers.</summary>
public sealed record Ask(string Question);

/// <summary>The answer, and the notes it rests on.</summary>
public sealed record Finding(string Answer, IReadOnlyList<string> Notes);

/// <summary>Searches, reads and takes notes, until the notes are enough; then answers.</summary>
internal sealed partial class Researcher(IRetriever search, int maxHops) : Module<Ask, Finding>
{
    [ChainOfThought("Are the notes enough to answer the question? If not, write the query for the page to read next.")]
    private partial Task<(bool IsEnough, string Query)> Plan(string question, IReadOnlyList<string> notes, CancellationToken cancellationToken);

    [Predict("Note the one sentence of the passages that brings us nearest to the answer.", Output = "note")]
    private partial Task<string> TakeNote(string question, string query, IReadOnlyList<string> passages, CancellationToken cancellationToken);

    [Predict("Answer the question from the notes in a few words.")]
    private partial Task<string> Answer(string question, IReadOnlyList<string> notes, CancellationToken cancellationToken);

    protected override async Task<Finding> ForwardAsync(Ask input, CancellationToken cancellationToken)
    {
        var notes = new List<string>();
        for (var hop = 0; hop < maxHops; hop++)
        {
            var plan = await Plan(input.Question, notes, cancellationToken);
            if (plan.IsEnough)
                break;
            var found = await search.SearchAsync(plan.Query, 2, cancellationToken);
            notes.Add(await TakeNote(input.Question, plan.Query, [.. found.Select(passage => passage.Text)], cancellationToken));
        }

        return new(await Answer(input.Question, notes, cancellationToken), notes);
    }
}
