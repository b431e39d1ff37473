using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using static Hone.Tests.Modules.Agents.AgentScript;

namespace Hone.Tests.Modules.Agents;

public sealed class ToolTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));
    private static readonly string Done = Turn("done", ("submit", """{"answer": "x"}"""));

    private enum Unit
    {
        Metre,
        Mile,
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_AreMendedToTheTypesOfTheTool()
    {
        FieldMap? seen = null;
        var tool = AIFunctionFactory.Create(
            (int count, double weight, bool exact, string text, string[] names, Unit unit, int? limit = null) =>
            {
                seen = FieldMap.Of(
                    ("count", count), ("weight", weight), ("exact", exact), ("text", text), ("names", string.Join("+", names)), ("unit", unit), ("limit", limit));
            },
            "measure",
            serializerOptions: new(AIJsonUtilities.DefaultOptions) { Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() } });
        await RunAsync(tool, """{"count": "3", "weight": 2, "exact": "true", "text": 5, "names": ["a", "b"], "unit": "Mile", "limit": null}""");

        Assert.NotNull(seen);
        Assert.Equal(
            FieldMap.Of(("count", 3), ("weight", 2d), ("exact", true), ("text", "5"), ("names", "a+b"), ("unit", Unit.Mile), ("limit", null)).ToString(), seen.ToString());
    }

    [Fact]
    public async Task Arguments_OutOfAList_SayWhatIsAllowed()
    {
        var tool = AIFunctionFactory.Create(
            (Unit unit) => unit, "convert",
            serializerOptions: new(AIJsonUtilities.DefaultOptions) { Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() } });
        var told = await RunAsync(tool, """{"unit": "Yard"}""");

        Assert.True(told.IsError);
        Assert.Contains("'unit'", (string)told.Value!, StringComparison.Ordinal);
        Assert.Contains("Mile", (string)told.Value!, StringComparison.Ordinal);
    }

    /// <summary>D13: what a tool does not require is not required, whatever its default.</summary>
    [Fact]
    public async Task D13_OptionalArgument_MayBeLeftOut() => Assert.Equal(3L, (await RunAsync(Add, """{"a": 1}""")).Value);

    /// <summary>D14: every call goes through the checks, and asynchronous tools are awaited.</summary>
    [Fact]
    public async Task D14_AsynchronousTool_IsAwaited()
    {
        var tool = AIFunctionFactory.Create(
            async (string x) =>
            {
                await Task.Yield();
                return new { Found = x };
            },
            "find");
        Assert.Equal(FieldMap.Of(("found", "y")), (await RunAsync(tool, """{"x": "y"}""")).Value);
    }

    [Fact]
    public async Task Timeout_IsTold_AndTheToolLeftBehind()
    {
        var time = new FakeTimeProvider();
        var never = new TaskCompletionSource();
        var tool = AIFunctionFactory.Create(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(6));
                await never.Task;
            },
            "wait").WithTimeout(TimeSpan.FromSeconds(5));
        var client = ScriptedChatClient.InSequence(Turn("wait", ("wait", "{}")), Done);
        var program = new Probe(ReAct.Parse("question -> answer", [tool])).WithModel(client).WithTime(time);
        var result = await program.CallAsync(Question, Token);

        Assert.Equal("The tool 'wait' took longer than 5 s and was stopped.", result.Steps[0].Results.Results[0].Value);
    }

    [Fact]
    public async Task Approval_IsAskedFor()
    {
        var tool = new ApprovalRequiredAIFunction(Add);
        Assert.Contains("ApproveAsync", Assert.Throws<HoneException>(() => ReAct.Parse("question -> answer", [tool])).Message, StringComparison.Ordinal);
        var options = new ReActOptions { ApproveAsync = (call, _) => ValueTask.FromResult(call.Arguments["a"] is 1L) };

        Assert.Equal(3L, (await RunAsync(tool, """{"a": 1}""", options)).Value);
        Assert.Equal("The call of 'add' was not approved.", (await RunAsync(tool, """{"a": 2}""", options)).Value);
    }

    [Fact]
    public async Task Secrets_InErrors_AreScrubbed()
    {
        var tool = AIFunctionFactory.Create(int () => throw new InvalidOperationException("401 for api_key=sk-abcdefghijklmnop"), "call");

        Assert.DoesNotContain("abcdefghij", (string)(await RunAsync(tool, "{}")).Value!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task State_RewordsTools_AtCallTime_AndKeepsTheirShape()
    {
        var (client, model) = NativeModel(Calls(("plus", new { a = 1 })), Calls(("submit", new { answer = "3" })));
        var program = ReAct.Parse("question -> answer", [Add, Fail]).WithModel(model);
        Assert.Equal(["add", "fail"], program.Tools.Select(tool => tool.Key));
        Assert.Equal("Adds two numbers.", program.Tools[0].Value.Description);

        var text = new ToolText { Name = "plus", Description = "Sums.", Arguments = ToolText.Default.Arguments.Add("a", "the first") };
        var tuned = program.With(program.State.WithTool("add", text));
        await tuned.CallAsync(Question, Token);

        var shown = Assert.IsType<AIFunction>(client.Requests[0].Options!.Tools![0], exactMatch: false);
        Assert.Equal(("plus", "Sums."), (shown.Name, shown.Description));
        var properties = shown.JsonSchema.GetProperty("properties");
        Assert.Equal("the first", properties.GetProperty("a").GetProperty("description").GetString());
        Assert.Equal("integer", properties.GetProperty("a").GetProperty("type").GetString());
        Assert.True(JsonElement.DeepEquals(Add.JsonSchema.GetProperty("required"), shown.JsonSchema.GetProperty("required")));
        Assert.Equal(("add", "plus"), (tuned.Tools[0].Key, tuned.Tools[0].Value.Name));
        Assert.Equal("add", program.Tools[0].Value.Name);
        Assert.Equal("3", client.Requests[1].Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Single().Result);
    }

    [Theory]
    [InlineData("seek", null, null, "The state has a tool 'seek' that module ReAct lacks. It has: add, fail.")]
    [InlineData("add", "two words", null, "The state calls the tool 'add' 'two words'.")]
    [InlineData("add", "submit", null, "'submit', which ReAct needs for itself")]
    [InlineData("add", "fail", null, "both called 'fail'")]
    [InlineData("add", null, "z", "an argument 'z' that the tool 'add' lacks. It has: a, b.")]
    public void State_ThatDoesNotFit_IsRefused(string path, string? name, string? argument, string expected)
    {
        var program = ReAct.Parse("question -> answer", [Add, Fail]).WithModel(ScriptedChatClient.InSequence());
        var text = new ToolText { Name = name, Arguments = argument is null ? ToolText.Default.Arguments : ToolText.Default.Arguments.Add(argument, "?") };

        Assert.Contains(expected, Assert.Throws<HoneException>(() => program.With(program.State.WithTool(path, text))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void State_IsSavedAndLoaded()
    {
        var program = new Probe(ReAct.Parse("question -> answer", [Add])).WithModel(ScriptedChatClient.InSequence());
        Assert.Equal(["agent.react"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(["agent.add"], program.Tools.Select(tool => tool.Key));
        var demo = new Demo(FieldMap.Of(("question", "q"), ("tools", ClrValues.List([Add])), ("next_thought", "t"), ("tool_calls", ToolValues.Of(ToolCalls.Empty))));
        var state = program.State
            .WithTool("agent.add", new() { Name = "plus", Description = "Sums.", Arguments = ToolText.Default.Arguments.Add("b", "second").Add("a", "first") })
            .With("agent.react", new() { Instructions = "Go.", Demos = [demo] });
        var loaded = program.LoadState(program.With(state).SaveState()).State;

        Assert.Equal(state.Tools, loaded.Tools);
        Assert.Equal("Go.", loaded["agent.react"].Instructions);
        Assert.Equal(["question", "next_thought", "tool_calls"], loaded["agent.react"].Demos[0].Fields.Keys);
        Assert.NotEqual(program.State, state);

        var other = new Probe(ReAct.Parse("question -> answer", [Fail])).WithModel(ScriptedChatClient.InSequence());
        var saved = program.With(state).SaveState();
        Assert.Contains("'agent.add'", Assert.Throws<HoneException>(() => other.LoadState(saved)).Message, StringComparison.Ordinal);
        Assert.Empty(other.LoadState(saved, options: new() { IsStrict = false }).State.Tools);

        var changed = saved.Replace("\"b\": \"second\"", "\"c\": \"third\"", StringComparison.Ordinal);
        Assert.Contains("has no argument 'c'", Assert.Throws<HoneException>(() => program.LoadState(changed)).Message, StringComparison.Ordinal);
        Assert.Equal(["a"], program.LoadState(changed, options: new() { IsStrict = false }).State.Tools["agent.add"].Arguments.Keys);
    }

    [Fact]
    public async Task AsTool_AProgram_IsAToolOfAnAgent_AndCountsInItsRun()
    {
        var client = ScriptedChatClient.InSequence(
            Turn("ask", ("capital", """{"input": "France"}""")), "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]", Turn("done", ("submit", """{"answer": "Paris"}""")));
        var tool = new Predict<string, string>("Name the capital.").WithModel(client).AsTool("capital");
        Assert.Equal("Name the capital.", tool.Description);
        Assert.Equal("input", tool.JsonSchema.GetProperty("required")[0].GetString());
        var run = await ReAct.Parse("question -> answer", [tool]).WithModel(client).RunAsync(Question, null, Token);

        Assert.Equal(["react", "react"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal("Paris", Assert.Single(run.Trace.Nested).Outputs!["answer"]);
        Assert.Equal(3, run.Usage.Calls);
    }

    /// <summary>D14: calls that a predictor chose are run as an agent runs them.</summary>
    [Fact]
    public async Task D14_RunAsync_OfToolCalls_ChecksArguments()
    {
        var calls = new ToolCalls([new("add", FieldMap.Of(("a", "4"))), new("add", FieldMap.Empty), new("gone", FieldMap.Empty) { Id = "7" }]);
        var results = (await calls.RunAsync([Add], cancellationToken: Token)).Results;

        Assert.Equal([6L, "The tool 'add' needs the argument 'a'. Its arguments are: a, b (optional).", "There is no tool 'gone'. The tools are: add."], results.Select(each => each.Value));
        Assert.Equal("7", results[2].CallId);
    }

    [Fact]
    public async Task Observer_SeesTools()
    {
        var log = new ToolLog();
        var client = ScriptedChatClient.InSequence(Turn("add", ("add", """{"a": 1}""")), Done);
        await ReAct.Parse("question -> answer", [Add]).WithModel(client).WithObserver(log).CallAsync(Question, Token);

        Assert.Equal(["add"], log.Names);
    }

    private static async Task<ToolResult> RunAsync(AIFunction tool, string arguments, ReActOptions? options = null)
    {
        using var scope = HoneScope.Use(ScriptedChatClient.InSequence(Turn("try", (tool.Name, arguments)), Done));
        var result = await ReAct.Parse("question -> answer", [tool], options: options).RunAsync(Question, cancellationToken: Token);
        return result.Steps[0].Results.Results[0];
    }

    private sealed class Probe(ReAct agent) : Module<FieldMap, AgentResult<FieldMap>>
    {
        protected override Task<AgentResult<FieldMap>> ForwardAsync(FieldMap input, CancellationToken cancellationToken) =>
            agent.RunAsync(input, cancellationToken: cancellationToken);
    }

    private sealed class ToolLog : IHoneObserver
    {
        public List<string> Names { get; } = [];

        public void OnStarted(CallStarted call)
        {
            if (call.Kind == CallKind.Tool)
                Names.Add(call.Name);
        }

        public void OnEnded(CallEnded call)
        {
        }
    }
}
