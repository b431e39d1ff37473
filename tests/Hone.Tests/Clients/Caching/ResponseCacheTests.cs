using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.Caching;

public sealed class ResponseCacheTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hit_IsAFreshCopy_FlaggedAndWithoutUsage()
    {
        using var cache = new ResponseCache();
        var client = new StubChatClient(_ => Rich());
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var first = await model.GetResponseAsync("hi", cancellationToken: Token);
        Assert.False(ResponseCache.IsHit(first));
        first.Messages[0].Contents.Clear(); // D17: what a caller does to its object is its own affair
        first.Usage!.InputTokenCount = 99;
        var second = await model.GetResponseAsync("hi", cancellationToken: Token);
        AssertHit(second);
        second.Messages.Clear();
        AssertHit(await model.GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(1, client.Calls);
        Assert.Equal((2L, 1L, 1L), (cache.GetStatistics().Hits, cache.GetStatistics().Misses, cache.GetStatistics().MemoryEntries));
    }

    [Fact]
    public void StoredForm_RoundTrips()
    {
        var kept = CachedResponse.Capture(Rich(), DateTimeOffset.UnixEpoch)!;
        AssertHit(CachedResponseJson.Read(CachedResponseJson.Write(kept))!.ToHit());
        Assert.Null(CachedResponseJson.Read("{}"u8.ToArray()));
        Assert.Null(CachedResponseJson.Read("""{"v":2}"""u8.ToArray()));
        Assert.Null(CachedResponseJson.Read("""{"v":1,"at":0,"messages":[{"role":"x","parts":[{"noise":1}]}]}"""u8.ToArray()));
        Assert.Null(CachedResponseJson.Read(CachedResponseJson.Write(kept).AsMemory(0, 50)));
    }

    [Fact]
    public async Task D17_StreamedAndPlainCalls_ShareEntries()
    {
        using var cache = new ResponseCache();
        var client = StubChatClient.Saying("one two three");
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var updates = await model.GetStreamingResponseAsync("a", cancellationToken: Token).ToListAsync(Token);
        Assert.Equal(["one", " two", " three", ""], updates.Select(update => update.Text));
        var plain = await model.GetResponseAsync("a", cancellationToken: Token);
        Assert.True(ResponseCache.IsHit(plain));
        Assert.Equal("one two three", plain.Text);
        await model.GetResponseAsync("b", cancellationToken: Token);
        var replayed = await model.GetStreamingResponseAsync("b", cancellationToken: Token).ToChatResponseAsync(Token);
        Assert.True(ResponseCache.IsHit(replayed));
        Assert.Equal(("one two three", 0L, ChatFinishReason.Stop), (replayed.Text, replayed.Usage!.TotalTokenCount!.Value, replayed.FinishReason!.Value));
        Assert.Equal(15, Assert.IsType<UsageDetails>(replayed.AdditionalProperties![ResponseCache.CachedUsageKey]).TotalTokenCount);
        Assert.Equal(2, client.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task D17_EqualCallsAtOnce_AreMadeOnce(bool streams)
    {
        using var cache = new ResponseCache();
        var gate = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, _) =>
        {
            await gate.Task;
            return StubChatClient.Response("x");
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var calls = Enumerable.Range(0, 20).Select(i => streams && i % 2 == 0
            ? model.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token)
            : model.GetResponseAsync("hi", cancellationToken: Token)).ToList();
        gate.SetResult();
        var responses = await Task.WhenAll(calls);
        Assert.Equal(1, client.Calls);
        Assert.All(responses, response => Assert.Equal("x", response.Text));
        Assert.Equal(1, responses.Count(response => !ResponseCache.IsHit(response)));
        Assert.Equal(20, responses.Distinct().Count());
        Assert.Equal((1L, 19L), (cache.GetStatistics().Misses, cache.GetStatistics().Shared));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FirstCallerThatCancels_DoesNotCancelTheOthers(bool streams)
    {
        using var cache = new ResponseCache();
        var gate = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, token) =>
        {
            await gate.Task.WaitAsync(token);
            return StubChatClient.Response("x");
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        using var cancel = new CancellationTokenSource();
        var first = streams
            ? model.GetStreamingResponseAsync("hi", cancellationToken: cancel.Token).ToChatResponseAsync(cancel.Token)
            : model.GetResponseAsync("hi", cancellationToken: cancel.Token);
        var second = model.GetResponseAsync("hi", cancellationToken: Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult();
        Assert.Equal("x", (await second).Text);
        Assert.Equal(1, client.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhenAllCallersHaveGone_TheCallIsCancelled_AndALaterOneMakesItsOwn(bool streams)
    {
        using var cache = new ResponseCache();
        var stopped = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, token) =>
        {
            if (stopped.Task.IsCompleted)
                return StubChatClient.Response("x");
            await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => stopped.TrySetResult(), TaskScheduler.Default);
            token.ThrowIfCancellationRequested();
            return new();
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        using var cancel = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 3).Select(_ => streams
            ? model.GetStreamingResponseAsync("hi", cancellationToken: cancel.Token).ToChatResponseAsync(cancel.Token)
            : model.GetResponseAsync("hi", cancellationToken: cancel.Token)).ToList();
        await cancel.CancelAsync();
        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await stopped.Task;
        Assert.Equal("x", (await model.GetResponseAsync("hi", cancellationToken: Token)).Text);
        Assert.Equal(2, client.Calls);
    }

    [Fact]
    public async Task Stream_ThatIsLeftEarly_StillServesThoseWhoJoined()
    {
        using var cache = new ResponseCache();
        var gate = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, token) =>
        {
            await gate.Task.WaitAsync(token);
            return StubChatClient.Response("one two three");
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var updates = model.GetStreamingResponseAsync("hi", cancellationToken: Token).GetAsyncEnumerator(Token);
        var move = updates.MoveNextAsync();
        var joined = model.GetResponseAsync("hi", cancellationToken: Token);
        gate.SetResult();
        Assert.True(await move);
        await updates.DisposeAsync();
        Assert.Equal("one two three", (await joined).Text);
        Assert.Equal(1, client.Calls);
    }

    [Fact]
    public async Task SharedFailure_ReachesEveryone_AndIsNotKept()
    {
        using var cache = new ResponseCache();
        var gate = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, _) =>
        {
            await gate.Task;
            throw new HttpRequestException("no", null, System.Net.HttpStatusCode.BadRequest);
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var calls = Enumerable.Range(0, 5).Select(_ => model.GetResponseAsync("hi", cancellationToken: Token)).ToList();
        gate.SetResult();
        foreach (var call in calls)
            await Assert.ThrowsAsync<LMInvalidRequestException>(() => call);
        Assert.Equal(1, client.Calls);
        await Assert.ThrowsAsync<LMInvalidRequestException>(() => model.GetResponseAsync("hi", cancellationToken: Token));
        Assert.Equal(2, client.Calls);
    }

    public static TheoryData<string, ChatResponse> NotKept => new()
    {
        { "filtered", new(new ChatMessage(ChatRole.Assistant, "x")) { FinishReason = ChatFinishReason.ContentFilter } },
        { "error", new(new ChatMessage(ChatRole.Assistant, [new ErrorContent("bad")])) },
        { "sampled tokens", new(new ChatMessage(ChatRole.Assistant, "x")) { AdditionalProperties = new() { [SampledTokens.Key] = new SampledTokens([1], [2], [0], 0, 1, false) } } },
        { "unknown part", new(new ChatMessage(ChatRole.Assistant, [new AIContent()])) },
    };

    [Theory]
    [MemberData(nameof(NotKept))]
    public async Task AnswersThatMustNotBeShared_AreNeitherKeptNorShared(string what, ChatResponse answer)
    {
        using var cache = new ResponseCache();
        var gate = new TaskCompletionSource();
        var client = new StubChatClient(async (_, _, _) =>
        {
            await gate.Task;
            return answer;
        });
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        var calls = Enumerable.Range(0, 3).Select(_ => model.GetResponseAsync("hi", cancellationToken: Token)).ToList();
        gate.SetResult();
        Assert.All(await Task.WhenAll(calls), response => Assert.False(ResponseCache.IsHit(response), what));
        Assert.Equal(3, client.Calls);
        Assert.Equal(0, cache.GetStatistics().MemoryEntries);
    }

    [Fact]
    public void SampledTokensKey_IsTheOneOfTheRuntime() => Assert.Equal(SampledTokens.Key, ResponseKeys.SampledTokens);

    [Fact]
    public async Task Modes_DoWhatTheySay()
    {
        using var cache = new ResponseCache();
        var client = new StubChatClient(call => StubChatClient.Response($"answer {call}"));
        async Task<string> Ask(CacheMode mode, string question = "hi") =>
            (await (new LM(client) with { Cache = cache.WithMode(mode) }).AsChatClient().GetResponseAsync(question, new HoneChatOptions { Path = "p" }, Token)).Text;
        Assert.Equal("answer 0", await Ask(CacheMode.ReadOnly));
        Assert.Equal("answer 1", await Ask(CacheMode.Default));
        Assert.Equal("answer 1", await Ask(CacheMode.ReadOnly));
        Assert.Equal("answer 1", await Ask(CacheMode.Replay));
        Assert.Equal("answer 2", await Ask(CacheMode.Bypass));
        Assert.Equal("answer 3", await Ask(CacheMode.WriteOnly));
        Assert.Equal("answer 3", await Ask(CacheMode.Default));
        var miss = await Assert.ThrowsAsync<CacheMissException>(() => Ask(CacheMode.Replay, "new"));
        Assert.Equal(("gpt-4o", "p", 64), (miss.Model, miss.Path, miss.Key.Length));
        Assert.Contains(miss.Key, miss.Message, StringComparison.Ordinal);
        Assert.Contains("'p'", miss.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CacheMissException>(() => (new LM(client) with { Cache = cache.WithMode(CacheMode.Replay) }).AsChatClient().GetResponseAsync(
            "hi", new ChatOptions { ConversationId = "c" }, Token));
        await Assert.ThrowsAsync<CacheMissException>(async () => await (new LM(client) with { Cache = cache.WithMode(CacheMode.Replay) }).AsChatClient()
            .GetStreamingResponseAsync("new", cancellationToken: Token).ToChatResponseAsync(Token));
        Assert.Equal(4, client.Calls);
    }

    [Fact]
    public async Task TimeToLive_EndsAnEntry()
    {
        var time = new FakeTimeProvider();
        using var cache = new ResponseCache(options: new() { TimeToLive = TimeSpan.FromHours(1), Time = time });
        var client = StubChatClient.Saying("x");
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        await model.GetResponseAsync("hi", cancellationToken: Token);
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.True(ResponseCache.IsHit(await model.GetResponseAsync("hi", cancellationToken: Token)));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(ResponseCache.IsHit(await model.GetResponseAsync("hi", cancellationToken: Token)));
        Assert.Equal(2, client.Calls);
    }

    [Fact]
    public async Task Memory_IsBoundedByBytes_AndForgetsTheLeastRecentlyUsed()
    {
        using var cache = new ResponseCache(options: new() { MemoryBytes = 10_000 });
        var client = new StubChatClient(_ => StubChatClient.Response(new string('x', 1000)));
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        for (var i = 0; i < 10; i++)
        {
            await model.GetResponseAsync("keep", cancellationToken: Token);
            await model.GetResponseAsync($"{i}", cancellationToken: Token);
        }

        Assert.Equal(11, client.Calls); // "keep" was never forgotten
        var statistics = cache.GetStatistics();
        Assert.InRange(statistics.MemoryBytes, 1, 10_000);
        Assert.Equal(11, statistics.MemoryEntries + statistics.Evictions);
        await model.GetResponseAsync("0", cancellationToken: Token);
        Assert.Equal(12, client.Calls);
    }

    [Fact]
    public async Task SampleIds_TellSamplesApart()
    {
        using var cache = new ResponseCache();
        var client = new StubChatClient(call => StubChatClient.Response($"{call}"));
        var model = (new LM(client) with { Cache = cache }).AsChatClient();
        async Task<string> Ask(long? sample) => (await model.GetResponseAsync("hi", new HoneChatOptions { SampleId = sample }, Token)).Text;
        Assert.Equal(["0", "1", "2", "1", "0"], [await Ask(null), await Ask(0), await Ask(1), await Ask(0), await Ask(null)]);
    }

    [Fact]
    public async Task ClearAndExport_CoverWhatIsHeld()
    {
        using var cache = new ResponseCache();
        var model = (new LM(StubChatClient.Saying("x")) with { Cache = cache }).AsChatClient();
        await model.GetResponseAsync("a", cancellationToken: Token);
        await model.GetResponseAsync("b", cancellationToken: Token);
        using var stream = new MemoryStream();
        Assert.Equal(2, await cache.ExportAsync(stream, Token));
        var lines = Encoding.UTF8.GetString(stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Equal("x", JsonDocument.Parse(line).RootElement.GetProperty("response").GetProperty("messages")[0].GetProperty("parts")[0].GetProperty("text").GetString()));
        await cache.ClearAsync(Token);
        Assert.Equal(0, cache.GetStatistics().MemoryEntries);
    }

    private static ChatResponse Rich() => new([
        new(ChatRole.Assistant, [
            new TextReasoningContent("hm") { ProtectedData = "sealed" },
            new TextContent("hello") { Annotations = [Citation(), new AIAnnotation { AnnotatedRegions = [] }], AdditionalProperties = new() { ["k"] = "v", ["no"] = new MemoryStream() } },
            new FunctionCallContent("c1", "search", new Dictionary<string, object?> { ["q"] = "tea", ["n"] = 3, ["deep"] = new Dictionary<string, object?> { ["a"] = null } }),
            new DataContent(new byte[] { 1, 2, 3 }, "image/png") { Name = "n.png" },
            new UriContent("https://host/x", "audio/wav"),
        ])
        { MessageId = "m", AuthorName = "Ann" },
        new(ChatRole.Tool, [new FunctionResultContent("c1", 42)]),
    ])
    {
        ResponseId = "r",
        ModelId = "gpt-4o-1",
        CreatedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        FinishReason = ChatFinishReason.Stop,
        Usage = new() { InputTokenCount = 10, OutputTokenCount = 5, TotalTokenCount = 15, ReasoningTokenCount = 2, AdditionalCounts = new() { ["audio"] = 1 } },
        AdditionalProperties = new() { ["system_fingerprint"] = "fp", ["n"] = 3, ["raw"] = new MemoryStream() },
        RawRepresentation = new(),
    };

    private static CitationAnnotation Citation() => new()
    {
        Title = "T",
        Url = new("https://host/"),
        FileId = "f",
        ToolName = "search",
        Snippet = "words",
        AnnotatedRegions = [new TextSpanAnnotatedRegion { StartIndex = 1, EndIndex = 3 }, new TextSpanAnnotatedRegion { StartIndex = 4 }],
        AdditionalProperties = new() { ["v"] = "w" },
    };

    private static void AssertHit(ChatResponse response)
    {
        Assert.True(ResponseCache.IsHit(response));
        Assert.Equal(0, response.Usage!.TotalTokenCount);
        var usage = Assert.IsType<UsageDetails>(response.AdditionalProperties![ResponseCache.CachedUsageKey]);
        Assert.Equal((10L, 5L, 2L), (usage.InputTokenCount!.Value, usage.OutputTokenCount!.Value, usage.ReasoningTokenCount!.Value));
        Assert.Equal(("r", "gpt-4o-1", ChatFinishReason.Stop, 2026), (response.ResponseId, response.ModelId, response.FinishReason!.Value, response.CreatedAt!.Value.Year));
        Assert.Equal(("fp", 3L, false), ((string)response.AdditionalProperties["system_fingerprint"]!, (long)response.AdditionalProperties["n"]!, response.AdditionalProperties.ContainsKey("raw")));
        Assert.Null(response.RawRepresentation);
        var message = response.Messages[0];
        Assert.Equal(("m", "Ann", ChatRole.Assistant), (message.MessageId, message.AuthorName, message.Role));
        var thought = Assert.IsType<TextReasoningContent>(message.Contents[0]);
        Assert.Equal(("hm", "sealed"), (thought.Text, thought.ProtectedData));
        var text = Assert.IsType<TextContent>(message.Contents[1]);
        Assert.Equal(("hello", "v", 1), (text.Text, (string)text.AdditionalProperties!["k"]!, text.AdditionalProperties.Count));
        Assert.Equal(1, usage.AdditionalCounts!["audio"]);
        Assert.Equal(2, text.Annotations!.Count);
        var (expected, citation) = (Citation(), Assert.IsType<CitationAnnotation>(text.Annotations[0]));
        Assert.Equal(
            (expected.Title, expected.Url, expected.FileId, expected.ToolName, expected.Snippet, "w"),
            (citation.Title, citation.Url, citation.FileId, citation.ToolName, citation.Snippet, (string)citation.AdditionalProperties!["v"]!));
        Assert.Equal(
            [(1, 3), (4, null)],
            citation.AnnotatedRegions!.Cast<TextSpanAnnotatedRegion>().Select(region => (region.StartIndex, region.EndIndex)));
        Assert.Empty(Assert.IsType<AIAnnotation>(text.Annotations[1]).AnnotatedRegions!);
        var call = Assert.IsType<FunctionCallContent>(message.Contents[2]);
        Assert.Equal(("c1", "search", "tea", 3), (call.CallId, call.Name, $"{call.Arguments!["q"]}", ((JsonElement)call.Arguments["n"]!).GetInt32()));
        var data = Assert.IsType<DataContent>(message.Contents[3]);
        Assert.Equal([1, 2, 3], data.Data.ToArray());
        Assert.Equal(("image/png", "n.png"), (data.MediaType, data.Name));
        Assert.Equal("https://host/x", Assert.IsType<UriContent>(message.Contents[4]).Uri.ToString());
        Assert.Equal(42L, Assert.IsType<FunctionResultContent>(response.Messages[1].Contents[0]).Result);
    }
}
