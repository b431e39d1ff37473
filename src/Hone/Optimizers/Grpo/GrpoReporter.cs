using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Counts what a step's rollouts were like.</summary>
internal static class GrpoReporter
{
    public static GrpoStepReport Describe(int step, IReadOnlyList<Rollout> rollouts, GroupingResult grouping, GrpoBatch learning)
    {
        double[] rewards = [.. rollouts.Where(rollout => rollout.Reward is not null).Select(rollout => rollout.Reward!.Value)];
        PredictorCall[] calls = [.. rollouts.SelectMany(rollout => rollout.Trace.Calls)];
        int[] lengths = [.. calls.Select(LengthOf).Where(length => length > 0)];
        double[] groupMeans = [.. grouping.Groups.Select(group => group.Members.Average(member => member.Reward)).Where(mean => mean is not null).Select(mean => mean!.Value)];
        var parts = rollouts.SelectMany(rollout => rollout.Parts).ToLookup(part => part.Key, part => part.Value);
        return new()
        {
            Step = step,
            RewardMean = rewards.Length == 0 ? 0 : rewards.Average(),
            RewardDeviation = Advantages.SampleDeviation(rewards),
            GroupMeanDeviation = Advantages.SampleDeviation(groupMeans),
            Parts = parts.ToDictionary(part => part.Key, part => part.Average()),
            PartDeviations = parts.ToDictionary(part => part.Key, part => Advantages.SampleDeviation([.. part])),
            RolloutsGenerated = rollouts.Count,
            RolloutsUsed = grouping.Groups.SelectMany(group => group.Members).Select(member => member.Rollout).Distinct(ReferenceEqualityComparer.Instance).Count(),
            RolloutsTeaching = learning.LearnedRollouts,
            SkippedRollouts = grouping.SkippedRollouts,
            UnreadableRollouts = rollouts.Count(rollout => rollout.Trace.Calls.Any(call => call.Failure is not null)),
            OffPolicyRollouts = rollouts.Count(rollout => rollout.Teacher is not null && !rollout.IsOpaque),
            OpaqueRollouts = rollouts.Count(rollout => rollout.IsOpaque),
            FormatFailures = rollouts.Count(rollout => rollout.Outcome == RolloutOutcome.FormatFailure),
            FormatFailuresByPredictor = calls.Where(call => call.Failure is not null).GroupBy(call => call.Path).ToDictionary(group => group.Key, group => group.Count()),
            Crashes = rollouts.Count(rollout => rollout.Outcome == RolloutOutcome.Crashed),
            Unscorable = rollouts.Count(rollout => rollout.Outcome == RolloutOutcome.Unscorable),
            Groups = grouping.Groups.GroupBy(group => group.Predictor).ToDictionary(group => group.Key, group => group.Count()),
            ZeroVarianceFraction = grouping.Groups.IsEmpty ? 0 : learning.ZeroVarianceGroups / (double)grouping.Groups.Length,
            SkippedCalls = grouping.SkippedCalls,
            CompletionLengthMean = lengths.Length == 0 ? 0 : lengths.Average(),
            CompletionLengthMin = lengths.Length == 0 ? 0 : lengths.Min(),
            CompletionLengthMax = lengths.Length == 0 ? 0 : lengths.Max(),
            TruncatedFraction = lengths.Length == 0 ? 0 : calls.Count(IsTruncated) / (double)lengths.Length,
        };
    }

    // A service that tells no tokens still says how many there were.
    public static int LengthOf(PredictorCall call) => call.Tokens?.CompletionIds.Count ?? (int)call.Usage.OutputTokens;

    private static bool IsTruncated(PredictorCall call) => call.Tokens?.IsTruncated ?? call.FinishReason == Microsoft.Extensions.AI.ChatFinishReason.Length;
}
