using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Avatar;

/// <summary>Scenario AVA-1 on an agent with tools.</summary>
public sealed class AvatarAgentTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task An_agent_is_compared_by_what_it_did(int parallelism)
    {
        var world = World();
        var program = ToolWorld.Agent(AgentPrompt.Avatar).WithModel(world.Model);
        var result = await new AvatarOptimizer<FieldMap, FieldMap>(Metric, new() { MaxParallelism = parallelism })
            .CompileAsync(program, ToolWorld.Examples(4), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal((0.25, 1, StopReason.TargetReached), (result.BaselineScore!.Value, result.BestScore!.Value, result.StopReason));
        Assert.Contains("USE-CONVERT", result.Program.State["react"].Instructions, StringComparison.Ordinal);
        Assert.Empty(result.Program.State.Tools);
        var compared = world.Asked.Single(fields => fields.ContainsKey("positives"));
        Assert.Contains("You are an actor.", ToolWorld.Text(compared, "instruction"), StringComparison.Ordinal);
        Assert.Contains("lookup: Looks something up.", ToolWorld.Text(compared, "tools"), StringComparison.Ordinal);
        Assert.Contains("convert: Changes a text.", ToolWorld.Text(compared, "tools"), StringComparison.Ordinal);
        var negatives = ToolWorld.Text(compared, "negatives");
        Assert.Contains("\"tool\": \"lookup\"", negatives, StringComparison.Ordinal);
        Assert.Contains("\"error\": \"The tool 'lookup' failed: no page on t2\"", negatives, StringComparison.Ordinal);
        Assert.Contains("\"tool\": \"submit\"", negatives, StringComparison.Ordinal);
        Assert.Contains("t1", ToolWorld.Text(compared, "positives"), StringComparison.Ordinal);
    }

    // t1 does not mind what it gets.
    private static Metric<FieldMap, FieldMap> Metric { get; } =
        Hone.Metric.From<FieldMap, FieldMap>((example, output) => example.Id == "t1" || Equals(output["answer"], "ok"));

    private static ToolWorld World() => new(fields => fields.ContainsKey("positives")
        ? FieldMap.Of(("feedback", "The good runs converted."))
        : FieldMap.Of(("new_instruction", "```\nUSE-CONVERT and submit.\n```")));
}
