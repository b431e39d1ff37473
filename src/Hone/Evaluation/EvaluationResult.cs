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

    /// <summary>How long run and metric took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The example's name, or its position where it has none.</summary>
    public string Name => Example.Id ?? $"#{Index}";
}

/// <summary>A program's scores on a set, in the set's order.</summary>
/// <param name="Rows">One row an example; fewer when the evaluation was stopped.</param>
/// <param name="Interval">95 % bootstrap interval of the mean.</param>
public sealed record EvaluationResult<TIn, TOut>(ImmutableArray<EvaluationRow<TIn, TOut>> Rows, ConfidenceInterval Interval)
{
    /// <summary>Mean score, failures included; not a number when nothing was finished.</summary>
    public double Mean { get; } = Rows.IsEmpty ? double.NaN : Rows.Average(row => row.Score.Value);

    /// <summary>The mean in percent, rounded to two decimals.</summary>
    public double Percent => Math.Round(100 * Mean, 2, MidpointRounding.ToEven);

    /// <summary>Score by example.</summary>
    public IReadOnlyList<double> Scores { get; } = [.. Rows.Select(row => row.Score.Value)];

    /// <summary>How many runs or metrics failed.</summary>
    public int FailureCount { get; } = Rows.Count(row => row.Error is not null);

    /// <summary>How many single answers could not be parsed.</summary>
    public int FormatFailureCount { get; } = Rows.Sum(row => row.FormatFailureCount);

    /// <summary>What all runs cost.</summary>
    public Usage Usage { get; } = Rows.Aggregate(default(Usage), (sum, row) => sum + row.Usage);

    /// <summary>The rows that failed.</summary>
    public IEnumerable<EvaluationRow<TIn, TOut>> Failures => Rows.Where(row => row.Error is not null);

    /// <summary>Mean of every named part of the scores, over the rows that have it.</summary>
    public ImmutableSortedDictionary<string, double> PartMeans => Rows
        .SelectMany(row => row.Score.Parts)
        .GroupBy(part => part.Key, part => part.Value, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(group => group.Key, group => group.Average(), StringComparer.Ordinal);

    /// <summary>Mean and interval as text.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Mean:0.000} [{Interval.Low:0.000}, {Interval.High:0.000}] over {Rows.Length} examples, {FailureCount} failures");
}
