using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients.History;

public sealed class CallHistoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Inspect_ShowsTheCall_ForAPerson()
    {
        var time = new FakeTimeProvider(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var history = new CallHistory(time: time);
        var response = new ChatResponse([
            new(ChatRole.Assistant, [new TextContent("Let me look."), new FunctionCallContent("c1", "search", new Dictionary<string, object?> { ["q"] = "tea" })]),
            new(ChatRole.Assistant, "another"),
            new(ChatRole.Assistant, "a third")])
        {
            FinishReason = ChatFinishReason.ToolCalls,
            Usage = new() { InputTokenCount = 1000, OutputTokenCount = 20 },
        };
        var client = new StubChatClient((_, _, _) =>
        {
            time.Advance(TimeSpan.FromSeconds(1.5));
            return Task.FromResult(response);
        });
        var model = new LM(client, "gpt") with { History = history, Price = new(2, 10) };
        await model.AsChatClient().GetResponseAsync(
            [
                new(ChatRole.System, "Be brief."),
                new(ChatRole.User, [new TextContent("What is this?"), new DataContent(new byte[1234], "image/png"), new UriContent("https://host/a.png?sig=secret", "image/png")]),
                new(ChatRole.Tool, [new FunctionResultContent("c0", "42")]),
            ],
            new HoneChatOptions { Path = "answer", Ordinal = 2 },
            Token);
        Assert.Equal("""

            ===== 2026-01-02 03:04:05 +00:00  answer #2 (task)  gpt

            System message:

            Be brief.

            User message:

            What is this?[image/png, 1234 bytes][image/png at https://host/a.png]

            Tool message:

            [result of c0] 42

            Response:

            Let me look.
            Tool calls:
            search: {"q":"tea"}

            (and 2 other completions)

            finished: tool_calls · 1000 + 20 tokens · $0.0022 · 1.5 s

            """, history.Inspect(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task Entry_HoldsOptionsModelIdAndAllCounts()
    {
        var history = new CallHistory();
        using var cache = new ResponseCache();
        var response = StubChatClient.Response("x");
        response.Usage = new() { InputTokenCount = 10, OutputTokenCount = 5, CachedInputTokenCount = 4, ReasoningTokenCount = 3, AdditionalCounts = new() { ["audio"] = 2 } };
        var model = (new LM(new StubChatClient(_ => response)) { History = history, Cache = cache }).AsChatClient();
        var options = new HoneChatOptions
        {
            Temperature = 0.5f,
            MaxOutputTokens = 9,
            StopSequences = ["END"],
            Reasoning = new() { Effort = ReasoningEffort.None },
            ResponseFormat = ChatResponseFormat.Json,
            Tools = [AIFunctionFactory.Create(() => 1, "one")],
            ToolMode = ChatToolMode.RequireSpecific("one"),
            SampleId = 7,
            AdditionalProperties = new() { ["top_a"] = 0.25, ["api_key"] = "sk-proj-0123456789abcdef0123" },
        };
        await model.GetResponseAsync("hi", options, Token);
        await model.GetResponseAsync("hi", options, Token);
        await model.GetResponseAsync("hi", cancellationToken: Token);

        var entry = history.Entries[0];
        Assert.Equal(("gpt-4o", "r1"), (entry.ResponseModel, entry.ResponseId));
        Assert.Equal(
            "max_output_tokens=9 reasoning_effort=None response_format=json sample_id=7 stop_sequences=[\"END\"] temperature=0.5 tool_mode=required: one tools=one top_a=0.25",
            string.Join(' ', entry.Options.Select(option => $"{option.Key}={option.Value}")));
        Assert.Equal("audio=2 cached_input=4 input=10 output=5 reasoning=3", string.Join(' ', entry.TokenCounts.Select(count => $"{count.Key}={count.Value}")));
        Assert.True(history.Entries[1].IsCacheHit);
        Assert.Equal(entry.TokenCounts, history.Entries[1].TokenCounts);
        Assert.Empty(history.Entries[2].Options);
    }

    [Fact]
    public async Task D49_EmptyAndNullAnswers_AreShown()
    {
        var history = new CallHistory();
        ChatResponse[] answers =
        [
            new(), new(new ChatMessage(ChatRole.Assistant, (string?)null)), new(new ChatMessage(ChatRole.Assistant, [])) { Usage = new() },
            new(new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("c", "f", null)])), new([new(new ChatRole("odd"), "")]),
        ];
        var client = (new LM(new StubChatClient(call => answers[call])) with { History = history }).AsChatClient();
        foreach (var _ in answers)
            await client.GetResponseAsync([], cancellationToken: Token);
        var text = history.Inspect(int.MaxValue);
        Assert.Equal(4, text.Split("(empty)").Length - 1);
        Assert.Contains("f: {}", text, StringComparison.Ordinal);
        HistoryPrinter.Print(TextWriter.Null, new CallHistoryEntry { Timestamp = default, Model = null!, Path = null!, Role = null!, Messages = default, Answers = default });
        HistoryPrinter.Print(TextWriter.Null, new CallHistoryEntry { Timestamp = default, Model = "m", Messages = [new(null!, null!) { ToolCalls = default }] });
        Assert.Equal(string.Empty, new CallHistory().Inspect(5));
        Assert.Equal(string.Empty, history.Inspect(-1));
    }

    [Fact]
    public async Task D51_History_IsBounded_HoldsNoMedia_AndIsSafeUnderConcurrentCalls()
    {
        var history = new CallHistory(capacity: 10);
        var client = (new LM(new StubChatClient(async (messages, _, _) =>
        {
            await Task.Yield();
            return StubChatClient.Response(messages[0].Text);
        })) with
        { History = history }).AsChatClient();
        var image = new DataContent(new byte[100_000], "image/png");
        await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.GetResponseAsync([new(ChatRole.User, [new TextContent($"{i}"), image])], cancellationToken: Token)));
        var entries = history.Entries;
        Assert.Equal(10, entries.Length);
        Assert.All(entries, entry => Assert.True(entry.Messages[0].Text.Length < 100));
        Assert.All(entries, entry => Assert.StartsWith(entry.Answers[0].Text, entry.Messages[0].Text, StringComparison.Ordinal));
        await client.GetResponseAsync("last", cancellationToken: Token);
        Assert.Equal("last", history.Entries[^1].Messages[0].Text);
        history.Clear();
        Assert.Empty(history.Entries);
    }

    [Fact]
    public void D51_WithoutAHistory_NothingIsKept() => Assert.IsType<AttemptClient>(new LM(StubChatClient.Saying("x")).Pipeline);

    [Fact]
    public async Task Redaction_ChangesOrDropsEntries()
    {
        var history = new CallHistory(redact: entry => entry.Path == "secret" ? null : entry with { Messages = [], Answers = [] });
        var client = (new LM(StubChatClient.Saying("x")) with { History = history }).AsChatClient();
        await client.GetResponseAsync("hi", new HoneChatOptions { Path = "secret" }, Token);
        await client.GetResponseAsync("hi", new HoneChatOptions { Path = "open" }, Token);
        Assert.Equal("open", Assert.Single(history.Entries).Path);
        Assert.Empty(history.Entries[0].Messages);
    }

    [Fact]
    public async Task FailedAndLeftCalls_AreKept_WithTheirCause()
    {
        var history = new CallHistory();
        var failing = (new LM(new StubChatClient(_ => throw new InvalidOperationException("Bearer abcdefghijkl"))) with { History = history }).AsChatClient();
        await Assert.ThrowsAsync<LMUnexpectedException>(() => failing.GetResponseAsync("hi", cancellationToken: Token));
        Assert.Contains("LMUnexpectedException", history.Inspect(), StringComparison.Ordinal);
        Assert.DoesNotContain("abcdefghijkl", history.Inspect(), StringComparison.Ordinal);
        var streaming = (new LM(StubChatClient.Saying("a b c")) with { History = history }).AsChatClient();
        await foreach (var update in streaming.GetStreamingResponseAsync("hi", cancellationToken: Token))
            break;
        Assert.Equal(("a", true), (history.Entries[^1].Answers[0].Text, history.Entries[^1].Error is not null));
        await streaming.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token);
        Assert.Equal(("a b c", true, 15L), (history.Entries[^1].Answers[0].Text, history.Entries[^1].Error is null, history.Entries[^1].Usage.TotalTokens));
    }

    [Fact]
    public async Task CacheHits_AreMarked_AndCostNothing()
    {
        var history = new CallHistory();
        using var cache = new ResponseCache();
        var client = (new LM(StubChatClient.Saying("x")) with { History = history, Cache = cache, Price = new(1, 1) }).AsChatClient();
        await client.GetResponseAsync("hi", cancellationToken: Token);
        await client.GetResponseAsync("hi", cancellationToken: Token);
        Assert.Equal([false, true], history.Entries.Select(entry => entry.IsCacheHit));
        Assert.Equal([0.000015m, 0m], history.Entries.Select(entry => entry.Cost!.Value));
        Assert.Contains("from the cache", history.Inspect(), StringComparison.Ordinal);
    }
}
