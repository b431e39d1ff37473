using System.Collections.Immutable;

namespace Hone;

/// <summary>One example's outcome.</summary>
/// <param name="Index">Position in the set.</param>
/// <param name="Example">The example.</param>
/// <param name="Value">What the program returned; the type's default when it failed.</param>
/// <param name="Score">What the metric said, or the failure score.</param>
/// <param name="Trace">What the predictors did; empty when traces are not kept.</param>
/// <param name="Error">The exception of a failed run or metric; null when all went well.</param>
public sealed record EvaluationRow<TIn, TOut>(int Index, Example<TIn, TOut> Example, TOut? Value, Score Score, Trace Trace, Exception? Error)
{
    /// <summary>What the run cost.</summary>
    public Usage Usage { get; init; } = Trace.Usage;

    /// <summary>How many answers of the run could not be parsed.</summary>
    public int FormatFailureCount { get; init; } = Trace.FormatFailureCount;
}

/// <summary>A program's scores on a set, in the set's order.</summary>
/// <param name="Rows">One row an example.</param>
/// <param name="Interval">95 % bootstrap interval of the mean.</param>
public sealed record EvaluationResult<TIn, TOut>(ImmutableArray<EvaluationRow<TIn, TOut>> Rows, ConfidenceInterval Interval)
{
    /// <summary>Mean score, failures included.</summary>
    public double Mean { get; } = Rows.Average(row => row.Score.Value);

    /// <summary>Score by example.</summary>
    public IReadOnlyList<double> Scores { get; } = [.. Rows.Select(row => row.Score.Value)];

    /// <summary>How many runs or metrics failed.</summary>
    public int FailureCount { get; } = Rows.Count(row => row.Error is not null);

    /// <summary>How many single answers could not be parsed.</summary>
    public int FormatFailureCount { get; } = Rows.Sum(row => row.FormatFailureCount);

    /// <summary>What all runs cost.</summary>
    public Usage Usage { get; } = Rows.Aggregate(default(Usage), (sum, row) => sum + row.Usage);

    /// <summary>Mean and interval as text.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Mean:0.000} [{Interval.Low:0.000}, {Interval.High:0.000}] over {Rows.Length} examples, {FailureCount} failures");
}
