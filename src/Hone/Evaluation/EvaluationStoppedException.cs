namespace Hone;

/// <summary>More examples failed than <see cref="EvaluatorOptions.MaxErrors"/> allows. What was finished is kept.</summary>
public sealed class EvaluationStoppedException<TIn, TOut> : AggregateException
{
    internal EvaluationStoppedException(EvaluationResult<TIn, TOut> finished, int total, int allowed, Exception[] causes)
        : base(causes)
    {
        Finished = finished;
        Message =
            $"{causes.Length} of {finished.Rows.Length} finished examples failed, more than the {allowed} that {nameof(EvaluatorOptions.MaxErrors)} allows; "
            + $"{total - finished.Rows.Length} of {total} were left out. The rows that are done are in {nameof(Finished)}. First cause: {causes[0].Message}";
    }

    /// <summary>How many failed and were left out, and the first cause; all of them are in <see cref="AggregateException.InnerExceptions"/>.</summary>
    public override string Message { get; }

    /// <summary>The examples that were done, in the set's order; <c>Evaluator.ContinueAsync</c> goes on from here.</summary>
    public EvaluationResult<TIn, TOut> Finished { get; }
}

/// <summary>An evaluation was cancelled. What was finished is kept.</summary>
public sealed class EvaluationCanceledException<TIn, TOut> : OperationCanceledException
{
    internal EvaluationCanceledException(EvaluationResult<TIn, TOut> finished, int total, OperationCanceledException inner, CancellationToken token)
        : base($"The evaluation was cancelled after {finished.Rows.Length} of {total} examples; they are in {nameof(Finished)}.", inner, token) =>
        Finished = finished;

    /// <summary>The examples that were done, in the set's order; <c>Evaluator.ContinueAsync</c> goes on from here.</summary>
    public EvaluationResult<TIn, TOut> Finished { get; }
}
