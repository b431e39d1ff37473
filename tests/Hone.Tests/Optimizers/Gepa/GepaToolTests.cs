using System.Collections.Immutable;
using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Scenario GEPA-20: descriptions of tools as texts.</summary>
public sealed class GepaToolTests : IDisposable
{
    private const string ConvertDescription = "tool:convert#description";

    private readonly string folder = Directory.CreateTempSubdirectory("hone-gepa-tools-").FullName;

    public static TheoryData<int> Parallelisms => [1, 4, 32];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa20_A_tool_learns_when_it_is_to_be_called(int parallelism)
    {
        var evidence = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var log = new EventLog();
            var world = World();
            var program = ToolWorld.Agent().WithModel(world.Model);
            var result = await Optimizer(Options with { MaxParallelism = parallelism, Progress = log })
                .CompileAsync(program, ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);

            Assert.Equal((0, 1, StopReason.TargetReached), (result.BaselineScore!.Value, result.BestScore!.Value, result.StopReason));
            Assert.Equal(["convert"], result.Program.State.Tools.Keys);
            Assert.Contains("UNITS", result.Program.State.Tools["convert"].Description, StringComparison.Ordinal);
            Assert.Equal(program.Tools.Select(tool => tool.Value.JsonSchema.GetRawText()), result.Program.Tools.Select(tool => tool.Value.JsonSchema.GetRawText()));
            Assert.Equal(ProgramState.Default, program.State);
            Assert.Equal("Changes a text.", program.Tools[1].Value.Description);

            var path = Path.Combine(folder, "agent.json");
            await result.Program.SaveAsync(path, GepaWorld.Token);
            var loaded = await ToolWorld.Agent().WithModel(world.Model).LoadStateAsync(path, GepaWorld.Token);
            Assert.Equal(result.Program.State.Tools, loaded.State.Tools);
            Assert.Equal(result.Program.SaveState(), loaded.SaveState());
            Assert.Equal("ok", (await loaded.CallAsync(FieldMap.Of(("question", "new")), GepaWorld.Token))["answer"]);

            AssertShown(log, world);
            evidence.Add(GepaWorld.Evidence(result));
        }

