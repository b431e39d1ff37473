using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

public sealed class ChatClientBuilderTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_AreMiddlewareOfAnyChatClient()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(503));
        using var cache = new ResponseCache();
        using var budget = new CallBudget(new() { MaxMoney = 1 });
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 1 });
        var history = new CallHistory();
        using var client = new ChatClientBuilder(server.OpenAI())
            .UseHoneHistory(history)
            .UseHoneCache(cache)
            .UseHoneBudget(budget, new ModelPrice(1, 1))
            .UseHoneRetry(new RetryOptions { Time = new LeapingTime() })
            .UseHoneRateLimit(limiter)
            .Build();
        var first = await client.GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal(("fine", 1), (first.Text, first.AdditionalProperties!["hone.retries"]));
        Assert.True(ResponseCache.IsHit(await client.GetResponseAsync("hi", cancellationToken: Token)));
        Assert.Equal("fine", (await client.GetStreamingResponseAsync("other", cancellationToken: Token).ToChatResponseAsync(Token)).Text);
        Assert.Equal(3, history.Entries.Length);
        Assert.Equal(3, budget.GetSnapshot().Spent.Calls); // an attempt that was made again counts
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Retry_PutsErrorsIntoHonesTerms()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(401));
        using var client = new ChatClientBuilder(server.OpenAI()).UseHoneRetry().Build();
        await Assert.ThrowsAsync<LMAuthException>(() => client.GetResponseAsync("hi", cancellationToken: Token));
    }
}
