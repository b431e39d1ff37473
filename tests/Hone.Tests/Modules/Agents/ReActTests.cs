using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;
using static Hone.Tests.Modules.Agents.AgentScript;

namespace Hone.Tests.Modules.Agents;

public sealed record Sum(int Total);

public sealed class ReActTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "What is 1 + 2?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_TextProtocol_CallsToolsAndSubmits()
    {
        var client = ScriptedChatClient.InSequence(
            Turn("add them", ("add", """{"a": 1, "b": 2}""")), Turn("done", ("submit", """{"answer": "3"}""")));
        using var scope = HoneScope.Use(client);
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(AgentStopReason.Submitted, result.Reason);
        Assert.Equal("3", result.Output!["answer"]);
        Assert.Equal(["add them", "done"], result.Steps.Select(step => step.Thought));
        Assert.Equal(3L, result.Steps[0].Results.Results[0].Value);
        Assert.Contains("\"name\": \"add\"", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Contains("What is 1 + 2?", client.Requests[0].LastText, StringComparison.Ordinal);

        // The inputs stand in the first turn of the conversation, and nowhere else.
        var second = client.Requests[1].Messages;
        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User, ChatRole.User], second.Select(message => message.Role));
        Assert.Contains("What is 1 + 2?", second[1].Text, StringComparison.Ordinal);
        Assert.Contains("\"value\": 3", second[3].Text, StringComparison.Ordinal);
        Assert.DoesNotContain("What is 1 + 2?", second[4].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_NativeTools_GivesToolsAsToolsAndResultsAsResults()
    {
        var (client, model) = NativeModel(Calls(("add", new { a = 1, b = 2 }), ("add", new { a = 5 })), Calls(("submit", new { answer = "3 and 7" })));
        using var scope = HoneScope.Use(model);
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal("3 and 7", result.Output!["answer"]);
        Assert.Equal(["add", "submit"], client.Requests[0].Options!.Tools!.Select(tool => tool.Name));
        Assert.DoesNotContain("tool_calls", client.Requests[0].LastText, StringComparison.Ordinal);
        var second = client.Requests[1].Messages;
        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Tool, ChatRole.User], second.Select(message => message.Role));
        Assert.Equal(["id0", "id1"], second[2].Contents.OfType<FunctionCallContent>().Select(call => call.CallId));
        Assert.Equal(["3", "7"], second.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Select(each => each.Result));
    }

    /// <summary>What is known to be too long is not sent: the oldest turns are left out before, and nothing of what is kept is lost.</summary>
    [Fact]
    public async Task RunAsync_TokenBudget_LeavesOutTheOldestTurnsBeforehand()
    {
        var counted = new List<string>();
        var say = AIFunctionFactory.Create((int n) => $"turn {n} " + new string('x', 400), "say");
        var client = ScriptedChatClient.By((_, index) => index < 5 ? Turn($"t{index}", ("say", $$"""{"n": {{index}}}""")) : Turn("done", ("submit", """{"answer": "3"}""")));
        using var scope = HoneScope.Use(client);
        var options = new ReActOptions { MaxContextTokens = 1500, CountTokens = text => { counted.Add(text); return text.Length; } };
        var result = await ReAct.Parse("question -> answer", [say], options: options).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(6, client.Requests.Count);
        var last = string.Join('\n', client.Requests[5].Messages.Skip(1).Select(message => message.Text));
        Assert.DoesNotContain("turn 0", last, StringComparison.Ordinal);
        Assert.Contains("turn 4", last, StringComparison.Ordinal);
        Assert.Contains("What is 1 + 2?", last, StringComparison.Ordinal);
        Assert.Equal((6, 6), (result.Steps.Length, result.History.Turns.Length));
        Assert.Contains("turn 0", result.History.ToJson(), StringComparison.Ordinal);
        Assert.NotEmpty(counted);
    }

    /// <summary>One turn alone may be too long by the estimate: that is for the provider to say.</summary>
    [Fact]
    public async Task RunAsync_TokenBudget_KeepsTheLastTurn()
    {
        var client = ScriptedChatClient.InSequence(Turn("add", ("add", """{"a": 1}""")), Turn("done", ("submit", """{"answer": "3"}""")));
        using var scope = HoneScope.Use(client);
        var result = await ReAct.Parse("question -> answer", [Add], options: new() { MaxContextTokens = 1 }).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(AgentStopReason.Submitted, result.Reason);
        Assert.Contains(client.Requests[1].Messages, message => message.Text.Contains("\"value\": 3", StringComparison.Ordinal));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReActOptions { MaxContextTokens = 0 });
    }

    /// <summary>A reducer of the chat client's own library stands around the client; the agent keeps everything.</summary>
    [Fact]
    public async Task RunAsync_ReducerAroundTheClient_ShortensWhatIsSent()
    {
        var say = AIFunctionFactory.Create((int n) => $"turn {n}", "say");
        var client = ScriptedChatClient.By((_, index) => index < 4 ? Turn($"t{index}", ("say", $$"""{"n": {{index}}}""")) : Turn("done", ("submit", """{"answer": "3"}""")));
#pragma warning disable MEAI001 // Reducers are experimental there.
        using var scope = HoneScope.Use(client.AsBuilder().UseChatReducer(new LastMessages(4)).Build());
#pragma warning restore MEAI001
        var result = await ReAct.Parse("question -> answer", [say]).RunAsync(Question, cancellationToken: Token);

        Assert.Equal("3", result.Output!["answer"]);
        Assert.Equal(5, client.Requests[^1].Messages.Count());
        Assert.DoesNotContain(client.Requests[^1].Messages, message => message.Text.Contains("turn 0", StringComparison.Ordinal));
        Assert.Contains("turn 0", result.History.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OutOfTurns_WarnsOnce_WithPathAndReason()
    {
        var log = new ListLogger();
        var client = ScriptedChatClient.InSequence(Turn("more", ("add", """{"a": 1}""")), Turn("done", ("submit", """{"answer": "3"}""")));
        await ReAct.Parse("question -> answer", [Add], options: new() { MaxSteps = 1 }).WithModel(client).WithLogger(log).CallAsync(Question, Token);
        Assert.Equal(
            "ReAct 'self' stopped without an end of its own after 2 steps: its turns were used up, so it was made to submit, and did.", Assert.Single(log.Warnings));

        var calm = new ListLogger();
        var good = ScriptedChatClient.InSequence(Turn("done", ("submit", """{"answer": "3"}""")));
        await Agent(Add).WithModel(good).WithLogger(calm).CallAsync(Question, Token);
        Assert.Empty(calm.Warnings);
    }

    [Fact]
    public async Task RunAsync_UseNativeToolsFalse_WritesToolsAsText()
    {
        var client = ScriptedChatClient.InSequence(Turn("done", ("submit", """{"answer": "3"}""")));
        using var scope = HoneScope.Use(new LM(client) { Capabilities = Native });
        await ReAct.Parse("question -> answer", [Add], options: new() { UseNativeTools = false }).RunAsync(Question, cancellationToken: Token);

        Assert.Null(client.Requests[0].Options!.Tools);
        Assert.Contains("submit", client.Requests[0].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_Typed_GivesTheRecord()
    {
        var client = ScriptedChatClient.InSequence(Turn("done", ("submit", """{"total": "3"}""")));
        var program = new ReAct<Ask, Sum>("Sum up.", [Add]).WithModel(client);

        Assert.Equal(new Sum(3), await program.CallAsync(new("1 + 2?", []), Token));
        Assert.Equal(["react"], program.Predictors.Select(predictor => predictor.Key));
        Assert.StartsWith("Sum up.\n\n", program.Predictors[0].Value.Instructions, StringComparison.Ordinal);
    }

    /// <summary>Whatever goes wrong with a tool is told to the model, in a sentence and without a stack.</summary>
    [Theory]
    [InlineData("fail", """{"x": "me"}""", "The tool 'fail' failed: no luck with me")]
    [InlineData("nothing", "{}", "There is no tool 'nothing'. The tools are: add, fail, submit.")]
    [InlineData("add", "{}", "The tool 'add' needs the argument 'a'. Its arguments are: a, b (optional).")]
    [InlineData("add", """{"a": "one"}""", "The argument 'a' of the tool 'add' does not fit: expected integer, found \"one\". Its arguments are: a, b (optional).")]
    [InlineData("add", """{"a": 1, "c": 2}""", "The tool 'add' has no argument 'c'. Its arguments are: a, b (optional).")]
    [InlineData("submit", """{"ansver": "3"}""", "The outputs were not accepted: no value for answer; found none. Expected answer. Call `submit` again with every output.")]
    public async Task RunAsync_ToolError_IsFedBack(string tool, string arguments, string expected)
    {
        var client = ScriptedChatClient.InSequence(Turn("try", (tool, arguments)), Turn("give up", ("submit", """{"answer": "?"}""")));
        using var scope = HoneScope.Use(client);
        var result = await Agent(Add, Fail).RunAsync(Question, cancellationToken: Token);

        var told = Assert.Single(result.Steps[0].Results.Results);
        Assert.True(told.IsError);
        Assert.Equal(expected, told.Value);
        Assert.DoesNotContain("   at ", client.Requests[1].Messages[3].Text, StringComparison.Ordinal);
        Assert.Equal(AgentStopReason.Submitted, result.Reason);
    }

    [Fact]
    public async Task RunAsync_StepsUsedUp_IsMadeToSubmit()
    {
        var client = ScriptedChatClient.InSequence(
            Turn("a", ("add", """{"a": 1}""")), Turn("b", ("add", """{"a": 2}""")), Turn("well", ("add", """{"a": 3}"""), ("submit", """{"answer": "4"}""")));
        using var scope = HoneScope.Use(client);
        var result = await Agent(Add).RunAsync(Question, maxSteps: 2, cancellationToken: Token);

        Assert.Equal((AgentStopReason.ForcedSubmit, AgentStopReason.MaxSteps), (result.Reason, result.Cause));
        Assert.Equal("4", result.Output!["answer"]);
        Assert.Contains("This is the last turn.", client.Requests[2].LastText, StringComparison.Ordinal);
        Assert.DoesNotContain("\"name\": \"add\"", client.Requests[2].LastText, StringComparison.Ordinal);
        Assert.True(result.Steps[2].Results.Results[0].IsError);
        Assert.DoesNotContain(HoneScope.Current!.Trace.Calls, call => call.Inputs.ContainsKey("hint_"));
    }

    [Fact]
    public async Task RunAsync_MadeToSubmitNatively_AsksForThatToolAndNoThoughts()
    {
        var (client, model) = NativeModel(Calls(("add", new { a = 1 })), Calls(("submit", new { answer = "4" })));
        using var scope = HoneScope.Use(model with { Capabilities = Native with { Reasoning = true }, Options = new() { ReasoningEffort = ReasoningEffort.High } });
        var result = await Agent(Add).RunAsync(Question, maxSteps: 1, cancellationToken: Token);

        Assert.Equal(AgentStopReason.ForcedSubmit, result.Reason);
        Assert.NotNull(client.Requests[0].Options!.Reasoning);
        Assert.Equal("submit", Assert.IsType<RequiredChatToolMode>(client.Requests[1].Options!.ToolMode).RequiredFunctionName);
        Assert.Null(client.Requests[1].Options!.Reasoning);
    }

    /// <summary>Arguments that the client could not read are an error for the model, never a call without arguments.</summary>
    [Fact]
    public async Task RunAsync_ArgumentsThatAreNoJson_AreToldToTheModel()
    {
        var broken = new ChatResponse(new ChatMessage(
            ChatRole.Assistant, [new FunctionCallContent("id0", "add") { Exception = new InvalidOperationException("Error parsing", new FormatException("'x' is no JSON")) }]));
        var (client, model) = NativeModel(broken, Calls(("submit", new { answer = "4" })));
        using var scope = HoneScope.Use(model);
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal("4", result.Output!["answer"]);
        var told = Assert.Single(result.Steps[0].Results.Results);
        Assert.True(told.IsError);
        Assert.Contains("was not run: the arguments are no JSON object: 'x' is no JSON", (string)told.Value!, StringComparison.Ordinal);
        Assert.Contains("no JSON object", Assert.Single(client.Requests[1].Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>()).Result!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>A submission that nobody could read is not one that leaves everything out.</summary>
    [Fact]
    public async Task RunAsync_SubmitThatIsNoJson_IsNotAnEmptySubmission()
    {
        var unread = new InvalidOperationException("Error parsing", new FormatException("'x' is no JSON."));
        var broken = new ChatResponse(new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("id0", "submit") { Exception = unread }]));
        var (_, model) = NativeModel(broken, Calls(("submit", new { answer = "4" })));
        using var scope = HoneScope.Use(model);
        var result = await ReAct.Parse("question -> answer: Optional[str]", [Add]).RunAsync(Question, cancellationToken: Token);

        Assert.Equal((AgentStopReason.Submitted, 2, "4"), (result.Reason, result.Steps.Length, result.Output!["answer"]));
        var told = Assert.Single(result.Steps[0].Results.Results);
        Assert.True(told.IsError);
        Assert.Equal(
            "The outputs were not accepted: the arguments are no JSON object: 'x' is no JSON. Call `submit` again with its arguments as one JSON object.", told.Value);
    }

    [Fact]
    public async Task RunAsync_NoToolCalls_StopsAndSaysSo()
    {
        var client = ScriptedChatClient.InSequence(Turn("it is 3"), Turn("still 3"));
        using var scope = HoneScope.Use(client);
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(AgentStopReason.NoToolCalls, result.Reason);
        Assert.False(result.HasOutput);
        Assert.Null(result.Output);
    }

    [Fact]
    public async Task CallAsync_WithoutOutputs_ThrowsWithTheReasonAndTheTurns()
    {
        var program = Agent(Add).WithModel(ScriptedChatClient.By((_, _) => "no format at all")).WithRecovery(RecoveryPolicy.None);
        var error = await Assert.ThrowsAsync<AgentException>(() => program.CallAsync(Question, Token));

        Assert.Equal(AgentStopReason.UnreadableTurn, error.Reason);
        Assert.Contains("react", error.Message, StringComparison.Ordinal);
        Assert.Empty(error.Steps);
        Assert.Empty(error.History.Turns);
    }

    /// <summary>D29: turns are left out of what is sent, never of what is returned, and the inputs stay.</summary>
    [Fact]
    public async Task D29_ContextOverflow_LeavesOutOlderTurns()
    {
        string[] turns = [Turn("t0", ("add", """{"a": 1}""")), Turn("t1", ("add", """{"a": 2}""")), Turn("t2", ("add", """{"a": 3}""")), Turn("t3", ("submit", """{"answer": "x"}"""))];
        var next = 0;
        var client = ScriptedChatClient.ByAsync((request, _, _) => request.Messages.Length > 8
            ? throw new ContextWindowExceededException("too long")
            : Task.FromResult(ScriptedChatClient.Respond(turns[next++])));
        using var scope = HoneScope.Use(new LM(client) { Retry = null });
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(AgentStopReason.Submitted, result.Reason);
        Assert.Equal(["t0", "t1", "t2", "t3"], result.Steps.Select(step => step.Thought));
        Assert.Equal(4, result.History.Turns.Length);
        var last = client.Requests[^1].Messages;
        Assert.Contains("What is 1 + 2?", last[1].Text, StringComparison.Ordinal);
        Assert.DoesNotContain(last, message => message.Text.Contains("t0", StringComparison.Ordinal));
        Assert.Contains(last, message => message.Text.Contains("t2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_NothingFits_StopsWithTheReason()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new ContextWindowExceededException("too long"));
        using var scope = HoneScope.Use(new LM(client) { Retry = null });
        var result = await Agent(Add).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(AgentStopReason.ContextWindowExceeded, result.Reason);
        Assert.Equal(2, client.Requests.Count);
    }

    [Fact]
    public async Task RunAsync_WithHistory_GoesOn()
    {
        var client = ScriptedChatClient.InSequence(
            Turn("one", ("submit", """{"answer": "3"}""")), Turn("two", ("submit", """{"answer": "4"}""")));
        using var scope = HoneScope.Use(client);
        var earlier = await Agent(Add).RunAsync(Question, cancellationToken: Token);
        var later = await Agent(Add).RunAsync(FieldMap.Of(("question", "And plus 1?")), earlier.History, cancellationToken: Token);

        Assert.Equal("4", later.Output!["answer"]);
        Assert.Single(earlier.History.Turns);
        Assert.Equal(2, later.History.Turns.Length);
        Assert.Single(later.Steps);
        var messages = client.Requests[1].Messages;
        Assert.Contains("What is 1 + 2?", messages[1].Text, StringComparison.Ordinal);
        Assert.Contains("And plus 1?", messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HistoryJson_RoundTrip_IsTheSameConversation()
    {
        var (_, model) = NativeModel(Calls(("add", new { a = 1, b = 2 })), Calls(("submit", new { answer = "3" })));
        using var scope = HoneScope.Use(model);
        var history = (await Agent(Add).RunAsync(Question, cancellationToken: Token)).History;

        Assert.Equal(history, HistoryJson.Parse(history.ToJson()));
        Assert.Contains("list of turns", Assert.Throws<HoneException>(() => HistoryJson.Parse("[1]")).Message, StringComparison.Ordinal);
        Assert.Contains("not JSON", Assert.Throws<HoneException>(() => HistoryJson.Parse("turns")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SeveralCalls_RunAtOnceAndKeepTheirOrder()
    {
        var started = new[] { new TaskCompletionSource(), new TaskCompletionSource() };
        var meet = AIFunctionFactory.Create(
            async (int me) =>
            {
                started[me].SetResult();
                await started[1 - me].Task;
                return me;
            },
            "meet");
        var client = ScriptedChatClient.InSequence(Turn("both", ("meet", """{"me": 0}"""), ("meet", """{"me": 1}""")), Turn("done", ("submit", """{"answer": "x"}""")));
        using var scope = HoneScope.Use(client);
        var result = await Agent(meet).RunAsync(Question, cancellationToken: Token);

        Assert.Equal([0L, 1L], result.Steps[0].Results.Results.Select(each => each.Value));
    }

    [Fact]
    public async Task RunAsync_Cancelled_Throws()
    {
        using var stop = new CancellationTokenSource();
        var cancel = AIFunctionFactory.Create(
            (CancellationToken token) =>
            {
                stop.Cancel();
                token.ThrowIfCancellationRequested();
            },
            "cancel");
        using var scope = HoneScope.Use(ScriptedChatClient.InSequence(Turn("stop", ("cancel", "{}"))));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Agent(cancel).RunAsync(Question, cancellationToken: stop.Token));
    }

    /// <summary>D29: a tool may be called anything but what ends the task; it does not quietly take its place.</summary>
    [Fact]
    public void D29_ToolNamedSubmit_IsRefused()
    {
        var error = Assert.Throws<HoneException>(() => Agent(AIFunctionFactory.Create(() => 1, "submit")));
        Assert.Contains("'submit', which ReAct needs for itself", error.Message, StringComparison.Ordinal);
        Assert.Contains("both called 'add'", Assert.Throws<HoneException>(() => Agent(Add, Add)).Message, StringComparison.Ordinal);
        Assert.Contains("'history'", Assert.Throws<HoneException>(() => ReAct.Parse("history -> answer", [])).Message, StringComparison.Ordinal);
        Assert.Contains("'past'", Assert.Throws<HoneException>(() => ReAct.Parse("past: History, question -> answer", [])).Message, StringComparison.Ordinal);
    }

    /// <summary>Natively compiled clients can write no values of Hone's own types.</summary>
    [Fact]
    public async Task StreamAsync_CallsInText_HaveNestedArgumentsAsJson()
    {
        var find = AIFunctionFactory.Create((string[] words) => words.Length, "find");
        var client = ScriptedChatClient.InSequence(Turn("look", ("find", """{"words": ["a", "b"]}""")), Turn("done", ("submit", """{"answer": "2"}""")));
        var calls = new List<ToolCallRequested>();
        await foreach (var happened in Agent(find).WithModel(client).StreamAsync(Question, null, Token))
        {
            if (happened is ToolCallRequested call)
                calls.Add(call);
        }

        Assert.Equal("""["a", "b"]""", Assert.IsType<JsonElement>(calls[0].Request.Arguments!["words"]).GetRawText());
        Assert.Equal("2", calls[1].Request.Arguments!["answer"]);
    }

    [Fact]
    public async Task StreamAsync_TellsCallsAndResults()
    {
        var client = ScriptedChatClient.InSequence(Turn("add", ("add", """{"a": 1}""")), Turn("done", ("submit", """{"answer": "3"}""")));
        var events = new List<RunEvent>();
        await foreach (var happened in Agent(Add).WithModel(client).StreamAsync(Question, null, Token))
            events.Add(happened);

        Assert.Equal(["add", "submit"], events.OfType<ToolCallRequested>().Select(call => call.Request.Name));
        Assert.Equal([3L, "Accepted."], events.OfType<ToolCallCompleted>().Select(call => call.Result.Value));
        Assert.Equal([("react", 0), ("react", 1)], events.OfType<ToolCallCompleted>().Select(call => (call.Path, call.Call)));
        Assert.Equal("add", string.Concat(events.OfType<FieldDelta>().Where(delta => delta is { Call: 0, Field: "next_thought" }).Select(delta => delta.Text)));
    }

    [Fact]
    public void Prompt_Avatar_TellsTheActor()
    {
        var program = ReAct.Parse("question -> answer", [Add], "Answer.", new() { Prompt = AgentPrompt.Avatar }).WithModel(ScriptedChatClient.InSequence());

        Assert.StartsWith("Answer.\n\nYou are an actor.", program.Predictors[0].Value.Instructions, StringComparison.Ordinal);
        Assert.Contains("every output (`answer`)", program.Predictors[0].Value.Instructions, StringComparison.Ordinal);
    }

    private static ReAct Agent(params AIFunction[] tools) => ReAct.Parse("question -> answer", tools);

#pragma warning disable MEAI001 // Reducers are experimental there.
    private sealed class LastMessages(int count) : IChatReducer
#pragma warning restore MEAI001
    {
        public Task<IEnumerable<ChatMessage>> ReduceAsync(IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
        {
            var all = messages.ToList();
            return Task.FromResult<IEnumerable<ChatMessage>>([all[0], .. all.Skip(Math.Max(1, all.Count - count))]);
        }
    }
}
