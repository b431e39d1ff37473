using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Hone.Optimizers;

/// <summary>
/// What a run may spend; null means no limit. When a limit is reached the run ends and returns the best so far.
/// </summary>
/// <remarks>
/// Optimizers of prompts reserve before they spend: no limit on runs, calls, tokens or money is ever exceeded, however much runs at once, nor over processes
/// that were killed: what they had under way counts as the most that it can have cost. Reinforcement
/// learning looks at time and tokens between steps, at external calls and money before every run of the program (in validations after it), and finishes
/// runs under way; for a limit that it cannot overshoot, give the external models a <see cref="CallBudget"/>.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException">A limit is negative.</exception>
public sealed record OptimizationBudget
{
    /// <summary>Longest time, over all resumptions.</summary>
    public TimeSpan? MaxDuration
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>Optimizers of prompts: most runs of the program on an example, those of teachers included.</summary>
    public long? MaxProgramRuns
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>Optimizers of prompts: most calls of models, repeated attempts included; those that the cache answers are free.</summary>
    public long? MaxCalls
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>Optimizers of prompts: most tokens, in and out.</summary>
    public long? MaxTokens
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>Optimizers of prompts: limits by the role of the models, e.g. <c>task</c>, <c>prompt</c>, <c>judge</c>; within the limits of all.</summary>
    public ImmutableSortedDictionary<string, CallBudgetLimits> ByRole { get; init; } = ImmutableSortedDictionary<string, CallBudgetLimits>.Empty;

    /// <summary>Reinforcement learning: most tokens that the policy may sample.</summary>
    public long? MaxSampledTokens
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>Reinforcement learning: most calls of models other than the policy, by predictors of the program or of a metric (a judge).</summary>
    public long? MaxExternalCalls
    {
        get;
        init => field = NotNegative(value);
    }

    /// <summary>
    /// Most money, in the currency of the models' prices. Reinforcement learning counts a model without a price as free; optimizers of prompts ask for
    /// one.
    /// </summary>
    public decimal? MaxCost
    {
        get;
        init => field = NotNegative(value);
    }

    private static T? NotNegative<T>(T? value, [CallerMemberName] string name = "")
        where T : struct, IComparable<T> => value is not { } limit || limit.CompareTo(default) >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must not be negative; null means no limit.");
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

    /// <summary>The runs of the program are spent.</summary>
    ProgramRunBudget,

    /// <summary>The calls of the budget are spent.</summary>
    CallBudget,

    /// <summary>A candidate reached the target score, or every example's best score.</summary>
    TargetReached,

    /// <summary>No candidate was better for as long as the options allow.</summary>
    NoImprovement,

    /// <summary>A model stayed out of reach, or its proposals failed again and again: see the result's error.</summary>
    Outage,

    /// <summary>A step of a sequence of optimizers failed: see the result's error.</summary>
    StepFailed,

    /// <summary>More runs threw in one wave than <see cref="OptimizerOptions.MaxErrors"/> allows: see the result's error.</summary>
    TooManyErrors,
}
