using System.Collections.Immutable;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>The training data of a step: every call of every group that has something to teach, with its advantage.</summary>
internal sealed class GrpoBatch
{
    private readonly TrainingDatum[] data;
    private readonly bool learnsFromText;
    private readonly double temperature;
    private readonly bool[] isFixed;
    private readonly HashSet<int> taughtSlots = [];
    private readonly HashSet<Rollout> learned = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<PredictorCall, double> advantages = new(ReferenceEqualityComparer.Instance);

    public GrpoBatch(ImmutableArray<RolloutGroup> groups, GrpoOptions options, bool learnsFromText = false)
    {
        (this.learnsFromText, temperature) = (learnsFromText, options.Loss.Temperature);
        var computed = options.PartWeights.IsEmpty
            ? Advantages.Compute([.. groups.Select(group => group.Members.Select(member => member.Reward).ToArray())], options.Scaling)
            : OfParts(groups, options.PartWeights);
        var collected = new List<TrainingDatum>();
        for (var i = 0; i < groups.Length; i++)
        {
            // A group without spread has advantage 0 throughout: without a divergence penalty it would only cost time.
            var flat = IsFlat(groups[i], options.PartWeights);
            ZeroVarianceGroups += flat ? 1 : 0;
            if (!flat)
                taughtSlots.Add(groups[i].Slot);
            if (flat && options.Loss.Beta == 0)
                continue;
            for (var j = 0; j < groups[i].Members.Length; j++)
                Add(collected, i, groups[i].Predictor, groups[i].Members[j], flat ? 0 : computed[i][j]);
        }

        data = [.. collected];
        isFixed = [.. data.Select(datum => datum.OldLogProbs is not null)];
    }

    public IReadOnlyList<TrainingDatum> Data => data;

    public int ZeroVarianceGroups { get; }

    /// <summary>Rollouts of which some call is learned from.</summary>
    public int LearnedRollouts => learned.Count;

    /// <summary>True when calls of the policy itself came without their tokens.</summary>
    public bool LacksTokens { get; private set; }

    /// <summary>A call of the policy that was left out, because it was not sampled at the temperature that the loss assumes; null when there was none.</summary>
    public PredictorCall? OffTemperature { get; private set; }

    /// <summary>True when some group of the slot's example has something to teach.</summary>
    public bool Teaches(int slot) => taughtSlots.Contains(slot);

    /// <summary>Advantages by call, by reference.</summary>
    public IReadOnlyDictionary<PredictorCall, double> ByCall => advantages;

    /// <summary>The advantage that a call was trained with; null when it was not.</summary>
    public double? AdvantageOf(PredictorCall call) => advantages.TryGetValue(call, out var advantage) ? advantage : null;

    /// <summary>Keeps the log-probabilities before the first of several updates; those of a teacher stay its own.</summary>
    public void RememberOldLogProbs(IReadOnlyList<float[]> logProbs)
    {
        for (var i = 0; i < data.Length; i++)
        {
            if (!isFixed[i])
                data[i] = data[i] with { OldLogProbs = logProbs[i] };
        }
    }

    private void Add(List<TrainingDatum> collected, int group, string predictor, GroupMember member, double advantage)
    {
        if (member.Reward is not { } reward)
            return;
        if (learnsFromText)
        {
            learned.Add(member.Rollout);
            advantages[member.Call] = advantage;
            collected.Add(new()
            {
                PromptIds = [],
                CompletionIds = [],
                Advantage = advantage,
                IsTruncated = member.Call.FinishReason == Microsoft.Extensions.AI.ChatFinishReason.Length,
                Predictor = predictor,
                Text = new(member.Call.Messages, member.Call.Text, reward, group),
            });
            return;
        }

        if (member.Call.Tokens is not { CompletionIds.Count: > 0 } tokens)
        {
            LacksTokens = true;
            return;
        }

        // What a teacher wrote is weighed by the ratio to the teacher's own probabilities, not to the policy's: it is off-policy, and says so.
        var isTeacher = member.Rollout.Teacher is not null;
        if (!isTeacher && !SamplerAgreement.IsSame(tokens.Temperature, temperature))
        {
            OffTemperature ??= member.Call;
            return;
        }

        learned.Add(member.Rollout);
        advantages[member.Call] = advantage;
        collected.Add(new()
        {
            PromptIds = tokens.PromptIds,
            CompletionIds = tokens.CompletionIds,
            SamplerLogProbs = isTeacher ? [] : tokens.LogProbs,
            OldLogProbs = isTeacher ? tokens.LogProbs : null,
            Advantage = advantage,
            IsTruncated = tokens.IsTruncated,
            Predictor = predictor,
        });
    }

    private static double[][] OfParts(ImmutableArray<RolloutGroup> groups, ImmutableSortedDictionary<string, double> weights)
    {
        string[] names = [.. weights.Keys];
        return Advantages.NormalizeThenSum(
            [.. groups.Select(group => group.Members.Select(member => (IReadOnlyList<double?>)[.. names.Select(name => PartOf(member, name))]).ToArray())],
            [.. names.Select(name => weights[name])]);
    }

    // An unreadable answer has no parts: its format reward stands for each.
    private static double? PartOf(GroupMember member, string name) =>
        member.Reward is null ? null
        : member.Call.Failure is not null || member.Rollout.Outcome != RolloutOutcome.Scored ? member.Reward
        : member.Rollout.Parts.TryGetValue(name, out var part)
            ? double.IsFinite(part) ? part : throw new HoneException($"The metric gave the part '{name}' the value {part}; with PartWeights it must be finite.")
        : throw new HoneException(
            $"PartWeights names '{name}', but the metric's score has {(member.Rollout.Parts.IsEmpty ? "no parts" : $"only: {string.Join(", ", member.Rollout.Parts.Keys)}")}.");

    private static bool IsFlat(RolloutGroup group, ImmutableSortedDictionary<string, double> weights) => weights.IsEmpty
        ? IsFlat(group.Members.Select(member => member.Reward))
        : weights.Keys.All(name => IsFlat(group.Members.Select(member => PartOf(member, name))));

    private static bool IsFlat(IEnumerable<double?> rewards)
    {
        double[] known = [.. rewards.Where(reward => reward is not null).Select(reward => reward!.Value)];
        return known.Length == 0 || known.Max() - known.Min() < 1e-12;
    }
}
