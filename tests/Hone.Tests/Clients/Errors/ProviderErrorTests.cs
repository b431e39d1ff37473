using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients.Errors;

/// <summary>The errors of real clients against a real server.</summary>
public sealed class ProviderErrorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, int, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, int, string>();
            foreach (var provider in new[] { "openai", "anthropic", "ollama" })
            {
                foreach (var (status, code) in new[] { (401, "auth"), (403, "auth"), (404, "unsupported_model"), (408, "timeout"), (429, "rate_limit"), (500, "server"), (503, "server") })
                    rows.Add(provider, status, code);
            }

            rows.Add("openai", 400, "invalid_request");
            rows.Add("anthropic", 400, "invalid_request");
            rows.Add("anthropic", 529, "server");
            rows.Add("anthropic", 402, "billing");
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Status_BecomesTheError_ForEveryClient_PlainAndStreamed(string provider, int status, string code)
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Error(status, retryAfter: "9");
        var client = (new LM(ClientOf(server, provider)) with { Retry = null }).AsChatClient();
        var plain = await Assert.ThrowsAnyAsync<LMException>(() => client.GetResponseAsync("hi", cancellationToken: Token));
        var streamed = await Assert.ThrowsAnyAsync<LMException>(async () => await client.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token));
        foreach (var error in new[] { plain, streamed })
        {
            Assert.Equal((code, status, provider), (error.Code, error.Status, error.Provider));
            Assert.NotNull(error.InnerException);
            if (provider == "openai")
                Assert.Equal((TimeSpan.FromSeconds(9), "req_42"), (error.RetryAfter, error.RequestId));
            else
                Assert.Null(error.RetryAfter); // these clients keep it to themselves: see RetryAfterHandler
        }

        Assert.Equal(2, server.Requests.Count);
    }

    public static TheoryData<string, int, string> Waits => new()
    {
        { "anthropic", 429, "rate_limit" },
        { "anthropic", 529, "server" },
        { "ollama", 429, "rate_limit" },
        { "ollama", 503, "server" },
    };

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task RetryAfterHandler_MakesTheTimeKnown_ToClientsThatDoNotPassItOn(string provider, int status, string code)
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Error(status, "too_much", "slow down", retryAfter: "9");
        using var http = new HttpClient(new RetryAfterHandler(new SocketsHttpHandler()));
        var client = (new LM(ClientOf(server, provider, http)) with { Retry = null }).AsChatClient();
        var plain = await Assert.ThrowsAnyAsync<LMException>(() => client.GetResponseAsync("hi", cancellationToken: Token));
        var streamed = await Assert.ThrowsAnyAsync<LMException>(async () => await client.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token));
        foreach (var error in new[] { plain, streamed })
        {
            Assert.Equal((code, status, provider, TimeSpan.FromSeconds(9)), (error.Code, error.Status, error.Provider, error.RetryAfter));
            Assert.Equal(("too_much", "req_42"), (error.ProviderCode, error.RequestId));
            Assert.Contains("slow down", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("ollama")]
    public async Task RetryAfterHandler_OtherAnswers_PassThrough(string provider)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(500, "broken", "no time"), FakeReply.Say("fine"));
        using var http = new HttpClient(new RetryAfterHandler(new SocketsHttpHandler()));
        var client = (new LM(ClientOf(server, provider, http)) with { Retry = null }).AsChatClient();
        var error = await Assert.ThrowsAsync<LMServerException>(() => client.GetResponseAsync("hi", cancellationToken: Token));
        Assert.Null(error.RetryAfter);
        Assert.Equal("fine", (await client.GetResponseAsync("hi", cancellationToken: Token)).Text);
    }

    [Fact]
    public async Task RetryAfterHandler_UnderRetry_WaitsAsLongAsTheProviderAsks()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Error(429, retryAfter: "9"), FakeReply.Say("fine"));
        using var http = new HttpClient(new RetryAfterHandler(new SocketsHttpHandler()));
        var time = new LeapingTime();
        var started = time.GetUtcNow();
        var client = (new LM(server.Anthropic(http: http)) with { Retry = new() { Time = time, Jitter = 0 } }).AsChatClient();
        Assert.Equal("fine", (await client.GetResponseAsync("hi", cancellationToken: Token)).Text);
        Assert.Equal(TimeSpan.FromSeconds(9), time.GetUtcNow() - started);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("ollama")]
    public async Task NoServer_IsATransportError(string provider)
    {
        IChatClient raw;
        await using (var server = await FakeServer.StartAsync())
            raw = ClientOf(server, provider);
        var error = await Assert.ThrowsAsync<LMTransportException>(
            () => (new LM(raw) with { Retry = null }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.True(error.IsRetryable);
        Assert.Null(error.Status);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("ollama")]
    public async Task AnswerThatIsNoJson_IsAProviderError(string provider)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Raw("not json"));
        var error = await Assert.ThrowsAsync<LMProviderException>(
            () => (new LM(ClientOf(server, provider)) with { Retry = null }).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.False(error.IsRetryable);
    }

    [Theory]
    [InlineData("openai", false)]
    [InlineData("anthropic", false)]
    [InlineData("ollama", false)]
    [InlineData("openai", true)]
    [InlineData("anthropic", true)]
    [InlineData("ollama", true)]
    public async Task CutAnswer_IsATransportError(string provider, bool streams)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Say("one two three four") with { CutAfter = 2 });
        var client = (new LM(ClientOf(server, provider)) with { Retry = null }).AsChatClient();
        await Assert.ThrowsAsync<LMTransportException>(async () => _ = streams
            ? await client.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token)
            : await client.GetResponseAsync("hi", cancellationToken: Token));
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("ollama")]
    public async Task HangingServer_WhenTheCallerGivesUp_IsACancellation(string provider)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Hang());
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var call = new LM(ClientOf(server, provider)).AsChatClient().GetResponseAsync("hi", cancellationToken: cancel.Token);
        while (server.Requests.Count == 0)
            await Task.Yield();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task HangingServer_WhenTheClientGivesUp_IsATimeout()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Hang());
        var model = new LM(server.OpenAI(timeout: TimeSpan.FromMilliseconds(50))) with { Retry = null };
        var error = await Assert.ThrowsAsync<LMTimeoutException>(() => model.AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.True(error.IsRetryable);
    }

    [Fact]
    public async Task Ollama_ModelWithoutTools_IsAnUnsupportedFeature()
    {
        await using var server = await FakeServer.StartAsync(new FakeReply { Status = 400, Body = """{"error":"llama3 does not support tools"}""" });
        var model = new LM(server.Ollama()) with { Retry = null };
        await Assert.ThrowsAsync<LMUnsupportedFeatureException>(() => model.AsChatClient().GetResponseAsync(
            "hi", new ChatOptions { Tools = [AIFunctionFactory.Create(() => 1, "f")] }, Token));
    }

    [Theory]
    [InlineData("bad option", "invalid_request")]
    [InlineData("input length exceeds the context length", "context_window_exceeded")]
    public async Task Ollama_RefusedRequest_IsAnInvalidRequest(string text, string code)
    {
        await using var server = await FakeServer.StartAsync(new FakeReply { Status = 400, Body = $$"""{"error":"{{text}}"}""" });
        var error = await Assert.ThrowsAnyAsync<LMInvalidRequestException>(
            () => new LM(server.Ollama()).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(code, error.Code);
    }

    [Fact]
    public async Task Anthropic_ErrorWithinAStream_IsWhatItSays()
    {
        await using var server = await FakeServer.StartAsync(new FakeReply
        {
            ContentType = "text/event-stream",
            Body = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        });
        var model = (new LM(server.Anthropic()) with { Retry = null }).AsChatClient();
        var error = await Assert.ThrowsAsync<LMServerException>(async () => await model.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token));
        Assert.Equal(("overloaded_error", true), (error.ProviderCode, error.IsRetryable));
    }

    [Fact]
    public async Task OpenAI_RejectedKey_IsNotInTheMessage()
    {
        const string key = "sk-proj-verysecretverysecret1234";
        await using var server = await FakeServer.StartAsync(FakeReply.Error(401, "invalid_api_key", $"Incorrect API key provided: {key}."));
        var error = await Assert.ThrowsAsync<LMAuthException>(
            () => new LM(server.OpenAI(key: key)).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.DoesNotContain("verysecret", error.Message, StringComparison.Ordinal);
        Assert.Equal("invalid_api_key", error.ProviderCode);
    }

    private static IChatClient ClientOf(FakeServer server, string provider, HttpClient? http = null) => provider switch
    {
        "openai" => server.OpenAI(),
        "anthropic" => server.Anthropic(http: http),
        _ => server.Ollama(http: http),
    };
}
