using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>A metric as an evaluator.</summary>
internal sealed class MetricEvaluator<TIn, TOut>(Metric<TIn, TOut> metric, string name, MetricEvaluatorOptions<TOut> options) : IEvaluator
{
    public IReadOnlyCollection<string> EvaluationMetricNames { get; } = ScoreResults.Names(name, options.Parts);

    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(modelResponse);
        if (ExampleContext<TIn, TOut>.In(additionalContext) is not { } context)
            return ScoreResults.Without(name, ExampleContext<TIn, TOut>.Missing);
        if ((context.Prediction ?? Read(modelResponse)) is not { } prediction)
            return ScoreResults.Without(name, $"The context has no prediction, and the evaluator does not read answers: set {nameof(MetricEvaluatorOptions<>.Output)}.");
        var score = await metric(context.Example, prediction, cancellationToken).ConfigureAwait(false)
            ?? throw new HoneException($"The metric '{name}' returned null for example {context.Example.Id ?? "without a name"}.");
        return ScoreResults.Of(name, score, options.Passing, context);
    }

    private Prediction<TOut>? Read(ChatResponse response) => options.Output is { } read ? new(read(response), Trace.Empty) : null;
}
