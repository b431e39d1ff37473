namespace Hone.Optimizers;

/// <summary>
/// What a run may spend. Null means no limit. Time and tokens are looked at between steps, external calls and money before every run of the program;
/// runs under way are finished. For a limit that nothing can overshoot, give the external models a <see cref="CallBudget"/>: when it refuses a call,
/// the run stops and returns the best so far, too.
/// </summary>
public sealed record OptimizationBudget
{
    /// <summary>Longest time, over all resumptions.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>Most tokens that the policy may sample.</summary>
    public long? MaxSampledTokens { get; init; }

    /// <summary>Most calls of models other than the policy, by predictors of the program or of a metric (a judge).</summary>
    public long? MaxExternalCalls { get; init; }

    /// <summary>Most money for those calls, in the currency of the models' prices. A model without a price counts as free.</summary>
    public decimal? MaxCost { get; init; }
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

    /// <summary>The calls of other models are spent.</summary>
    ExternalCallBudget,

    /// <summary>The money of the budget is spent.</summary>
    CostBudget,

    /// <summary>A model's own <see cref="CallBudget"/> refused a call.</summary>
    ModelBudget,

    /// <summary>The policy collapsed again after every allowed return to good weights.</summary>
    Collapsed,
}
