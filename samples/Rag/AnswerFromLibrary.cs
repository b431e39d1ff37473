using Hone;

namespace Rag;

/// <summary>Looks up passages and answers from them.</summary>
internal sealed partial class AnswerFromLibrary(IRetriever search, int count) : Module<Ask, Sourced>
{
    [ChainOfThought("Answer the question from the passages, and name those that say so.")]
    private partial Task<Sourced> Answer(string question, IReadOnlyList<string> passages, CancellationToken cancellationToken);

    protected override async Task<Sourced> ForwardAsync(Ask input, CancellationToken cancellationToken)
    {
        var found = await search.SearchAsync(input.Question, count, cancellationToken);
        return await Answer(input.Question, [.. found.Select(passage => $"{passage.Title} | {passage.Text}")], cancellationToken);
    }
}
