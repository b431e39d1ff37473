using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using static Hone.Tests.Modules.Agents.AgentScript;

namespace Hone.Tests.Modules.Agents;

/// <summary>How tools are run: who waits for whom, who is asked when, what becomes of what they give.</summary>
public sealed class ToolRunTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));
    private static readonly string Done = Turn("done", ("submit", """{"answer": "x"}"""));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A tool that never gives its thread back holds nobody up beyond its limit.</summary>
    [Fact]
    public async Task Timeout_OfAToolThatBlocks_IsTold()
    {
        var time = new FakeTimeProvider();
        var (gate, isReleased, hasEnded) = (new object(), false, false);
        var tool = AIFunctionFactory.Create(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(6));
                lock (gate)
                {
                    if (!isReleased)
                        Monitor.Wait(gate, TimeSpan.FromSeconds(20));
                    hasEnded = true;
                }
            },
            "block").WithTimeout(TimeSpan.FromSeconds(5));
        var program = new Told(ReAct.Parse("question -> answer", [tool])).WithModel(ScriptedChatClient.InSequence(Turn("block", ("block", "{}")), Done)).WithTime(time);
        var result = await program.CallAsync(Question, Token);
        lock (gate)
        {
            Assert.False(hasEnded);
            isReleased = true;
            Monitor.PulseAll(gate);
        }

        Assert.Equal("The tool 'block' took longer than 5 s and was stopped.", result.Steps[0].Results.Results[0].Value);
    }

    [Fact]
    public void Limits_ThatAreNone_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReActOptions { ToolTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new CodeActOptions { ToolTimeout = TimeSpan.FromSeconds(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RlmOptions { ToolTimeout = TimeSpan.Zero });
        Assert.Null(new ReActOptions { ToolTimeout = null }.ToolTimeout);
    }

    /// <summary>Whoever approves is asked one thing at a time, in the order of the calls; then the tools run.</summary>
    [Fact]
    public async Task Approval_OfSeveralCalls_IsAskedForInTheirOrder_OneAtATime()
    {
        var (gate, log, asking) = (new Lock(), new List<string>(), 0);
        var pay = new ApprovalRequiredAIFunction(AIFunctionFactory.Create((int n) => Log($"paid {n}"), "pay"));
        var options = new ReActOptions
        {
            ApproveAsync = async (call, _) =>
            {
                Assert.Equal(1, Interlocked.Increment(ref asking));
                for (var i = 0; i < 20; i++)
                    await Task.Yield();
                Log($"asked {call.Arguments["n"]}");
                Interlocked.Decrement(ref asking);
                return call.Arguments["n"] is not 2L;
            },
        };
        using var scope = HoneScope.Use(ScriptedChatClient.InSequence(
            Turn("pay", ("pay", """{"n": 1}"""), ("pay", """{"n": 2}"""), ("pay", """{"n": 3}"""), ("pay", """{"n": 4}""")), Done));
        var result = await ReAct.Parse("question -> answer", [pay], options: options).RunAsync(Question, cancellationToken: Token);

        Assert.Equal(["asked 1", "asked 2", "asked 3", "asked 4"], log.Take(4));
        Assert.Equal(["paid 1", "paid 3", "paid 4"], log.Skip(4).Order());
        Assert.Equal([false, true, false, false], result.Steps[0].Results.Results.Select(each => each.IsError));
        Assert.Equal("The call of 'pay' was not approved.", result.Steps[0].Results.Results[1].Value);

        void Log(string what)
        {
            lock (gate)
                log.Add(what);
        }
    }

    /// <summary>What a module inside a tool is answered does not depend on how many tools run at once.</summary>
    [Fact]
    public async Task SeveralCalls_OfModules_HaveTheSameSeedsAtAnyParallelism()
    {
        async Task<string> RunAsync(int parallelism)
        {
            string[] turns = [Turn("ask", ("say", """{"input": "a"}"""), ("say", """{"input": "b"}""")), Turn("ask", ("say", """{"input": "c"}""")), Done];
            var turn = 0;
            var client = ScriptedChatClient.By((request, _) => request.SystemText.Contains("Say it.", StringComparison.Ordinal)
                ? ScriptedChatClient.ChatText(FieldMap.Of(("answer", $"{request.Options!.Seed}")))
                : turns[turn++]);
            var inner = new Predict<string, string>("Say it.");
            var say = AIFunctionFactory.Create((string input) => inner.CallAsync(input, Token), "say");
            using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client), Seed = 3 });
            var result = await ReAct.Parse("question -> answer", [say], options: new() { MaxParallelTools = parallelism }).RunAsync(Question, cancellationToken: Token);
            return string.Join(' ', result.Steps.SelectMany(step => step.Results.Results).Select(each => $"{each.Value}"));
        }

        var alone = await RunAsync(1);
        Assert.Equal(3, alone.Split(' ')[..3].Distinct().Count());
        Assert.Equal(alone, await RunAsync(8));
    }

    /// <summary>Only what a server of the Model Context Protocol answers is read as such; other objects keep all that they hold.</summary>
    [Theory]
    [InlineData("""{"title": "T", "content": [{"type": "paragraph", "text": "x"}]}""", """{"title": "T", "content": [{"type": "paragraph", "text": "x"}]}""", false)]
    [InlineData("""{"content": [], "count": 0}""", """{"content": [], "count": 0}""", false)]
    [InlineData("""{"content": [{"type": "text", "text": "x"}]}""", "\"x\"", false)]
    [InlineData("""{"content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}], "_meta": {"a": 1}}""", """["x", "y"]""", false)]
    [InlineData("""{"content": [{"type": "text", "text": "no"}], "structuredContent": null, "isError": true}""", "\"no\"", true)]
    [InlineData("""{"content": [{"type": "text", "text": "x"}], "structuredContent": 0, "resultType": "complete"}""", "0", false)]
    public async Task Results_ThatLookLikeAServers_KeepWhatTheyHold(string given, string expected, bool isError)
    {
        var tool = AIFunctionFactory.Create(() => System.Text.Json.JsonElement.Parse(given), "give");
        var result = (await new ToolCalls([new("give", FieldMap.Empty)]).RunAsync([tool], cancellationToken: Token)).Results[0];

        Assert.Equal((expected, isError), (CodeValues.ToJson(result.Value), result.IsError));
    }

    private sealed class Told(ReAct agent) : Module<FieldMap, AgentResult<FieldMap>>
    {
        protected override Task<AgentResult<FieldMap>> ForwardAsync(FieldMap input, CancellationToken cancellationToken) =>
            agent.RunAsync(input, cancellationToken: cancellationToken);
    }
}
