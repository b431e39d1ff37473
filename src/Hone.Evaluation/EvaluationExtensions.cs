using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>From evaluators of Microsoft.Extensions.AI.Evaluation to metrics, and back.</summary>
public static class EvaluationExtensions
{
    /// <summary>
    /// An evaluator as a metric. The score is the mean of its results, each a part of the score, and their reasons are the feedback. A result that the evaluator could not
    /// give, by its own words, fails the example instead of counting as a bad answer.
    /// </summary>
    /// <param name="evaluator">Any evaluator; several at once are one <see cref="CompositeEvaluator"/>.</param>
    /// <param name="options">The judge, what is shown to the evaluator, and how its numbers are read.</param>
    /// <exception cref="ArgumentException">A result that should count is none of the evaluator's.</exception>
    public static Metric<TIn, TOut> ToMetric<TIn, TOut>(this IEvaluator evaluator, EvaluatorMetricOptions<TIn, TOut>? options = null)
    {
        ArgumentNullException.ThrowIfNull(evaluator);
        return new EvaluatorMetric<TIn, TOut>(evaluator, options ?? new()).ScoreAsync;
    }

    /// <summary>
    /// A metric as an evaluator, for reports and tests that are made of those: the score under its name, each part as <c>name.part</c>, the feedback as the reason. It
    /// needs an <see cref="ExampleContext{TIn,TOut}"/> among the additional context; <see cref="ToConversation"/> makes one of an evaluation's row.
    /// </summary>
    /// <param name="metric">The metric.</param>
    /// <param name="name">The name of its result.</param>
    /// <param name="options">When a score fails, the names of its parts, how an output is read in an answer.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static IEvaluator ToEvaluator<TIn, TOut>(this Metric<TIn, TOut> metric, string name = "score", MetricEvaluatorOptions<TOut>? options = null)
    {
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new MetricEvaluator<TIn, TOut>(metric, name, options ?? new());
    }

    /// <summary>
    /// The scores of an evaluation as an evaluator: reports what its metric said of a row, and asks nothing again. The rows are given to it by
    /// <see cref="ToConversation"/>; those that failed have the failure score.
    /// </summary>
    /// <param name="result">The evaluation.</param>
    /// <param name="name">The name of its scores.</param>
    /// <param name="passing">A score below this is reported as failed; null leaves the judgement to the reader.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static IEvaluator ToEvaluator<TIn, TOut>(this EvaluationResult<TIn, TOut> result, string name = "score", double? passing = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new KnownScoreEvaluator<TIn, TOut>(name, [.. result.PartMeans.Keys], passing);
    }

    /// <summary>
    /// One row as what evaluators take: the example's input as the user's message, the output as the answer, and a context with example,
    /// prediction and score. A row that failed, by its run or its metric, has the error as its answer and no prediction.
    /// </summary>
    public static EvaluatedConversation ToConversation<TIn, TOut>(this EvaluationRow<TIn, TOut> row)
    {
        ArgumentNullException.ThrowIfNull(row);
        AIContent answer = row.Error is { } error ? new ErrorContent(error.Message) { ErrorCode = error.GetType().Name } : new TextContent(ValueText.Of(row.Value));
        return new(
            [new(ChatRole.User, ValueText.Of(row.Example.Input))],
            new(new ChatMessage(ChatRole.Assistant, [answer])) { Usage = UsageOf(row.Usage) },
            [new ExampleContext<TIn, TOut>(row.Example, row.Error is null ? new(row.Value!, row.Trace) : null, row.Score)]);
    }

    private static UsageDetails UsageOf(Usage usage) => new()
    {
        InputTokenCount = usage.InputTokens,
        OutputTokenCount = usage.OutputTokens,
        TotalTokenCount = usage.TotalTokens,
    };
}
