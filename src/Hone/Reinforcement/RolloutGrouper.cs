using System.Collections.Immutable;

namespace Hone.Reinforcement;

/// <summary>Settings of grouping.</summary>
internal sealed record GroupingSettings(
    GroupingMode Mode, FillStrategy? Fill, double FailureScore, double FormatFailureScore, CreditAssigner? Credit = null);

/// <summary>Sorts the calls of a step's rollouts into groups (multi-module GRPO, arXiv 2508.04660): by predictor path, example and invocation.</summary>
internal static class RolloutGrouper
{
    /// <summary>Groups all of a step: predictor by predictor, example by example.</summary>
    public static GroupingResult Group(
        IReadOnlyList<Rollout> rollouts, int rolloutsPerExample, IReadOnlyList<string> predictors, GroupingSettings settings, SeedStream seed)
    {
        var slots = rollouts.Chunk(rolloutsPerExample).ToArray();
        return GroupingResult.Join(predictors.SelectMany((_, position) => slots.Select((slot, index) => GroupOf(slot, index, predictors, position, settings, seed))));
    }

    /// <summary>Groups the rollouts of one example, which no other example has a say in.</summary>
    public static GroupingResult GroupSlot(IReadOnlyList<Rollout> rollouts, int slot, IReadOnlyList<string> predictors, GroupingSettings settings, SeedStream seed) =>
        GroupingResult.Join(predictors.Select((_, position) => GroupOf(rollouts, slot, predictors, position, settings, seed)));

    private static GroupingResult GroupOf(
        IReadOnlyList<Rollout> rollouts, int slot, IReadOnlyList<string> predictors, int position, GroupingSettings settings, SeedStream seed)
    {
        var predictor = predictors[position];
        var scored = rollouts.Where(rollout => rollout.Outcome != RolloutOutcome.Unscorable && !rollout.IsOpaque).ToArray();
        var reached = scored.Select(rollout => (Rollout: rollout, Calls: rollout.Trace.Of(predictor).ToArray()))
            .Where(entry => entry.Calls.Length > 0)
            .ToArray();
        var skippedRollouts = reached.Length == 0 ? 0 : scored.Length - reached.Length;
        if (reached.Length < 2)
            return new([], reached.Sum(entry => entry.Calls.Length), skippedRollouts);

        var groups = ImmutableArray.CreateBuilder<RolloutGroup>();
        var skippedCalls = settings.Mode == GroupingMode.Truncate ? reached.Sum(entry => entry.Calls.Length - reached.Min(other => other.Calls.Length)) : 0;
        foreach (var (invocation, members) in Align(reached, settings, seed.Derive("fill", position, slot).CreateRandom()))
        {
            if (members.Length < 2)
                skippedCalls += members.Length;
            else
                groups.Add(new(predictor, members[0].Rollout.ExampleIndex, slot, invocation, members));
        }

        return new(groups.ToImmutable(), skippedCalls, skippedRollouts);
    }

    private static IEnumerable<(int Invocation, ImmutableArray<GroupMember> Members)> Align(
        (Rollout Rollout, PredictorCall[] Calls)[] reached, GroupingSettings settings, Random random)
    {
        var shortest = reached.Min(entry => entry.Calls.Length);
        var longest = reached.Max(entry => entry.Calls.Length);
        var count = settings.Mode == GroupingMode.Truncate ? shortest : longest;
        for (var invocation = 0; invocation < count; invocation++)
        {
            var members = ImmutableArray.CreateBuilder<GroupMember>(reached.Length);
            foreach (var (rollout, calls) in reached)
            {
                if (invocation < calls.Length)
                    members.Add(MemberOf(rollout, calls[invocation], settings));
                else if (settings.Mode == GroupingMode.Fill)
                    members.Add(MemberOf(rollout, calls[settings.Fill == FillStrategy.Last ? calls.Length - 1 : random.Next(calls.Length)], settings));
            }

            yield return (invocation, members.ToImmutable());
        }
    }

    // A call that failed to parse gets its own format reward, also when the program caught the error and went on (the swallowed-failure trap). A rollout that
    // the metric never saw has no parts to give credit by: its calls get its reward.
    private static GroupMember MemberOf(Rollout rollout, PredictorCall call, GroupingSettings settings) => new(
        rollout,
        call,
        call.Failure is { } failure ? FormatReward.Of(failure, settings.FailureScore, settings.FormatFailureScore)
            : settings.Credit is { } credit && rollout.Outcome == RolloutOutcome.Scored ? Credited(credit, rollout, call)
            : rollout.Reward);

    // A reward that is no number would go through the advantages into every weight.
    private static double? Credited(CreditAssigner credit, Rollout rollout, PredictorCall call) => credit(rollout, call) is not { } reward ? null
        : double.IsFinite(reward) ? reward
        : throw new HoneException($"Credit gave {reward} to a call of '{call.Path}'; a reward must be finite. Null leaves a call out.");
}
