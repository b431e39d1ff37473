namespace Hone.Optimizers;

/// <summary>What <see cref="Grpo{TIn,TOut}"/> returns.</summary>
public sealed record GrpoResult<TIn, TOut> : OptimizationResult<TIn, TOut>
{
    /// <summary>Every step, those before an interruption included.</summary>
    public required IReadOnlyList<GrpoStepReport> Steps { get; init; }

    /// <summary>Every validation, the first before training.</summary>
    public required IReadOnlyList<GrpoValidation> Validations { get; init; }

    /// <summary>The step after which the returned weights were validated; -1 for the original ones.</summary>
    public required int BestStep { get; init; }

    /// <summary>Rollouts made.</summary>
    public required long RolloutsGenerated { get; init; }

    /// <summary>Rollouts that entered a group, and so the comparison that a step learns from.</summary>
    public required long RolloutsUsed { get; init; }

    /// <summary>Calls of other models than the policy, in rollouts, validations and metrics.</summary>
    public long ExternalCalls { get; init; }

    /// <summary>What those calls cost, by the models' prices.</summary>
    public decimal Cost { get; init; }

    /// <summary>How often a collapsed policy was taken back.</summary>
    public int Rollbacks { get; init; }

    /// <summary>What the checks before training found; null when they were not made.</summary>
    public PreflightReport? Preflight { get; init; }

    /// <summary>Tokens sampled in rollouts.</summary>
    public required long TokensSampled { get; init; }
}
