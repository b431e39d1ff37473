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

    /// <summary>Why the run ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Time taken, over all resumptions.</summary>
    public required TimeSpan Duration { get; init; }
}
