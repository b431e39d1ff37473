using CsCheck;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Budget;

public sealed class CallBudgetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void AtConcurrency64_WithRandomCosts_NoLimitIsEverExceeded() => Gen.Select(Gen.Long[200, 20_000], Gen.Long[200, 8_000], Gen.Int[1, 200], Gen.Int[0, 200].Array[64], Gen.Int[0, 3].Array[64])
        .Sample((maxTokens, maxOutput, maxCalls, costs, fates) =>
        {
            using var budget = new CallBudget(new() { MaxTokens = maxTokens, MaxOutputTokens = maxOutput, MaxCalls = maxCalls, MaxMoney = maxTokens * 2m / 1_000_000m });
            var client = new StubChatClient(async (_, options, _) =>
            {
                await Task.Yield();
                var state = budget.GetSnapshot();
                Assert.True(Within(state.Spent + state.Reserved, budget.Limits), state.ToString());
                var call = int.Parse(options!.Instructions!, System.Globalization.CultureInfo.InvariantCulture);
                if (fates[call] == 0)
                    throw new HttpRequestException("no", null, System.Net.HttpStatusCode.BadRequest);
                return StubChatClient.Response("x", input: Math.Min(costs[call], 85), output: Math.Min(costs[call], options.MaxOutputTokens!.Value));
            });
            var model = (new LM(client) with { Budget = budget, Price = new(1, 2), Retry = null }).AsChatClient();
            var outcomes = Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
            {
                try
                {
                    await Task.Yield();
                    return (await model.GetResponseAsync("question", new ChatOptions { MaxOutputTokens = 100, Instructions = $"{i}" })).Usage;
                }
                catch (Exception error) when (error is BudgetExceededException or LMInvalidRequestException)
                {
                    return null;
                }
            })).GetAwaiter().GetResult();
            var end = budget.GetSnapshot();
            Assert.Equal(default, end.Reserved);
            Assert.True(Within(end.Spent, budget.Limits), end.ToString());
            Assert.Equal(outcomes.Sum(usage => usage?.InputTokenCount ?? 0), end.Spent.InputTokens);
            Assert.Equal(outcomes.Sum(usage => usage?.OutputTokenCount ?? 0), end.Spent.OutputTokens);
            Assert.Equal(outcomes.Count(usage => usage is not null), end.Spent.Calls);
        }, iter: 100, threads: 1);

    [Fact]
    public async Task MaxCalls_CutAtEveryPoint_StopsExactlyThere()
    {
        for (var most = 0; most <= 6; most++)
        {
            using var budget = new CallBudget(new() { MaxCalls = most });
            var client = StubChatClient.Saying("x");
            var model = (new LM(client) with { Budget = budget }).AsChatClient();
            var made = 0;
            try
            {
                for (; made < 6; made++)
                    await model.GetResponseAsync($"question {made}", cancellationToken: Token);
            }
            catch (BudgetExceededException error)
            {
                Assert.Equal("MaxCalls", error.Limit);
                Assert.Equal(most, error.Spent.Calls);
            }

            Assert.Equal((most, most), (made, client.Calls));
        }
    }

    [Theory]
    [InlineData("MaxMoney")]
    [InlineData("MaxInputTokens")]
    [InlineData("MaxOutputTokens")]
    [InlineData("MaxTokens")]
    public async Task EveryLimit_IsNamedWhenItRefuses(string limit)
    {
        using var budget = new CallBudget(limit switch
        {
            "MaxMoney" => new() { MaxMoney = 0.0001m },
            "MaxInputTokens" => new() { MaxInputTokens = 5 },
            "MaxOutputTokens" => new() { MaxOutputTokens = 5 },
            _ => new() { MaxTokens = 5 },
        });
        var client = StubChatClient.Saying("x");
        var model = (new LM(client) with { Budget = budget, Price = new(3, 15) }).AsChatClient();
        var error = await Assert.ThrowsAsync<BudgetExceededException>(() => model.GetResponseAsync("hi", new HoneChatOptions { Path = "answer" }, Token));
        Assert.Equal(limit, error.Limit);
        Assert.Contains("'answer'", error.Message, StringComparison.Ordinal);
        Assert.Contains(limit, error.Message, StringComparison.Ordinal);
        Assert.Equal(1, error.Asked.Calls);
        Assert.False(error.IsRetryable);
        Assert.Equal(0, client.Calls);
    }

    [Fact]
    public async Task MoneyLimit_WithoutAPrice_IsRefusedBeforeTheCall()
    {
        using var budget = new CallBudget(new() { MaxMoney = 1 });
        var client = StubChatClient.Saying("x");
        var error = await Assert.ThrowsAsync<LMConfigurationException>(
            () => (new LM(client) with { Budget = budget }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Contains("Price", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, client.Calls);
    }

    [Fact]
    public async Task Settled_CountsRealUsageAndMoney_ByRoleAndPath()
    {
        using var budget = new CallBudget(new() { MaxMoney = 1 }, new PriceTable(new Dictionary<string, ModelPrice> { ["gpt-4o"] = new(2, 10, 1) }));
        var answer = StubChatClient.Response("x", 1000, 100);
        answer.Usage!.CachedInputTokenCount = 400;
        var model = new LM(new StubChatClient(_ => answer)) with { Budget = budget };
        await model.AsChatClient().GetResponseAsync("hi", new HoneChatOptions { Path = "a" }, Token);
        await (model with { Role = "judge" }).AsChatClient().GetResponseAsync("hi", new HoneChatOptions { Path = "b" }, Token);
        await model.AsChatClient().GetResponseAsync("hi", new HoneChatOptions { Path = "b", Role = "reflection" }, Token);
        var each = new Spending(1, 1000, 100, ((600 * 2m) + (400 * 1m) + (100 * 10m)) / 1_000_000m);
        var state = budget.GetSnapshot();
        Assert.Equal(each + each + each, state.Spent);
        Assert.Equal(["judge", "reflection", "task"], state.ByRole.Keys);
        Assert.Equal(each, state.ByRole["judge"]);
        Assert.Equal(each + each, state.ByPath["b"]);
    }

    [Fact]
    public async Task CallThatFitsOnlyAfterAnother_Waits_InOrder()
    {
        using var budget = new CallBudget(new() { MaxOutputTokens = 150 });
        var gates = Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource<ChatResponse>()).ToArray();
        var next = -1;
        var client = new StubChatClient((_, _, _) => gates[Interlocked.Increment(ref next)].Task);
        var model = (new LM(client) with { Budget = budget }).AsChatClient();
        var calls = Enumerable.Range(0, 3).Select(_ => model.GetResponseAsync("hi", new ChatOptions { MaxOutputTokens = 100 }, Token)).ToArray();
        Assert.Equal(1, client.Calls);
        gates[0].SetResult(StubChatClient.Response("x", 1, 10));
        await calls[0];
        while (client.Calls < 2)
            await Task.Yield();
        Assert.Equal(2, client.Calls);
        gates[1].SetResult(StubChatClient.Response("x", 1, 60)); // 70 spent: the third can never fit
        await calls[1];
        var error = await Assert.ThrowsAsync<BudgetExceededException>(() => calls[2]);
        Assert.Equal((70L, 100L), (error.Spent.OutputTokens, error.Asked.OutputTokens));
        Assert.Equal(2, client.Calls);
    }

    [Fact]
    public async Task WaitingCall_CanBeCancelled()
    {
        using var budget = new CallBudget(new() { MaxCalls = 1 });
        var gate = new TaskCompletionSource<ChatResponse>();
        var model = (new LM(new StubChatClient((_, _, _) => gate.Task)) with { Budget = budget }).AsChatClient();
        var first = model.GetResponseAsync("hi", cancellationToken: Token);
        using var cancel = new CancellationTokenSource();
        var second = model.GetResponseAsync("hi", cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.SetResult(StubChatClient.Response("x"));
        await first;
        Assert.Equal((1L, 0L), (budget.GetSnapshot().Spent.Calls, budget.GetSnapshot().Reserved.Calls));
    }

    [Fact]
    public async Task FailedCall_GivesEverythingBack_AndRetriesOfASuccessCount()
    {
        using var budget = new CallBudget(new() { MaxCalls = 3 });
        var client = new StubChatClient(call => call switch
        {
            0 => throw new HttpRequestException("no", null, System.Net.HttpStatusCode.BadRequest),
            1 => throw new HttpRequestException("no", null, System.Net.HttpStatusCode.InternalServerError),
            _ => StubChatClient.Response("x"),
        });
        var model = (new LM(client) with { Budget = budget, Retry = new() { Time = new LeapingTime() } }).AsChatClient();
        await Assert.ThrowsAsync<LMInvalidRequestException>(() => model.GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(default, budget.GetSnapshot().Spent);
        await model.GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal(2, budget.GetSnapshot().Spent.Calls);
    }

    [Fact]
    public async Task RetryThatDoesNotFit_IsRefused_WithItsCause()
    {
        using var budget = new CallBudget(new() { MaxCalls = 1 });
        var client = new StubChatClient(_ => throw new HttpRequestException("no", null, System.Net.HttpStatusCode.InternalServerError));
        var model = (new LM(client) with { Budget = budget, Retry = new() { Time = new LeapingTime() } }).AsChatClient();
        var error = await Assert.ThrowsAsync<BudgetExceededException>(() => model.GetResponseAsync("hi", cancellationToken: Token));
        Assert.IsType<LMServerException>(error.InnerException);
        Assert.Equal(1, client.Calls);
        Assert.Equal(default, budget.GetSnapshot().Reserved);
    }

    [Fact]
    public async Task UnsetOutputLimit_IsSet_WhenTokensOrMoneyAreLimited_AndTheCallersOptionsStay()
    {
        var client = StubChatClient.Saying("x");
        var options = new ChatOptions();
        using var calls = new CallBudget(new() { MaxCalls = 9 });
        await (new LM(client) with { Budget = calls }).AsChatClient().GetResponseAsync("hi", options, Token);
        Assert.Null(client.LastOptions!.MaxOutputTokens);
        using var tokens = new CallBudget(new() { MaxTokens = 100_000 });
        await (new LM(client) with { Budget = tokens }).AsChatClient().GetResponseAsync("hi", options, Token);
        Assert.Equal(4096, client.LastOptions.MaxOutputTokens);
        Assert.Null(options.MaxOutputTokens);
        var thinker = new StubChatClient(_ => StubChatClient.Response("x")) { Model = "o3" };
        await (new LM(thinker) with { Budget = tokens }).AsChatClient().GetResponseAsync("hi", options, Token);
        Assert.Equal(16_000, thinker.LastOptions!.MaxOutputTokens);
    }

    [Fact]
    public async Task TimeLimit_CancelsRunningCalls_AndRefusesLaterOnes()
    {
        var time = new FakeTimeProvider();
        using var budget = new CallBudget(new() { MaxTime = TimeSpan.FromMinutes(5) }, time: time);
        var client = new StubChatClient(async (_, _, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return new();
        });
        var model = (new LM(client) with { Budget = budget }).AsChatClient();
        time.Advance(TimeSpan.FromHours(1)); // the clock starts with the first call
        var plain = model.GetResponseAsync("hi", cancellationToken: Token);
        var streamed = model.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token);
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(plain.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("MaxTime", (await Assert.ThrowsAsync<BudgetExceededException>(() => plain)).Limit);
        Assert.Equal("MaxTime", (await Assert.ThrowsAsync<BudgetExceededException>(() => streamed)).Limit);
        Assert.Equal("MaxTime", (await Assert.ThrowsAsync<BudgetExceededException>(() => model.GetResponseAsync("hi", cancellationToken: Token))).Limit);
        Assert.Equal(default, budget.GetSnapshot().Reserved);
    }

    [Fact]
    public async Task Stream_SettlesOnItsUsage_AndOneLeftEarlyOnWhatItMightHaveCost()
    {
        using var budget = new CallBudget(new() { MaxOutputTokens = 1000 });
        var model = (new LM(StubChatClient.Saying("a b c")) with { Budget = budget }).AsChatClient();
        await model.GetStreamingResponseAsync("hi", new ChatOptions { MaxOutputTokens = 100 }, Token).ToChatResponseAsync(Token);
        Assert.Equal(5, budget.GetSnapshot().Spent.OutputTokens);
        await foreach (var update in model.GetStreamingResponseAsync("hi", new ChatOptions { MaxOutputTokens = 100 }, Token))
            break;
        Assert.Equal(105, budget.GetSnapshot().Spent.OutputTokens);
        Assert.Equal(default, budget.GetSnapshot().Reserved);
    }

    [Fact]
    public async Task CacheHits_CostNothing()
    {
        using var budget = new CallBudget(new() { MaxCalls = 1 });
        using var cache = new ResponseCache();
        var model = (new LM(StubChatClient.Saying("x")) with { Budget = budget, Cache = cache }).AsChatClient();
        for (var i = 0; i < 5; i++)
            await model.GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal(1, budget.GetSnapshot().Spent.Calls);
    }

    [Fact]
    public void InputBound_IsAboveWhatAByteTokenizerCouldMake() => Gen.String.Array[0, 5].Sample(texts =>
    {
        var messages = texts.Select(text => new ChatMessage(ChatRole.User, text)).ToList();
        var bytes = texts.Sum(text => System.Text.Encoding.UTF8.GetByteCount(text));
        Assert.True(TokenBound.OfInput(messages, null, 8192) >= bytes + (8 * texts.Length));
    });

    [Fact]
    public void InputBound_CountsToolsSchemasResultsAndMedia()
    {
        var tool = AIFunctionFactory.Create((string city) => city, "weather", "Tells the weather.");
        var plain = TokenBound.OfInput([new(ChatRole.User, "hi")], null, 1000);
        Assert.True(TokenBound.OfInput([new(ChatRole.User, "hi")], new ChatOptions { Tools = [tool] }, 1000) > plain + tool.JsonSchema.GetRawText().Length);
        Assert.Equal(plain + 1000, TokenBound.OfInput([new(ChatRole.User, [new TextContent("hi"), new DataContent(new byte[5], "image/png")])], null, 1000));
        Assert.True(TokenBound.OfInput([new(ChatRole.Tool, [new FunctionResultContent("c", new string('x', 500))])], null, 1000) > 500);
    }

    [Fact]
    public void PriceTable_FindsExactIds_ThenFamilies()
    {
        var table = new PriceTable(new Dictionary<string, ModelPrice> { ["gpt-4o"] = new(1, 1), ["gpt-4o-mini"] = new(2, 2) });
        Assert.Equal(2, table.Find("openai", "gpt-4o-mini-2024-07-18")!.Input);
        Assert.Equal(1, table.Find("openai", "gpt-4o-2024-08-06")!.Input);
        Assert.Null(table.Find("openai", "gpt-4"));
        Assert.Null(table.Find("openai", "gpt-4oo"));
    }

    private static bool Within(Spending all, CallBudgetLimits limits) =>
        all.TotalTokens <= limits.MaxTokens && all.OutputTokens <= limits.MaxOutputTokens && all.Calls <= limits.MaxCalls && all.Money <= limits.MaxMoney;
}
