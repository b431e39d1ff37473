using System.Net;
using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Tests.Clients.Retry;

public sealed class RetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TransientError_IsTriedAgain_AfterOneAndTwoSeconds_AndCounted()
    {
        var time = new LeapingTime();
        var logger = new ListLogger();
        var client = new StubChatClient(call => call < 2 ? throw Status(503) : StubChatClient.Response("ok"));
        var model = new LM(client) with { Retry = new() { Time = time, Jitter = 0 }, Logger = logger };
        var response = await model.AsChatClient().GetResponseAsync("hi", new HoneChatOptions { Path = "answer" }, Token);
        Assert.Equal("ok", response.Text);
        Assert.Equal(2, response.AdditionalProperties!["hone.retries"]);
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)], time.Waits);
        Assert.Equal(2, logger.Lines.Count(line => line.Level == LogLevel.Warning && line.Text.Contains("answer", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task FirstSuccess_CarriesNoNote() =>
        Assert.Null((await new LM(StubChatClient.Saying("ok")).AsChatClient().GetResponseAsync("hi", cancellationToken: Token)).AdditionalProperties);

    [Fact]
    public async Task ThirdFailure_IsThrown()
    {
        var client = new StubChatClient(_ => throw Status(500));
        var model = new LM(client) with { Retry = new() { Time = new LeapingTime() } };
        await Assert.ThrowsAsync<LMServerException>(() => model.AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(3, client.Calls);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(404)]
    public async Task PermanentError_IsThrownAtOnce(int status)
    {
        var client = new StubChatClient(_ => throw Status(status));
        await Assert.ThrowsAnyAsync<LMException>(() => new LM(client).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(1, client.Calls);
    }

    [Fact]
    public async Task NoRetry_MakesOneAttempt()
    {
        var client = new StubChatClient(_ => throw Status(500));
        await Assert.ThrowsAsync<LMServerException>(() => (new LM(client) with { Retry = null }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(1, client.Calls);
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("Fri, 02 Jan 2026 03:04:25 GMT", 20)]
    public async Task RetryAfter_InSecondsOrAsADate_IsHonoured(string header, int seconds)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(429, retryAfter: header));
        var time = new LeapingTime();
        var model = new LM(server.OpenAI()) with { Retry = new() { Time = time, Jitter = 0 } };
        Assert.Equal("fine", (await model.AsChatClient().GetResponseAsync("hi", cancellationToken: Token)).Text);
        Assert.Equal([TimeSpan.FromSeconds(seconds)], time.Waits);
    }

    [Fact]
    public async Task RetryAfter_LongerThanAllowed_IsThrownAtOnce()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(429, retryAfter: "3600"));
        var error = await Assert.ThrowsAsync<LMRateLimitException>(() => new LM(server.OpenAI()).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(TimeSpan.FromHours(1), error.RetryAfter);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task D15_Stream_IsTriedAgainBeforeItsFirstUpdate()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(500), FakeReply.Error(503), FakeReply.Say("one two three"));
        var model = new LM(server.OpenAI()) with { Retry = new() { Time = new LeapingTime() } };
        var updates = await model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToListAsync(Token);
        var response = updates.ToChatResponse();
        Assert.Equal("one two three", response.Text);
        Assert.Single(response.Messages);
        Assert.Equal(2, response.AdditionalProperties!["hone.retries"]);
        Assert.Equal(10, response.Usage!.TotalTokenCount);
        Assert.Equal(3, server.Requests.Count);
        Assert.True(updates.Count(update => update.Text.Length > 0) >= 3);
    }

    /// <summary>A server that cannot stream and does not say so: OpenAI's client finds no event in the answer and is content.</summary>
    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task Stream_AnsweredWithPlainJson_SaysWhatToDo(string contentType)
    {
        const string Whole = """{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"fine"}}]}""";
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Raw(Whole) with { ContentType = contentType };
        var model = new LM(server.OpenAI()) with { Retry = new() { Time = new LeapingTime() } };
        var error = await Assert.ThrowsAsync<LMServerException>(() => model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToListAsync(Token).AsTask());
        Assert.Equal(("gpt-4o", "openai"), (error.Model, error.Provider));
        Assert.Contains("plain JSON", error.Message, StringComparison.Ordinal);
        Assert.Contains("Streaming = false", error.Message, StringComparison.Ordinal);
        Assert.All(server.Requests, request => Assert.True(request.IsStreaming));

        model = model with { Capabilities = model.Capabilities with { Streaming = false } };
        Assert.Equal("fine", (await model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token)).Text);
    }

    /// <summary>A connection that was cut before the first event is made again, like one that was refused.</summary>
    [Fact]
    public async Task Stream_EndsBeforeItsFirstEvent_IsTriedAgain()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Raw(string.Empty) with { ContentType = "text/event-stream" }, FakeReply.Say("one two three"));
        var model = new LM(server.OpenAI()) with { Retry = new() { Time = new LeapingTime() } };
        Assert.Equal("one two three", (await model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token)).Text);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task D15_Stream_IsNotTriedAgainAfterItsFirstUpdate()
    {
        var seen = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(FakeReply.Say("one two three") with { CutAfter = 2, CutGate = seen.Task });
        var model = new LM(server.OpenAI()) with { Retry = new() { Time = new LeapingTime() } };
        var texts = new List<string>();
        await Assert.ThrowsAsync<LMTransportException>(async () =>
        {
            await foreach (var update in model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token))
            {
                texts.Add(update.Text);
                seen.TrySetResult();
            }
        });
        Assert.Equal("one", texts[0]);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task CallersCancellation_IsNeverWrapped_NorTriedAgain()
    {
        using var cancel = new CancellationTokenSource();
        var client = new StubChatClient(async (_, _, token) =>
        {
            await cancel.CancelAsync();
            token.ThrowIfCancellationRequested();
            return new();
        });
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new LM(client).AsChatClient().GetResponseAsync("hi", cancellationToken: cancel.Token));
        Assert.Equal(cancel.Token, error.CancellationToken);
        Assert.Equal(1, client.Calls);
    }

    [Fact]
    public async Task CancellationDuringTheWait_EndsIt()
    {
        using var cancel = new CancellationTokenSource();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var client = new StubChatClient(_ => throw Status(500));
        var call = (new LM(client) with { Retry = new() { Time = time } }).AsChatClient().GetResponseAsync("hi", cancellationToken: cancel.Token);
        Assert.False(call.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public void DelayAfter_IsDeterministic_BoundedAndSpread()
    {
        var options = new RetryOptions { Seed = 5, MaxAttempts = 40, Jitter = 0.5 };
        var error = new LMServerException("x");
        var waits = Enumerable.Range(0, 200).Select(call => options.DelayAfter(error, 1, call)!.Value).ToList();
        Assert.Equal(waits, Enumerable.Range(0, 200).Select(call => options.DelayAfter(error, 1, call)!.Value));
        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.5)));
        Assert.True(waits.Distinct().Count() > 150);
        Assert.True(waits.Max() - waits.Min() > TimeSpan.FromSeconds(0.4));
        Assert.InRange(options.DelayAfter(error, 39, 0)!.Value, options.MaxDelay, options.MaxDelay * 1.5);
        Assert.Null(options.DelayAfter(error, 40, 0));
        Assert.Throws<LMConfigurationException>(() => new RetryOptions { MaxAttempts = 0 });
    }

    private static HttpRequestException Status(int status) => new("no", null, (HttpStatusCode)status);
}
