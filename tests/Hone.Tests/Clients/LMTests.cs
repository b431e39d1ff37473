using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Tests.Clients;

public sealed class LMTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Pipeline_IsBuiltOnce_AndNotCopiedByWith()
    {
        var model = new LM(StubChatClient.Saying("x"));
        Assert.Same(model.AsChatClient(), model.AsChatClient());
        Assert.NotSame(model.AsChatClient(), (model with { Name = "other" }).AsChatClient());
        using var cache = new ResponseCache();
        Assert.IsType<CacheClient>((model with { Cache = cache }).Pipeline);
        Assert.IsType<AttemptClient>(model.Pipeline); // a part that is absent is no layer
    }

    [Fact]
    public void Equality_LooksAtSettingsAndParts_NotAtThePipeline()
    {
        var client = StubChatClient.Saying("x");
        var model = new LM(client, "a");
        _ = model.AsChatClient();
        Assert.Equal(model, new LM(client, "a"));
        Assert.Equal(model.GetHashCode(), new LM(client, "a").GetHashCode());
        Assert.Equal(model, model with { });
        Assert.Equal(model with { Failover = [new LM(client, "b")] }, model with { Failover = [new LM(client, "b")] });
        using var cache = new ResponseCache();
        using var budget = new CallBudget(new());
        using var limiter = new RateLimiter(new());
        LM[] others =
        [
            model with { Name = "b" }, model with { Client = StubChatClient.Saying("x") }, model with { Role = "judge" }, model with { Price = new(1, 1) },
            model with { Options = new() { TopK = 1 } }, model with { Retry = null }, model with { Cache = cache }, model with { Budget = budget },
            model with { RateLimiter = limiter }, model with { History = new() }, model with { Failover = [model] }, model with { Logger = new ListLogger() },
            model with { Capabilities = new() { JsonMode = true } },
        ];
        Assert.All(others, other => Assert.NotEqual(model, other));
        Assert.Equal("a", model.ToString());
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("ollama")]
    public async Task EveryProvider_PassesThroughTheWholePipeline_PlainAndStreamed(string provider)
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = request => FakeReply.Say("one two three") with { InputTokens = 11, OutputTokens = 4 };
        using var cache = new ResponseCache();
        using var budget = new CallBudget(new() { MaxMoney = 1, MaxTime = TimeSpan.FromHours(1) });
        using var limiter = new RateLimiter(new() { MaxConcurrentCalls = 4 });
        var history = new CallHistory();
        var model = (new LM(provider switch { "openai" => server.OpenAI(), "anthropic" => server.Anthropic(), _ => server.Ollama() }) with
        {
            Cache = cache,
            Budget = budget,
            RateLimiter = limiter,
            History = history,
            Price = new(1, 1),
            Failover = [new LM(StubChatClient.Saying("backup"))],
        }).AsChatClient();
        var plain = await model.GetResponseAsync("plain", cancellationToken: Token);
        var streamed = await model.GetStreamingResponseAsync("streamed", cancellationToken: Token).ToChatResponseAsync(Token);
        foreach (var response in new[] { plain, streamed })
        {
            Assert.Equal("one two three", response.Text.Trim());
            Assert.Equal((11L, 4L), (response.Usage!.InputTokenCount!.Value, response.Usage.OutputTokenCount!.Value));
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        }

        Assert.True(ResponseCache.IsHit(await model.GetResponseAsync("streamed", cancellationToken: Token)));
        Assert.Equal((2L, 22L, 8L), (budget.GetSnapshot().Spent.Calls, budget.GetSnapshot().Spent.InputTokens, budget.GetSnapshot().Spent.OutputTokens));
        Assert.Equal(3, history.Entries.Length);
        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.DoesNotContain("sample", request.Body.GetRawText(), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Failover_GoesToTheNext_AndSaysSo()
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Error(500);
        var logger = new ListLogger();
        var backup = StubChatClient.Saying("from the backup");
        var model = new LM(server.OpenAI(), "first") with
        {
            Retry = null,
            Logger = logger,
            Failover = [new LM(new StubChatClient(_ => throw new HttpRequestException("down")), "second") with { Retry = null }, new LM(backup, "third")],
        };
        var response = await model.AsChatClient().GetResponseAsync("hi", new ChatOptions { ModelId = "gpt-4o" }, Token);
        Assert.Equal(("from the backup", "third"), (response.Text, response.AdditionalProperties!["hone.failover"]));
        Assert.Null(backup.LastOptions!.ModelId);
        var streamed = await model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token);
        Assert.Equal(("from the backup", "third"), (streamed.Text, streamed.AdditionalProperties!["hone.failover"]));
        Assert.Equal(4, logger.Lines.Count(line => line.Text.Contains("instead", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Failover_NotForARefusedRequest_AndTheFirstErrorIsThrownWhenAllFail()
    {
        var backup = StubChatClient.Saying("x");
        LM Failing(int status, params LM[] next) =>
            new LM(new StubChatClient(_ => throw new HttpRequestException("no", null, (System.Net.HttpStatusCode)status))) with { Retry = null, Failover = [.. next] };
        await Assert.ThrowsAsync<LMInvalidRequestException>(() => Failing(400, new LM(backup)).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(0, backup.Calls);
        await Assert.ThrowsAsync<LMAuthException>(() => Failing(401, Failing(500)).AsChatClient().GetResponseAsync("hi", cancellationToken: Token));
        await Assert.ThrowsAsync<LMAuthException>(
            async () => await Failing(401, Failing(500)).AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token));
        Assert.Equal("x", (await Failing(401, new LM(backup)).AsChatClient().GetResponseAsync("hi", cancellationToken: Token)).Text);
    }

    [Fact]
    public async Task Failover_IsUnderTheSameBudget_AndItsAnswerIsNotKeptAsTheFirstModels()
    {
        using var budget = new CallBudget(new() { MaxCalls = 5 });
        using var cache = new ResponseCache();
        var model = new LM(new StubChatClient(_ => throw new HttpRequestException("down"))) with
        {
            Retry = null,
            Budget = budget,
            Cache = cache,
            Failover = [new LM(StubChatClient.Saying("x"))],
        };
        await model.AsChatClient().GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal(1, budget.GetSnapshot().Spent.Calls);
        Assert.False(ResponseCache.IsHit(await model.AsChatClient().GetResponseAsync("hi", cancellationToken: Token)));
    }

    [Theory]
    [InlineData("gpt-4o")]
    [InlineData("o3-mini")]
    public async Task D16_CutAnswer_IsGivenAsItIs_WithAWarningThatNamesTheLimit(string name)
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Say("half an ans") with { FinishReason = "length", OutputTokens = 16_000 };
        var logger = new ListLogger();
        var model = (new LM(server.OpenAI(name)) with { Logger = logger }).AsChatClient();
        var limited = await model.GetResponseAsync("hi", new HoneChatOptions { MaxOutputTokens = 16_000, Path = "answer" }, Token);
        Assert.Equal(ChatFinishReason.Length, limited.FinishReason);
        var streamed = await model.GetStreamingResponseAsync("hi", new HoneChatOptions { Path = "answer" }, Token).ToChatResponseAsync(Token);
        Assert.Equal(ChatFinishReason.Length, streamed.FinishReason);
        Assert.Equal(2, logger.Lines.Count);
        Assert.All(logger.Lines, line => Assert.Equal(LogLevel.Warning, line.Level));
        Assert.Contains("16000 tokens", logger.Lines[0].Text, StringComparison.Ordinal);
        Assert.Contains("MaxOutputTokens", logger.Lines[1].Text, StringComparison.Ordinal);
        Assert.All(logger.Lines, line => Assert.Contains("answer", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Predictors_PassTheirPathAndOrdinal()
    {
        var client = StubChatClient.Saying("[[ ## answer ## ]]\nx\n\n[[ ## completed ## ]]");
        var history = new CallHistory();
        var program = Predict.Parse("question -> answer").WithModel(new LM(client) with { History = history, Options = new() { SampleId = 4 } });
        await program.CallAsync(FieldMap.Of(("question", "q")), Token);
        var options = Assert.IsType<HoneChatOptions>(client.LastOptions);
        Assert.Equal(("self", 0, 4L), (options.Path, options.Ordinal, options.SampleId));
        Assert.Equal("self", history.Entries[0].Path);
    }

    [Fact]
    public async Task CallersOptions_AreNeverChanged()
    {
        using var budget = new CallBudget(new() { MaxTokens = 100_000 });
        using var cache = new ResponseCache();
        var model = new LM(new StubChatClient((_, options, _) =>
        {
            options!.Temperature = 2; // a client may do as it likes with what it is given
            return Task.FromResult(StubChatClient.Response("x"));
        })) with
        { Budget = budget, Cache = cache };
        var mine = new HoneChatOptions { Temperature = 0.5f };
        await model.AsChatClient().GetResponseAsync("hi", mine, Token);
        Assert.Equal((0.5f, null, null), (mine.Temperature, mine.MaxOutputTokens, mine.Reservation));
    }

    [Fact]
    public void GetService_ReachesTheClient_ThroughTheModelAndItsPipeline()
    {
        var client = StubChatClient.Saying("x");
        using var cache = new ResponseCache();
        var model = new LM(client) with { Cache = cache };
        Assert.Same(client, model.GetService<StubChatClient>());
        Assert.Same(client, model.AsChatClient().GetService<StubChatClient>());
    }
}
