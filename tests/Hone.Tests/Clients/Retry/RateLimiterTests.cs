using CsCheck;
using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Retry;

public sealed class RateLimiterTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concurrency_IsKept_AndCallsProceedInOrder()
    {
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 2 });
        var first = await limiter.AcquireAsync(0, Token);
        var second = await limiter.AcquireAsync(0, Token);
        var waiting = Enumerable.Range(0, 3).Select(_ => limiter.AcquireAsync(0, Token).AsTask()).ToList();
        Assert.Equal((2, 3), (limiter.Running, limiter.Waiting));
        for (var i = 0; i < waiting.Count; i++)
        {
            (i == 0 ? first : i == 1 ? second : await waiting[0]).Dispose();
            await waiting[i];
            Assert.All(waiting.Skip(i + 1), later => Assert.False(later.IsCompleted));
        }
    }

    [Fact]
    public async Task Cancelled_LeavesTheQueue_AndTheNextProceeds()
    {
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 1 });
        var held = await limiter.AcquireAsync(0, Token);
        using var cancel = new CancellationTokenSource();
        var gone = limiter.AcquireAsync(0, cancel.Token).AsTask();
        var next = limiter.AcquireAsync(0, Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        held.Dispose();
        held.Dispose(); // twice is once
        (await next).Dispose();
        Assert.Equal((0, 0), (limiter.Running, limiter.Waiting));
    }

    [Fact]
    public async Task RequestsPerMinute_AreKept_InAnyMinute()
    {
        var time = new FakeTimeProvider();
        using var limiter = new RateLimiter(new() { RequestsPerMinute = 2 }, time);
        (await limiter.AcquireAsync(0, Token)).Dispose();
        time.Advance(TimeSpan.FromSeconds(40));
        (await limiter.AcquireAsync(0, Token)).Dispose();
        var third = limiter.AcquireAsync(0, Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(19));
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        (await third).Dispose();
        var fourth = limiter.AcquireAsync(0, Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(39));
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        (await fourth).Dispose();
    }

    [Fact]
    public async Task TokensPerMinute_AreKept_ByWhatCallsReallyTook()
    {
        var time = new FakeTimeProvider();
        using var limiter = new RateLimiter(new() { TokensPerMinute = 100 }, time);
        var first = await limiter.AcquireAsync(90, Token);
        var second = limiter.AcquireAsync(50, Token).AsTask();
        Assert.False(second.IsCompleted);
        first.Settle(40);
        first.Dispose();
        (await second).Dispose();
        var third = limiter.AcquireAsync(20, Token).AsTask();
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(1));
        (await third).Dispose();
    }

    [Fact]
    public async Task CallLargerThanTheLimit_ProceedsAlone()
    {
        var time = new FakeTimeProvider();
        using var limiter = new RateLimiter(new() { TokensPerMinute = 100 }, time);
        (await limiter.AcquireAsync(500, Token)).Dispose();
        var next = limiter.AcquireAsync(1, Token).AsTask();
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(1));
        (await next).Dispose();
    }

    [Fact]
    public async Task Pause_HoldsEveryoneBack_AndALongerOneStays()
    {
        var time = new FakeTimeProvider();
        using var limiter = new RateLimiter(new(), time);
        limiter.Pause(TimeSpan.FromSeconds(10));
        limiter.Pause(TimeSpan.FromSeconds(5));
        var waiting = Enumerable.Range(0, 3).Select(_ => limiter.AcquireAsync(0, Token).AsTask()).ToList();
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        time.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task RateLimitAnswer_PausesEveryModelThatSharesTheLimiter()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(429, retryAfter: "30"));
        var time = new FakeTimeProvider();
        using var limiter = new RateLimiter(new(), time);
        var first = new LM(server.OpenAI()) with { RateLimiter = limiter, Retry = null };
        var second = new LM(server.OpenAI("gpt-4o-mini")) with { RateLimiter = limiter };
        await Assert.ThrowsAsync<LMRateLimitException>(() => first.AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        var held = second.AsChatClient().GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal(1, limiter.Waiting);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("fine", (await held).Text);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Streams_HoldTheirPlaceUntilTheirEnd()
    {
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 1, TokensPerMinute = 1_000_000 });
        var model = new LM(StubChatClient.Saying("a b c")) with { RateLimiter = limiter };
        await foreach (var update in model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token))
            Assert.Equal(1, limiter.Running);
        Assert.Equal(0, limiter.Running);
        await foreach (var update in model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token))
            break;
        Assert.Equal(0, limiter.Running);
    }

    [Fact]
    public async Task ThousandCalls_AgainstARealServer_KeepTheConcurrency()
    {
        await using var server = await FakeServer.StartAsync();
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 16 });
        var client = (new LM(server.OpenAI()) with { RateLimiter = limiter }).AsChatClient();
        var responses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => client.GetResponseAsync($"question {i}", cancellationToken: Token)));
        Assert.All(responses, response => Assert.Equal("fine", response.Text));
        Assert.Equal(1000, server.Requests.Count);
        Assert.InRange(server.MostRunning, 2, 16);
    }

    [Fact]
    public void AnyScheduleOfCalls_NeverExceedsALimit() => Gen.Select(Gen.Int[1, 4], Gen.Int[1, 5], Gen.Int[10, 60], Gen.Int[1, 40].Array[1, 30], Gen.Int[0, 30].Array[30])
        .Sample((most, perMinute, tokens, asks, steps) =>
        {
            var time = new FakeTimeProvider();
            using var limiter = new RateLimiter(new() { MaxConcurrentCalls = most, RequestsPerMinute = perMinute, TokensPerMinute = tokens }, time);
            var waiting = new Queue<Task<RateLease>>(asks.Select(ask => limiter.AcquireAsync(ask, CancellationToken.None).AsTask()));
            var held = new Queue<RateLease>();
            var starts = new List<(DateTimeOffset At, int Tokens)>();
            for (var step = 0; waiting.Count > 0; step++)
            {
                // In order: a later call is never granted before an earlier one. Grants are complete when the limiter's method returns.
                while (waiting.Count > 0 && starts.Count + waiting.Count - limiter.Waiting > starts.Count)
                {
                    held.Enqueue(waiting.Dequeue().GetAwaiter().GetResult());
                    starts.Add((time.GetUtcNow(), asks[starts.Count]));
                }

                Assert.InRange(held.Count, 0, most);
                if (held.Count > 0 && steps[step % steps.Length] % 3 != 0)
                    held.Dequeue().Dispose();
                else
                    time.Advance(TimeSpan.FromSeconds(steps[step % steps.Length] + 1));
            }

            foreach (var (at, _) in starts)
            {
                var window = starts.Where(start => start.At > at - TimeSpan.FromMinutes(1) && start.At <= at).ToList();
                Assert.InRange(window.Count, 1, perMinute);
                Assert.True(window.Count == 1 || window.Sum(start => start.Tokens) <= tokens);
            }
        }, iter: 200);

    [Fact]
    public void LimitBelowOne_IsRefused() => Assert.Throws<LMConfigurationException>(() => new RateLimiter(new() { RequestsPerMinute = 0 }));
}