        Assert.Single(evidence.Distinct());
    }

    [Fact]
    public async Task Components_come_after_the_predictors_and_change_one_at_a_time()
    {
        var log = new EventLog();
        var selector = new Watching();
        await Optimizer(Options with { Progress = log, ComponentSelector = selector })
            .CompileAsync(ToolWorld.Agent().WithModel(World().Model), ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        Assert.Equal(
            ["react", "tool:lookup#description", "tool:lookup#arg.query", ConvertDescription, "tool:convert#arg.text", "tool:convert#arg.unit"],
            selector.Components);
        Assert.Equal(["react", "tool:lookup#description", "tool:lookup#arg.query", ConvertDescription], log.Of<GepaRecordsBuilt>().Select(built => built.Data.Component));
    }

    [Fact]
    public async Task Tools_are_left_alone_unless_asked_for()
    {
        var world = World();
        var result = await Optimizer(Options with { ToolDescriptions = false })
            .CompileAsync(ToolWorld.Agent().WithModel(world.Model), ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        Assert.Empty(result.Program.State.Tools);
        Assert.Equal(0, result.BestScore);
        Assert.DoesNotContain(world.Asked, fields => fields.ContainsKey("current_description"));
        var error = await Assert.ThrowsAsync<HoneException>(() => Optimizer(Options).CompileAsync(new Lab(_ => Lab.Answer("x")).One(), Lab.Examples(3), cancellationToken: GepaWorld.Token));
        Assert.Contains("no tools", error.Message, StringComparison.Ordinal);
    }

    // An argument that nothing was said of gets words; its type and its default stay.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Gepa20_An_argument_learns_what_belongs_into_it(int parallelism)
    {
        var world = new ToolWorld(fields => fields.ContainsKey("current_instruction") ? FieldMap.Of(("new_instruction", "USE-CONVERT"))
            : FieldMap.Of(("new_description", ToolWorld.Text(fields, "described") == "the argument `unit`" ? "In METRES, as m." : "Nothing else.")));
        var metric = Metric.From<FieldMap, FieldMap>((_, output) =>
            Equals(output["answer"], "ok in m") ? new Score(1) : new Score(Equals(output["answer"], "ok") ? 0.5 : 0) { Feedback = "NEED:METRES" });
        var program = ToolWorld.Agent().WithModel(world.Model);
        var result = await new Gepa<FieldMap, FieldMap>(metric, Options with { MaxMetricCalls = 120, MaxParallelism = parallelism })
            .CompileAsync(program, ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal("In METRES, as m.", result.Program.State.Tools["convert"].Arguments["unit"]);
        var (before, after) = (program.Tools[1].Value.JsonSchema.GetRawText(), result.Program.Tools[1].Value.JsonSchema);
        var unit = after.GetProperty("properties").GetProperty("unit");
        Assert.Equal(("string", ""), (unit.GetProperty("type").GetString(), unit.GetProperty("default").GetString()));
        Assert.DoesNotContain("METRES", before, StringComparison.Ordinal);
        Assert.Contains(world.Asked, fields => ToolWorld.Text(fields, "described") == "the argument `unit`" && ToolWorld.Text(fields, "current_description") == "(none)");
    }

    [Fact]
    public async Task Cut_at_several_points_nothing_is_paid_twice()
    {
        var whole = World();
        var options = Options with { Time = new FakeTimeProvider() };
        var unbroken = await Optimizer(options).CompileAsync(ToolWorld.Agent().WithModel(whole.Model), ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        var world = World();
        var program = ToolWorld.Agent().WithModel(world.Model);
        var resumed = options with { RunDirectory = Path.Combine(folder, "run"), Resume = true };

        // A reflection that the budget refused is made from runs that the journal has.
        for (var cut = 1; cut <= whole.Asked.Count; cut++)
        {
            var budget = new OptimizationBudget { ByRole = ImmutableSortedDictionary<string, CallBudgetLimits>.Empty.Add("reflection", new() { MaxCalls = cut - 1 }) };
            await Optimizer(resumed with { Budget = budget }).CompileAsync(program, ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
            Assert.Equal(cut - 1, world.Asked.Count);
        }

        for (var cut = 1; cut < unbroken.ProgramRuns; cut += 2)
            await Optimizer(resumed with { Budget = new() { MaxProgramRuns = cut } }).CompileAsync(program, ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        var result = await Optimizer(resumed).CompileAsync(program, ToolWorld.Examples(4), ToolWorld.Examples(3, "v"), GepaWorld.Token);
        Assert.Equal(GepaWorld.Evidence(unbroken), GepaWorld.Evidence(result));
        Assert.Equal(whole.Client.Requests.Count, world.Client.Requests.Count);
        Assert.Equal(whole.Asked.Select(fields => $"{fields}").Order(), world.Asked.Select(fields => $"{fields}").Order());
    }

    private static GepaOptions Options => new() { MaxMetricCalls = 60, ToolDescriptions = true };

    private static Gepa<FieldMap, FieldMap> Optimizer(GepaOptions options) => new(
        Metric.From<FieldMap, FieldMap>((_, output) => Equals(output["answer"], "ok")
            ? new Score(1) { Feedback = "Solved." }
            : new Score(0) { Feedback = "NEED:UNITS in the tool convert" }),
        options);

    private static ToolWorld World() => new(fields =>
    {
        if (fields.ContainsKey("current_instruction"))
            return FieldMap.Of(("new_instruction", "Try harder."));
        var current = ToolWorld.Text(fields, "current_description");
        var isRight = ToolWorld.Text(fields, "tool").StartsWith("convert:", StringComparison.Ordinal) && ToolWorld.Text(fields, "described") == "the tool"
            && ToolWorld.Text(fields, "examples").Contains("NEED:UNITS", StringComparison.Ordinal);
        return FieldMap.Of(("new_description", $"```\n{current} {(isRight ? "For UNITS." : "Carefully.")}\n```"));
    });

    // What the agent did, what it was given for it, and what else it could have called.
    private static void AssertShown(EventLog log, ToolWorld world)
    {
        var data = log.Of<GepaRecordsBuilt>().First(built => built.Data.Component == ConvertDescription).Data;
        Assert.Equal(("convert", null, "Changes a text."), (data.Tool!.Path, data.Tool.Argument, data.CurrentText));
        var request = world.Asked.First(fields => ToolWorld.Text(fields, "tool").StartsWith("convert:", StringComparison.Ordinal));
        var examples = ToolWorld.Text(request, "examples");
        Assert.Contains("\"tool\": \"lookup\"", examples, StringComparison.Ordinal);
        Assert.Contains("\"query\": \"t", examples, StringComparison.Ordinal);
        Assert.Contains("\"error\": \"The tool 'lookup' failed: no page on t", examples, StringComparison.Ordinal);
        Assert.Contains("NEED:UNITS", examples, StringComparison.Ordinal);
        Assert.Contains("lookup: Looks something up.", ToolWorld.Text(request, "other_tools"), StringComparison.Ordinal);
        Assert.DoesNotContain("convert:", ToolWorld.Text(request, "other_tools"), StringComparison.Ordinal);
        Assert.Equal("Changes a text.", ToolWorld.Text(request, "current_description"));
    }

    private sealed class Watching : IComponentSelector
    {
        public string Name => "watching";

        public IReadOnlyList<string> Components { get; private set; } = [];

        public ImmutableArray<string> Select(ComponentChoice choice, Random random)
        {
            Components = choice.Pool.Components;
            return ComponentSelectors.RoundRobin.Select(choice, random);
        }
    }
}
