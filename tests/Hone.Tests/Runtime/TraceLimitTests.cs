using Hone.Testing;

namespace Hone.Tests.Runtime;

/// <summary>D50: a scope keeps the newest calls, and the account of all.</summary>
public sealed class TraceLimitTests
{
    private static readonly Predict Ask = Predict.Parse("question -> answer");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Trace_OwnAndNestedCalls_KeepTheNewestAndCountAll(int limit)
    {
        var client = ScriptedChatClient.By((_, index) => $"[[ ## answer ## ]]\n{index}");
        var program = Ask.WithModel(client);
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client), TraceLimit = limit });
        for (var i = 0; i < 20; i++)
        {
            await Ask.CallAsync(Question(i), Token);
            await program.CallAsync(Question(i), Token);
        }

        var trace = scope.Trace;
        Assert.Equal(40, trace.Usage.Calls);
        Assert.Equal(40, trace.Calls.Length + trace.Nested.Length + (trace.Dropped?.Calls ?? 0));
        foreach (var kept in new[] { trace.Calls, trace.Nested })
        {
            Assert.InRange(kept.Length, Math.Min(limit, 20), (2 * limit) + 1);
            Assert.Equal(Enumerable.Range(20 - kept.Length, kept.Length).Select(i => $"q{i}"), kept.Select(call => call.Inputs["question"]));
        }

        // Ordinals count on, whatever is kept.
        Assert.Equal(Enumerable.Range(20 - trace.Calls.Length, trace.Calls.Length), trace.Calls.Select(call => call.Ordinal));
    }

    [Fact]
    public async Task Trace_CallAnsweredAfterItsPlaceIsGone_IsCounted()
    {
        var first = new TaskCompletionSource();
        var client = ScriptedChatClient.ByAsync(async (request, index, _) =>
        {
            if (index == 0)
                await first.Task;
            return ScriptedChatClient.Respond("[[ ## answer ## ]]\nx");
        });
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client), TraceLimit = 1 });
        var slow = Ask.CallAsync(Question(0), Token);
        for (var i = 1; i < 9; i++)
            await Ask.CallAsync(Question(i), Token);
        first.SetResult();
        await slow;
        Assert.Equal(9, scope.Trace.Usage.Calls);
        Assert.DoesNotContain(scope.Trace.Calls, call => Equals(call.Inputs["question"], "q0"));
    }

    [Fact]
    public void TraceLimit_Negative_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new ScopeOptions { TraceLimit = -1 });

    private static FieldMap Question(int i) => FieldMap.Of(("question", $"q{i}"));
}
