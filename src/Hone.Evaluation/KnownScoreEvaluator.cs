using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>Reports the scores that stand in the context.</summary>
internal sealed class KnownScoreEvaluator<TIn, TOut>(string name, IReadOnlyCollection<string> parts, double? passing) : IEvaluator
{
    public IReadOnlyCollection<string> EvaluationMetricNames { get; } = ScoreResults.Names(name, parts);

    public ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default) => ValueTask.FromResult(
        ExampleContext<TIn, TOut>.In(additionalContext) is not { } context ? ScoreResults.Without(name, ExampleContext<TIn, TOut>.Missing)
        : context.Score is not { } score ? ScoreResults.Without(name, "The context has no score.")
        : ScoreResults.Of(name, score, passing, context));
}
