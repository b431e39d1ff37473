using System.Collections.Immutable;

namespace Hone.Reinforcement;

/// <summary>One call in a group, with the reward that it is credited with.</summary>
/// <param name="Rollout">The run that made the call.</param>
/// <param name="Call">The call.</param>
/// <param name="Reward">Its reward; null leaves it out of the group's statistics and gives no gradient.</param>
public sealed record GroupMember(Rollout Rollout, PredictorCall Call, double? Reward);

/// <summary>Calls that are compared with each other: one predictor, one example, one invocation, one member a rollout.</summary>
/// <param name="Predictor">Path of the predictor.</param>
/// <param name="ExampleIndex">Position of the example in the training set.</param>
/// <param name="Slot">Position of the example within the step.</param>
/// <param name="Invocation">Which call of the predictor within a run, from 0.</param>
/// <param name="Members">The calls, in rollout order. Their prompts may differ: advantages compare outcomes, not prompts.</param>
public sealed record RolloutGroup(string Predictor, int ExampleIndex, int Slot, int Invocation, ImmutableArray<GroupMember> Members);

/// <summary>What grouping left out.</summary>
/// <param name="Groups">The groups.</param>
/// <param name="SkippedCalls">Calls that no group could use.</param>
/// <param name="SkippedRollouts">Rollouts that never reached a predictor that others of their example did.</param>
public sealed record GroupingResult(ImmutableArray<RolloutGroup> Groups, int SkippedCalls, int SkippedRollouts)
{
    internal static GroupingResult Join(IEnumerable<GroupingResult> parts)
    {
        GroupingResult[] all = [.. parts];
        return new([.. all.SelectMany(part => part.Groups)], all.Sum(part => part.SkippedCalls), all.Sum(part => part.SkippedRollouts));
    }
}

/// <summary>What to do when rollouts call a predictor a different number of times.</summary>
public enum GroupingMode
{
    /// <summary>Keep the calls that every rollout made.</summary>
    Truncate,

    /// <summary>Repeat calls of the shorter rollouts until all are as long as the longest.</summary>
    Fill,

    /// <summary>Compare whoever made the call; groups vary in size.</summary>
    Ragged,
}

/// <summary>Which call a shorter rollout repeats under <see cref="GroupingMode.Fill"/>.</summary>
public enum FillStrategy
{
    /// <summary>A random one of its calls.</summary>
    Random,

    /// <summary>Its last call.</summary>
    Last,
}

/// <summary>
/// Decides the reward of one call of a scored rollout, a finite number; null takes the call out. Calls that could not be read keep their format reward, those of rollouts
/// that the metric did not score their rollout's.
/// </summary>
public delegate double? CreditAssigner(Rollout rollout, PredictorCall call);
