using System.Collections.Immutable;

namespace Hone;

/// <summary>What a metric says of one prediction: a number, optionally its named parts and feedback in words.</summary>
/// <param name="Value">The score; higher is better. By convention a fraction from 0 to 1.</param>
public sealed record Score(double Value)
{
    private static readonly Score Right = new(1);
    private static readonly Score Wrong = new(0);

    /// <summary>Named parts of the score, for reports and per-component learning.</summary>
    public ImmutableSortedDictionary<string, double> Parts { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>What was wrong or right, in words, for optimizers that reflect.</summary>
    public string? Feedback { get; init; }

    /// <summary>
    /// What single predictors did wrong or right, by path: for optimizers that change one predictor at a time. A predictor without an entry gets
    /// <see cref="Feedback"/>.
    /// </summary>
    public ImmutableSortedDictionary<string, string> PredictorFeedback { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>A plain number as a score.</summary>
    public static implicit operator Score(double value) => new(value);

    /// <summary>1 for true, 0 for false.</summary>
    public static implicit operator Score(bool passed) => passed ? Right : Wrong;

    /// <summary>A plain number as a score.</summary>
    public static Score FromDouble(double value) => new(value);

    /// <summary>1 for true, 0 for false.</summary>
    public static Score FromBoolean(bool passed) => passed;
}
