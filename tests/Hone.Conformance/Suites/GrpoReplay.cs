using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>Runs the recorded two-step program on its script and groups the calls as Hone does.</summary>
internal static class GrpoReplay
{
    public static IReadOnlyList<RecordedGroup> Groups(JsonElement recorded, int groupSize)
    {
        var options = recorded.GetProperty("options");
        var failureScore = options.GetProperty("failure_score").GetDouble();
        var formatFailureScore = options.GetProperty("format_failure_score").GetDouble();
        var settings = new GroupingSettings(
            Enum.Parse<GroupingMode>(options.Text("grouping")!, ignoreCase: true),
            options.Text("fill") switch { "max" => FillStrategy.Last, null => null, _ => FillStrategy.Random },
            failureScore,
            formatFailureScore);
        var groups = new List<RecordedGroup>();
        foreach (var question in recorded.GetProperty("script").EnumerateObject())
        {
            foreach (var rollouts in question.Value.EnumerateArray().Chunk(groupSize))
            {
                var rolled = rollouts.Select((script, index) => Roll(question.Name, script, index, failureScore, formatFailureScore)).ToArray();
                groups.AddRange(RolloutGrouper.Group(rolled, rolled.Length, ["plan", "solve"], settings, new(0)).Groups.Select(Describe));
            }
        }

        return groups;
    }

    private static RecordedGroup Describe(RolloutGroup group) =>
        new(group.Predictor, [.. group.Members.Select(member => (member.Call.Text, member.Reward!.Value))]);

    private static Rollout Roll(string question, JsonElement script, int index, double failureScore, double formatFailureScore)
    {
        string[] completions = [.. script.EnumerateArray().Select(item => item.GetString()!)];
        var client = ScriptedChatClient.By((_, call) => completions[call].StartsWith('!') ? throw new IOException("scripted failure") : completions[call]);
        var program = new TwoStep().WithModel(new LM(client) { Retry = null });
        var metric = Metric.From<string, string>((_, answer) => double.Parse(answer, CultureInfo.InvariantCulture));
        var collector = new RolloutCollector<string, string>(metric, new(1, 1, failureScore, formatFailureScore, new()), TimeProvider.System);
        var batch = collector.CollectAsync([program], [new(question, "")], [0], new(index), new(), default).GetAwaiter().GetResult();
        return batch.Rollouts[0] with { RolloutIndex = index };
    }

    /// <summary>Plans how often to try, tries as often, and answers with the last try, or 0 without any.</summary>
    private sealed class TwoStep : Module<string, string>
    {
        private readonly Predict plan = Predict.Parse("question -> times: int");
        private readonly Predict solve = Predict.Parse("question, attempt: int -> thought, answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            var planned = await plan.CallAsync(FieldMap.Of(("question", input)), cancellationToken);
            var answer = "0";
            for (var attempt = 0L; attempt < (long)planned["times"]!; attempt++)
                answer = (string)(await solve.CallAsync(FieldMap.Of(("question", input), ("attempt", attempt)), cancellationToken))["answer"]!;
            return answer;
        }
    }
}
