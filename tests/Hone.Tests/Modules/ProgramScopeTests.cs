using Hone.Testing;
using Hone.Tests.Modules.Agents;

namespace Hone.Tests.Modules;

/// <summary>A program opened as a scope: its modules called one by one, as tuned.</summary>
public sealed class ProgramScopeTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "What is 1 + 2?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_TunedAgent_HoldsAConversation()
    {
        var client = ScriptedChatClient.By((_, _) => AgentScript.Turn("done", ("submit", """{"answer": "3"}""")));
        var agent = ReAct.Parse("question -> answer", [AgentScript.Add]);
        var program = agent.WithModel(client);
        var tuned = program.With(program.State.With("react", new() { Instructions = "Count on your fingers." }).WithTool("add", new() { Description = "Sums up." }));

        using var scope = tuned.Open();
        var first = await agent.RunAsync(Question, cancellationToken: Token);
        var second = await agent.RunAsync(Question, first.History, cancellationToken: Token);

        Assert.Equal(AgentStopReason.Submitted, second.Reason);
        Assert.All(client.Requests, request => Assert.Contains("Count on your fingers.", request.SystemText, StringComparison.Ordinal));
        Assert.Contains("Sums up.", client.Requests[0].Messages[^1].Text, StringComparison.Ordinal);
        Assert.True(client.Requests[1].Messages.Length > client.Requests[0].Messages.Length);
        Assert.Equal(["react", "react"], scope.Trace.Calls.Select(call => call.Path));
    }

    [Fact]
    public async Task Open_SamplesWithTheProgramsStateAndSeed()
    {
        var client = ScriptedChatClient.By((_, index) => $"[[ ## answer ## ]]\n{index}");
        var ask = Predict.Parse("question -> answer");
        var program = ask.WithModel(client).With(ProgramState.Default.With("self", new() { Instructions = "Guess." }));
        using (program.Open(new() { Seed = 4, Options = new() { TopP = 0.5f } }))
            Assert.Equal(3, (await ask.SampleAsync(Question, 3, cancellationToken: Token)).Count(sample => sample.Succeeded));
        Assert.Null(HoneScope.Current);
        Assert.All(client.Requests, request => Assert.Contains("Guess.", request.SystemText, StringComparison.Ordinal));
        Assert.All(client.Requests, request => Assert.Equal(0.5f, request.Options!.TopP));
        Assert.Equal(3, client.Requests.Select(request => request.Options!.Seed).Distinct().Count());
    }

    [Fact]
    public async Task RunAsync_ModelAndAdapterOfTheRun_CountForItAlone()
    {
        var (own, other) = (ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nown"), ScriptedChatClient.By((_, _) => """{"answer": "other"}"""));
        var program = Predict.Parse("question -> answer").WithModel(own);
        var run = await program.RunAsync(Question, new() { Model = new LM(other, "other"), Adapter = JsonAdapter.Default }, Token);
        Assert.Equal("other", run.Value["answer"]);
        Assert.Equal(("other", "JsonAdapter"), (run.Trace.Calls[0].Model, run.Trace.Calls[0].Adapter));
        Assert.Equal("own", (await program.CallAsync(Question, Token))["answer"]);
    }

    [Fact]
    public void ToString_ListsThePredictors() => Assert.StartsWith(
        "self = question -> answer", Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence()).ToString(), StringComparison.Ordinal);
}
