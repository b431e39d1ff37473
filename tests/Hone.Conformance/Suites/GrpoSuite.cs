using System.Globalization;
using System.Text.Json;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>The groups of a recorded run and ours.</summary>
internal sealed record GrpoAttempt(
    bool IsRecorded, int GroupSize, bool IsQueueLimited, IReadOnlyList<RecordedGroup> Expected, IReadOnlyList<RecordedGroup> Actual);

/// <summary>One group: predictor, and completion with reward of each member in rollout order.</summary>
internal sealed record RecordedGroup(string Predictor, IReadOnlyList<(string Completion, double Reward)> Members)
{
    public bool Matches(RecordedGroup other) => Predictor == other.Predictor && Members.SequenceEqual(other.Members);

    /// <summary>True when repeating the other's members in turn up to our size gives this group: the reference's padding.</summary>
    public bool IsPaddingOf(RecordedGroup other) => Predictor == other.Predictor && Members.Count > other.Members.Count
        && Members.Select((member, i) => member == other.Members[i % other.Members.Count]).All(same => same);
}

/// <summary>How many steps an epoch of a training set takes, and how the examples are spread.</summary>
internal sealed record BatchAttempt(int ExampleCount, int PerStep, int ExpectedEpochLength, IReadOnlyList<int> FirstEpoch);

/// <summary>grpo.json: which examples a step takes, and which groups of calls it learns from.</summary>
internal sealed class GrpoSuite : IVectorSuite
{
    private static readonly DifferenceRule<BatchAttempt>[] BatchRules =
    [
        new(
            "grpo-no-extra-batch",
            "an epoch is padded to full steps only; the reference adds a whole step of repeats when the set already divides evenly",
            attempt => attempt.ExampleCount % attempt.PerStep == 0 && attempt.ExpectedEpochLength == attempt.ExampleCount + attempt.PerStep
                && attempt.FirstEpoch.Order().SequenceEqual(Enumerable.Range(0, attempt.ExampleCount))),
    ];

    private static readonly DifferenceRule<GrpoAttempt>[] Rules =
    [
        new(
            "grpo-ragged-works",
            "ragged grouping compares whoever made the call and drops groups of one; the reference fails",
            attempt => !attempt.IsRecorded && attempt.Actual.Count > 0 && attempt.Actual.All(group => group.Members.Count >= 2)),
        new(
            "grpo-no-padding-survivors-compare",
            "groups are never filled up with copies, and rollouts that reached a predictor are compared even when others did not",
            attempt => attempt.IsRecorded && attempt.Expected.All(expected => attempt.Actual.Any(actual => expected.Matches(actual) || expected.IsPaddingOf(actual)))
                && attempt.Actual.All(actual => attempt.Expected.Any(expected => expected.Matches(actual) || expected.IsPaddingOf(actual))
                    || (actual.Members.Count >= 2 && actual.Members.Count < attempt.GroupSize))),
        new(
            "grpo-sampled-text",
            "what is learned is the text that was sampled; the reference writes the parsed fields anew, in another format when no adapter is set",
            attempt => attempt.IsRecorded && attempt.Expected.Count == attempt.Actual.Count && attempt.Expected.All(expected => attempt.Actual.Any(actual =>
                actual.Predictor == expected.Predictor && actual.Members.Select(member => member.Reward).SequenceEqual(expected.Members.Select(member => member.Reward))
                && actual.Members.All(member => member.Completion.StartsWith("[[ ## ", StringComparison.Ordinal))))),
        new(
            "grpo-no-discarded-rollouts",
            "every group of a step is learned from in that step; the reference sends as many as the trainer asks for and discards fresh ones",
            attempt => attempt.IsRecorded && attempt.IsQueueLimited && attempt.Expected.All(expected => attempt.Actual.Any(expected.Matches))),
    ];

    public string Name => "grpo";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        return file.Items("batches").Select(Batch).Concat(file.Items("cases").Select(Case));
    }

    private static CaseResult Batch(JsonElement recorded)
    {
        var (count, perStep) = (recorded.GetProperty("trainset_size").GetInt32(), recorded.GetProperty("examples_per_step").GetInt32());
        var (length, steps) = (recorded.GetProperty("epoch_length").GetInt32(), recorded.GetProperty("steps").GetInt32());
        var selector = new ExampleSelector(count, perStep, new(0));
        var taken = Enumerable.Range(0, steps).Select(selector.Select).ToArray();
        var epochSteps = (count + perStep - 1) / perStep;
        var firstEpoch = taken.Take(epochSteps).SelectMany(step => step).ToArray();
        var uses = firstEpoch.CountBy(example => example).Select(entry => entry.Value).ToArray();
        var mismatch = taken.Any(step => step.Count != perStep) ? "a step is not full"
            : steps >= epochSteps && uses.Length != count ? "the first epoch leaves examples out"
            : steps >= epochSteps && uses.Max() - uses.Min() > 1 ? "examples are used unevenly"
            : length != epochSteps * perStep ? $"an epoch has {epochSteps * perStep} places, expected {length}"
            : null;
        return CaseResult.From($"batches-{count}-{perStep}", mismatch, new BatchAttempt(count, perStep, length, firstEpoch), BatchRules);
    }

    private static CaseResult Case(JsonElement recorded)
    {
        var options = recorded.GetProperty("options");
        var expected = recorded.Items("steps").SelectMany(step => step.Items("distinct_groups")).Select(Read).ToArray();
        var groupSize = options.GetProperty("rollouts_per_step").GetInt32();
        var actual = GrpoReplay.Groups(recorded, groupSize);
        var pending = options.GetProperty("pending_batches_per_step");
        var attempt = new GrpoAttempt(recorded.IsOk(), groupSize, pending.ValueKind == JsonValueKind.Array, expected, actual);
        var mismatch = !recorded.IsOk() ? "the reference failed here"
            : expected.FirstOrDefault(group => !actual.Any(group.Matches)) is { } missing ? $"no group of '{missing.Predictor}' with rewards {Rewards(missing)}"
            : actual.FirstOrDefault(group => !expected.Any(group.Matches)) is { } extra ? $"unexpected group of '{extra.Predictor}' with rewards {Rewards(extra)}"
            : null;
        return CaseResult.From(recorded.Id(), mismatch, attempt, Rules);
    }

    private static string Rewards(RecordedGroup group) => string.Join(", ", group.Members.Select(member => member.Reward.ToString(CultureInfo.InvariantCulture)));

    private static RecordedGroup Read(JsonElement group)
    {
        var members = group.EnumerateArray().ToArray();
        return new(
            members[0].Text("predictor")!,
            [.. members.Select(member => (member.GetProperty("completion").Text("content")!, Convert.ToDouble(VectorValues.Read(member.GetProperty("reward"), FieldType.Number), CultureInfo.InvariantCulture)))]);
    }
}
