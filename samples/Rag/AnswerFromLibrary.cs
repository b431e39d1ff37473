using Hone;

namespace Rag;

/// <summary>Looks up passages and answers from them.</summary>
internal sealed partial class AnswerFromLibrary(IRetriever search, int passages) : Module<Ask, Sourced>
{
    [ChainOfThought("Answer the question from the passages and name the ones that say so.")]
    private partial Task<Sourced> Answer(string question, IReadOnlyList<Passage> passages, CancellationToken cancellationToken);

    protected override async Task<Sourced> ForwardAsync(Ask input, CancellationToken cancellationToken) =>
        await Answer(input.Question, await search.SearchAsync(input.Question, passages, cancellationToken), cancellationToken);
}
