namespace Hone.Optimizers;

/// <summary>What an optimizer returns: the best program and the evidence for it.</summary>
public record OptimizationResult<TIn, TOut>
{
    /// <summary>The best program found; the one passed in when nothing beat it.</summary>
    public required Program<TIn, TOut> Program { get; init; }

    /// <summary>Validation score of the program as it came in; null without a validation set.</summary>
    public double? BaselineScore { get; init; }

    /// <summary>Validation score of the returned program; null without a validation set.</summary>
    public double? BestScore { get; init; }

    /// <summary>Both on the validation set, example by example; null without one.</summary>
    public PairedComparison? Comparison { get; init; }

    /// <summary>What the comparison shows, in one sentence; it says so when that is nothing.</summary>
    public string Verdict => Comparison is not { } pair
        ? "There was no validation set: nothing is known about the gain."
        : FormattableString.Invariant(
            $"{(pair.IsSignificant ? string.Empty : "No significant change: ")}{pair.Baseline:0.000} before, {pair.Candidate:0.000} after, a gain of {pair.Gain:+0.000;-0.000;0.000} with a paired 95 % interval of {pair.Interval.Low:+0.000;-0.000;0.000} to {pair.Interval.High:+0.000;-0.000;0.000}.");

    /// <summary>Why the run ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Time taken, over all resumptions.</summary>
    public required TimeSpan Duration { get; init; }
}
