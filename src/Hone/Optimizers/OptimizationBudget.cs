namespace Hone.Optimizers;

/// <summary>What a run may spend. Null means no limit.</summary>
public sealed record OptimizationBudget
{
    /// <summary>Longest time, over all resumptions.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>Most tokens that the policy may sample.</summary>
    public long? MaxSampledTokens { get; init; }
}

/// <summary>Why a run ended.</summary>
public enum StopReason
{
    /// <summary>All steps were done.</summary>
    Completed,

    /// <summary>The time of the budget is spent.</summary>
    TimeBudget,

    /// <summary>The tokens of the budget are spent.</summary>
    TokenBudget,

    /// <summary>The caller asked to stop.</summary>
    Requested,
}
