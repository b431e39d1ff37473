using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation.Tests;

/// <summary>Gives the same results to every conversation.</summary>
internal sealed class FixedEvaluator(params EvaluationMetric[] metrics) : IEvaluator
{
    public IReadOnlyCollection<string> EvaluationMetricNames => [.. metrics.Select(metric => metric.Name)];

    public ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default) => ValueTask.FromResult(new EvaluationResult(metrics));
}
