using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Runtime;

/// <summary>What code of a program asks of a model without a predictor is part of what the run cost.</summary>
public sealed class DirectClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AsChatClient_InsideARun_IsCountedWithModelAndRole()
    {
        var helper = new LM(Client("ok"), "helper") { Role = "untrusted", Price = new(1_000_000, 2_000_000) };
        var run = await new Delegating(helper).WithModel(new LM(Client("[[ ## answer ## ]]\ny"), "student")).RunAsync("q", null, Token);
        Assert.Equal("ok ok y", run.Value);
        Assert.Single(run.Trace.Calls);
        Assert.Equal([("helper", "untrusted"), ("helper", "untrusted")], run.Trace.Direct.Select(call => (call.Model, call.Role)));
        Assert.Equal(3, run.Usage.Calls);
        Assert.Equal(2, run.Trace.UsageByModel["helper"].Calls);
        Assert.Equal(2 * (3 + (2 * 4)), run.Trace.UsageByModel["helper"].Cost);
    }

    /// <summary>A search's budget of calls holds for them as for any other, and its account has them by role.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task AsChatClient_InASearch_IsUnderItsBudget(int most)
    {
        var asked = 0;
        var helper = new LM(ScriptedChatClient.By((_, _) => $"ok{Interlocked.Increment(ref asked)}"), "helper") { Role = "untrusted" };
        var own = ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\ny");
        Example<string, string>[] examples = [.. Enumerable.Range(0, 4).Select(i => new Example<string, string>($"q{i}", "y"))];
        var optimizer = new BootstrapFewShot<string, string>(Metric.From<string, string>((_, _) => true), new() { Budget = new() { MaxCalls = most } });
        var result = await optimizer.CompileAsync(new Delegating(helper).WithModel(new LM(own, "student")), examples, cancellationToken: Token);
        Assert.InRange(asked + own.Requests.Count, 0, most);
        if (most == 100)
            Assert.Equal((asked, own.Requests.Count), (result.UsageByRole["untrusted"].Calls, result.UsageByRole["task"].Calls));
    }

    [Fact]
    public async Task AsChatClient_FromTheCache_CostsNothing()
    {
        var helper = new LM(Client("ok"), "helper") { Cache = new() };
        using var scope = HoneScope.Use(new ScopeOptions());
        await helper.AsChatClient().GetResponseAsync("q", cancellationToken: Token);
        await helper.AsChatClient().GetResponseAsync("q", cancellationToken: Token);
        Assert.Equal([1, 0], scope.Trace.Direct.Select(call => call.Usage.Calls));
    }

    /// <summary>A model behind another's client is the predictor's call and not one more.</summary>
    [Fact]
    public async Task AsChatClient_UnderAPredictor_IsCountedOnce()
    {
        var inner = new LM(Client("[[ ## answer ## ]]\ny"), "inner");
        var run = await Predict.Parse("question -> answer").WithModel(new LM(inner.AsChatClient(), "outer")).RunAsync(FieldMap.Of(("question", "q")), null, Token);
        Assert.Empty(run.Trace.Direct);
        Assert.Equal(1, run.Usage.Calls);
    }

    private static ScriptedChatClient Client(string answer) => ScriptedChatClient.ByAsync((_, _, _) =>
    {
        var response = ScriptedChatClient.Respond(answer);
        response.Usage = new() { InputTokenCount = 3, OutputTokenCount = 4 };
        return Task.FromResult(response);
    });

    private sealed class Delegating(LM helper) : Module<string, string>
    {
        private readonly Predict own = Predict.Parse("question -> answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            var client = helper.AsChatClient();
            var whole = await client.GetResponseAsync(input, cancellationToken: cancellationToken);
            var pieces = await client.GetStreamingResponseAsync(input, cancellationToken: cancellationToken).ToChatResponseAsync(cancellationToken);
            var mine = await own.CallAsync(FieldMap.Of(("question", input)), cancellationToken);
            return $"{whole.Text} {pieces.Text} {mine["answer"]}";
        }
    }
}
