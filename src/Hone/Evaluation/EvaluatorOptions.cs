namespace Hone;

/// <summary>Settings of <see cref="Evaluator{TIn,TOut}"/>.</summary>
public sealed record EvaluatorOptions
{
    /// <summary>How many examples run at once.</summary>
    /// <value>8 by default; at least 1.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>How many examples may fail before the evaluation stops with their causes.</summary>
    /// <value>10 by default; 0 stops at the first failure.</value>
    public int MaxErrors
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxErrors)); field = value; }
    } = 10;

    /// <summary>Score of an example whose run or metric failed.</summary>
    /// <value>0 by default.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a number: no mean could hold it.</exception>
    public double FailureScore
    {
        get;
        init => field = double.IsNaN(value) ? throw new ArgumentOutOfRangeException(nameof(FailureScore), value, "FailureScore is a number.") : value;
    }

    /// <summary>Options over the model's, e.g. temperature 0.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed; each example derives its own. Null sends no seed.</summary>
    /// <value>0 by default.</value>
    public long? Seed { get; init; } = 0;

    /// <summary>What happens when an answer cannot be read; null leaves it to the program.</summary>
    public RecoveryPolicy? Recovery { get; init; }

    /// <summary>An example whose run and metric take longer counts as failed; null waits for as long as it takes. Nothing is ever started twice.</summary>
    /// <value>None by default; more than zero.</value>
    public TimeSpan? ExampleTimeout
    {
        get;
        init
        {
            if (value is { } limit)
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(ExampleTimeout));
            field = value;
        }
    }

    /// <summary>
    /// True to keep what the predictors did for every row: prompts, answers, failures. False keeps the sums only, which spares memory and time on large
    /// sets.
    /// </summary>
    /// <value>True by default.</value>
    public bool KeepTraces { get; init; } = true;

    /// <summary>Told after every example, one at a time: how many are done, how they score, how many failed.</summary>
    public IProgress<EvaluationProgress>? Progress { get; init; }

    /// <summary>The clock of durations and time-outs.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>How far an evaluation is.</summary>
/// <param name="Completed">Examples done, failed ones included.</param>
/// <param name="Total">Examples in the set.</param>
public readonly record struct EvaluationProgress(int Completed, int Total)
{
    /// <summary>How many examples failed so far.</summary>
    public int Errors { get; init; }

    /// <summary>Mean score of the examples that did not fail; null while there is none.</summary>
    public double? Mean { get; init; }

    /// <summary>Count, running mean and failures as text.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Completed} of {Total} examples, mean {(Mean is { } mean ? FormattableString.Invariant($"{mean:0.000}") : "-")}, {Errors} failed");
}
