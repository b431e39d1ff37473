namespace Hone.Reinforcement;

/// <summary>
/// What a run is going to ask of a training session, told before it starts: a service refuses what it cannot do before anything is spent, and one
/// that wants its settings in advance has them.
/// </summary>
public sealed record TrainingPlan
{
    /// <summary>The loss.</summary>
    public PolicyLossOptions Loss { get; init; } = new();

    /// <summary>The optimizer, with the highest learning rate of the run.</summary>
    public required OptimizerStepOptions Optimizer { get; init; }

    /// <summary>How the learning rate changes.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Constant;

    /// <summary>Optimizer steps of the warm-up.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Optimizer steps of the run.</summary>
    public int OptimizerSteps { get; init; }

    /// <summary>Optimizer updates on each batch.</summary>
    public int UpdatesPerBatch { get; init; } = 1;

    /// <summary>Members of a full group.</summary>
    public int GroupSize { get; init; }

    /// <summary>How advantages were, or are to be, scaled.</summary>
    public AdvantageScaling Scaling { get; init; }

    /// <summary>Sampling of rollouts.</summary>
    public CallOptions Sampling { get; init; } = new();

    /// <summary>True when teachers make part of the rollouts: what they write is off-policy, and must be weighed by their own probabilities.</summary>
    public bool HasTeachers { get; init; }
}

/// <summary>One completion as text, with what a trainer that tokenizes and compares by itself needs.</summary>
/// <param name="Messages">The rendered prompt.</param>
/// <param name="Completion">The answer as it was received.</param>
/// <param name="Reward">Its reward.</param>
/// <param name="Group">Number of its group within the batch.</param>
public sealed record TrainingText(IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> Messages, string Completion, double Reward, int Group);
