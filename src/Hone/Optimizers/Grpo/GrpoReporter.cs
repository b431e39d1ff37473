using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Counts what a step's rollouts were like.</summary>
internal static class GrpoReporter
{
    /// <param name="step">The step.</param>
    /// <param name="rollouts">Its rollouts.</param>
    /// <param name="grouping">Their groups.</param>
    /// <param name="learning">What is learned from them.</param>
    /// <param name="predictors">Paths of the predictors that are trained: what others write says nothing of the policy's lengths.</param>
    public static GrpoStepReport Describe(
        int step, IReadOnlyList<Rollout> rollouts, GroupingResult grouping, GrpoBatch learning, IReadOnlyCollection<string> predictors)
    {
        double[] rewards = [.. rollouts.Where(rollout => rollout.Reward is not null).Select(rollout => rollout.Reward!.Value)];
        PredictorCall[] calls = [.. rollouts.SelectMany(rollout => rollout.Trace.Calls)];
        (int Length, bool IsCut)[] written = [.. calls.Where(call => predictors.Contains(call.Path)).Select(call => (LengthOf(call), IsTruncated(call))).Where(call => call.Item1 > 0)];
        var lengths = new Lengths(written.Select(call => call.Length));
        var ended = new Lengths(written.Where(call => !call.IsCut).Select(call => call.Length));
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
            RolloutsKept = rollouts.Count,
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
            CompletionLengthMean = lengths.Mean,
            CompletionLengthMin = lengths.Min,
            CompletionLengthMax = lengths.Max,
            EndedLengthMean = ended.Mean,
            EndedLengthMin = ended.Min,
            EndedLengthMax = ended.Max,
            TruncatedFraction = written.Length == 0 ? 0 : written.Count(call => call.IsCut) / (double)written.Length,
        };
    }

    /// <summary>Tokens that a rollout's trained predictors sampled, in attempts that were not taken as well.</summary>
    public static long TokensOf(Rollout rollout, IReadOnlyCollection<string> predictors) =>
        rollout.Trace.Calls.Concat(rollout.Trace.Discarded).Where(call => predictors.Contains(call.Path)).Sum(call => (long)LengthOf(call));

    // A service that tells no tokens still says how many there were.
    public static int LengthOf(PredictorCall call) => call.Tokens?.CompletionIds.Count ?? (int)call.Usage.OutputTokens;

    /// <summary>True when the token limit ended the answer.</summary>
    public static bool IsTruncated(PredictorCall call) => call.Tokens?.IsTruncated ?? call.FinishReason == Microsoft.Extensions.AI.ChatFinishReason.Length;

    // 0 throughout where nothing was written.
    private readonly struct Lengths
    {
        public Lengths(IEnumerable<int> values)
        {
            int[] all = [.. values];
            (Mean, Min, Max) = all.Length == 0 ? default : (all.Average(), all.Min(), all.Max());
        }

        public double Mean { get; }

        public int Min { get; }

        public int Max { get; }
    }
}
