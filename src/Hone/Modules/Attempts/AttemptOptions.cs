namespace Hone;

/// <summary>How attempts are made.</summary>
public sealed record AttemptOptions
{
    /// <summary>How many attempts may fail, by an exception of the module or of the reward, before the whole fails.</summary>
    /// <value>Null by default: all may fail but one. 0 stops at the first failure.</value>
    public int? MaxFailures
    {
        get;
        init
        {
            if (value is { } most)
                ArgumentOutOfRangeException.ThrowIfNegative(most, nameof(MaxFailures));
            field = value;
        }
    }

    /// <summary>Temperature of the attempts, unless the run's options or a predictor's state choose one.</summary>
    /// <value>1 by default; null leaves it to the model's options.</value>
    public float? Temperature { get; init; } = 1;

    /// <summary>
    /// How many attempts of <see cref="BestOfN{TIn,TOut}"/> run at once. The result is the same at any number; what differs is that attempts are paid for
    /// that an earlier one makes superfluous.
    /// </summary>
    /// <value>1 by default.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 1;
}

/// <summary>One attempt of a module.</summary>
/// <param name="Output">What it gave; the type's default when it failed.</param>
/// <param name="Reward">What that is worth; null when it failed.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
/// <param name="Trace">What its predictors did.</param>
public sealed record Attempt<TOut>(TOut? Output, Score? Reward, Exception? Error, Trace Trace)
{
    /// <summary>What <see cref="Refine{TIn,TOut}"/> advised its predictors to do otherwise; empty in a first attempt.</summary>
    public System.Collections.Immutable.ImmutableArray<string> Advice { get; init; } = [];
}

/// <summary>The attempts of a module and the best of them.</summary>
/// <param name="Best">The output of the attempt with the highest reward; of equal ones the earliest.</param>
/// <param name="BestIndex">Which attempt it was, from 0.</param>
/// <param name="Attempts">All attempts up to the one that ended it.</param>
public sealed record AttemptsResult<TOut>(TOut Best, int BestIndex, System.Collections.Immutable.ImmutableArray<Attempt<TOut>> Attempts);
