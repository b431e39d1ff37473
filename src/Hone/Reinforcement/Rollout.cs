using System.Collections.Immutable;

namespace Hone.Reinforcement;

/// <summary>How a rollout ended.</summary>
public enum RolloutOutcome
{
    /// <summary>The program returned and the metric scored it.</summary>
    Scored,

    /// <summary>An answer could not be parsed and the program let the error out: scored by its format.</summary>
    FormatFailure,

    /// <summary>The program raised another error: scored with the failure score.</summary>
    Crashed,

    /// <summary>The model call failed or the metric raised: there is no score and nothing is learned from it.</summary>
    Unscorable,
}

/// <summary>One run of the program on one training example.</summary>
public sealed record Rollout
{
    /// <summary>Position of the example in the training set.</summary>
    public required int ExampleIndex { get; init; }

    /// <summary>Which of the example's rollouts it is, from 0.</summary>
    public required int RolloutIndex { get; init; }

    /// <summary>Seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>Every predictor call, failed ones included.</summary>
    public required Trace Trace { get; init; }

    /// <summary>How it ended.</summary>
    public required RolloutOutcome Outcome { get; init; }

    /// <summary>The reward; null when there is none.</summary>
    public double? Reward { get; init; }

    /// <summary>Named parts of the reward.</summary>
    public ImmutableSortedDictionary<string, double> Parts { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>What the metric said in words; null when it said nothing.</summary>
    public string? Feedback { get; init; }

    /// <summary>Which teacher made the run, from 0; null for the policy itself.</summary>
    public int? Teacher { get; init; }

    /// <summary>
    /// True when the run was made by a teacher whose model does not tell its tokens where predictors learn: there is nothing to learn from, and it takes
    /// part in no group.
    /// </summary>
    public bool IsOpaque { get; init; }

    /// <summary>The exception of a run that did not return.</summary>
    public Exception? Error { get; init; }
}
