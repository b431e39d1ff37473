using System.Collections.Immutable;
using System.Text.Json;
using Hone.Tests.Clients.Server;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Hone.Tests.Clients;

/// <summary>What of a call's options providers get to see, through their own clients.</summary>
public sealed class ProviderOptionTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "Where?"));

    private static readonly ImmutableSortedDictionary<string, object?> Own =
        ImmutableSortedDictionary<string, object?>.Empty.Add("prompt_cache_key", "k").Add("top_a", 0.25).Add("tags", new[] { "a", "b" });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task JsonAdapter_StrictSchema_IsSentAsStrict()
    {
        var body = await SentAsync("question -> answer: list[int], note: str | None", JsonAdapter.Default);

        var schema = body.GetProperty("response_format").GetProperty("json_schema");
        Assert.True(schema.GetProperty("strict").GetBoolean());
        Assert.Equal(["answer", "note"], schema.GetProperty("schema").GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.False(schema.GetProperty("schema").GetProperty("additionalProperties").GetBoolean());
    }

    [Theory]
    [InlineData("question -> answer: dict[str, int]")]
    [InlineData("question -> answer: Any")]
    public async Task JsonAdapter_TypesWithoutStrictSchema_AskForJson(string signature)
    {
        var body = await SentAsync(signature, JsonAdapter.Default, """{"answer": {}}""");

        Assert.Equal("json_object", body.GetProperty("response_format").GetProperty("type").GetString());
    }

    /// <summary>The client takes the same word for tools, whose schemas were not made for strictness: an optional parameter would have to be given.</summary>
    [Fact]
    public async Task JsonAdapter_StrictSchemaBesideTools_LeavesTheToolsAsTheyAre()
    {
        var tool = AIFunctionFactory.Create((string city, int days = 2) => days, "weather");
        var declared = tool.AsDeclarationOnly();
        const string Signature = "question, tools: list[Tool] -> answer: int, calls: ToolCalls";
        var body = await SentAsync(Signature, JsonAdapter.Default, """{"answer": 1}""", Question.With("tools", ImmutableArray.Create<object?>(tool, declared)));

        Assert.True(body.GetProperty("response_format").GetProperty("json_schema").GetProperty("strict").GetBoolean());
        foreach (var sent in body.GetProperty("tools").EnumerateArray())
        {
            var function = sent.GetProperty("function");
            Assert.False(function.TryGetProperty("strict", out var strict) && strict.GetBoolean());
            Assert.Equal(["city"], function.GetProperty("parameters").GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        }
    }

    /// <summary>An adapter of one's own may ask for a schema that no strict mode takes.</summary>
    [Fact]
    public async Task OtherFormats_AreNotSentAsStrict()
    {
        await using var server = await FakeServer.StartAsync();
        var options = new HoneChatOptions { ResponseFormat = Microsoft.Extensions.AI.ChatResponseFormat.ForJsonSchema(JsonElement.Parse("""{"type": "object"}""")) };
        await new LM(server.OpenAI()).AsChatClient().GetResponseAsync("hi", options, Token);

        var schema = Assert.Single(server.Requests).Body.GetProperty("response_format").GetProperty("json_schema");
        Assert.False(schema.TryGetProperty("strict", out var strict) && strict.GetBoolean());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Additional_ReachesOpenAI_AsItIs(bool isStreamed)
    {
        await using var server = await FakeServer.StartAsync();
        var options = new CallOptions { Additional = Own, Temperature = 0.5f, StopSequences = ["END"] }.ToChatOptions(seed: 3);
        var model = new LM(server.OpenAI()).AsChatClient();
        if (isStreamed)
            await model.GetStreamingResponseAsync("hi", options, Token).ToChatResponseAsync(Token);
        else
            await model.GetResponseAsync("hi", options, Token);

        var body = Assert.Single(server.Requests).Body;
        Assert.Equal("k", body.GetProperty("prompt_cache_key").GetString());
        Assert.Equal(0.25, body.GetProperty("top_a").GetDouble());
        Assert.Equal("""["a","b"]""", body.GetProperty("tags").GetRawText());
        Assert.Equal((0.5, 3), (body.GetProperty("temperature").GetDouble(), body.GetProperty("seed").GetInt32()));
        Assert.Equal("hi", Assert.Single(body.GetProperty("messages").EnumerateArray()).GetProperty("content").GetString());
        Assert.Null(options.RawRepresentationFactory); // the caller's own are not changed
    }

    /// <summary>OpenAI's other client, which asks for log-probabilities in another way.</summary>
    [Fact]
    public async Task Additional_ReachesOpenAIsResponses_AsItIs()
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Error(400);
        var options = new CallOptions { Additional = Own, LogProbs = true }.ToChatOptions(null);
        (options.ResponseFormat, options.IsStrictFormat) = (ChatFormat(), true);
        await Assert.ThrowsAsync<LMInvalidRequestException>(() => new LM(server.OpenAIResponses()).AsChatClient().GetResponseAsync("hi", options, Token));

        var request = Assert.Single(server.Requests);
        Assert.EndsWith("/responses", request.Path, StringComparison.Ordinal);
        Assert.Equal(("k", 0.25), (request.Body.GetProperty("prompt_cache_key").GetString(), request.Body.GetProperty("top_a").GetDouble()));
        Assert.False(request.Body.TryGetProperty("logprobs", out _));
        Assert.True(request.Body.GetProperty("text").GetProperty("format").GetProperty("strict").GetBoolean());
    }

    [Fact]
    public async Task Additional_BesideRawOptions_ReachesOpenAIWithThem()
    {
        var options = new CallOptions
        {
            Additional = Own.Add("top_logprobs", 4),
            LogProbs = true,
            RawOptions = _ => new ChatCompletionOptions { TopLogProbabilityCount = 2, StoredOutputEnabled = true },
        };
        var body = await SentAsync("question -> answer", ChatAdapter.Default, "[[ ## answer ## ]]\nx", options: options);

        Assert.Equal(4, body.GetProperty("top_logprobs").GetInt32());
        Assert.True(body.GetProperty("store").GetBoolean());
        Assert.True(body.GetProperty("logprobs").GetBoolean());
        Assert.Equal(0.25, body.GetProperty("top_a").GetDouble());
        Assert.Equal(2, body.GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task LogProbs_ReachOpenAI_WithoutRawOptions()
    {
        var body = await SentAsync("question -> answer", ChatAdapter.Default, "[[ ## answer ## ]]\nx", options: new() { LogProbs = true });

        Assert.True(body.GetProperty("logprobs").GetBoolean());
    }

    [Fact]
    public async Task Additional_AClientThatIgnoresThem_IsWarnedOfOnce()
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Say("[[ ## answer ## ]]\nx");
        var logger = new ListLogger();
        var model = new LM(server.Anthropic()) { Logger = logger, Options = new() { Additional = Own } };
        var program = Predict.Parse("question -> answer").WithModel(model);
        await program.CallAsync(Question, Token);
        await program.CallAsync(Question, Token);

        Assert.False(server.Requests[0].Body.TryGetProperty("top_a", out _));
        var (_, text) = Assert.Single(logger.Lines);
        Assert.Contains("ignores the additional options prompt_cache_key, tags, top_a of predictor 'self'", text, StringComparison.Ordinal);
        Assert.Contains("RawOptions", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0f, true)]
    [InlineData(0.5f, false)]
    [InlineData(null, false)]
    public async Task SampleId_AtTemperatureZero_IsWarnedOfOnce(float? temperature, bool isWarned)
    {
        var logger = new ListLogger();
        var model = new LM(StubChatClient.Saying("x")) { Logger = logger };
        for (var i = 0; i < 3; i++)
            await model.AsChatClient().GetResponseAsync("hi", new HoneChatOptions { SampleId = i, Temperature = temperature }, Token);

        Assert.Equal(isWarned ? 1 : 0, logger.Lines.Count);
        Assert.All(logger.Lines, line => Assert.Contains("temperature 0", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReasoningEffort_WithATemperature_IsRefusedBeforeItIsSent()
    {
        var client = StubChatClient.Saying("x");
        var options = new CallOptions { ReasoningEffort = ReasoningEffort.Low, Temperature = 0.5f };
        var error = await Assert.ThrowsAsync<LMUnsupportedFeatureException>(
            () => new LM(client).AsChatClient().GetResponseAsync("hi", options.ToChatOptions(null), Token));

        Assert.Equal(0, client.Calls);
        Assert.Contains("Temperature", error.Message, StringComparison.Ordinal);
        foreach (var allowed in (CallOptions[])[options with { Temperature = null }, options with { Temperature = 1 }, options with { ReasoningEffort = ReasoningEffort.None }])
            await new LM(client).AsChatClient().GetResponseAsync("hi", allowed.ToChatOptions(null), Token);
        var free = new LM(client) { Capabilities = new() { Reasoning = true, ReasoningTemperature = true } };
        await free.AsChatClient().GetResponseAsync("hi", options.ToChatOptions(null), Token);
        Assert.Equal(4, client.Calls);
    }

    [Fact]
    public async Task ToolModeAndParallelCalls_ReachTheProvider_WhereThereAreTools()
    {
        var tool = AIFunctionFactory.Create((string city) => city, "weather");
        var options = new CallOptions { ToolMode = ChatToolMode.RequireSpecific("weather"), AllowMultipleToolCalls = false };
        var adapter = new ChatAdapter { UseNativeTools = true };
        var body = await SentAsync("question, tools: list[Tool] -> answer, calls: ToolCalls", adapter, "[[ ## answer ## ]]\nx", Question.With("tools", ImmutableArray.Create<object?>(tool)), options);

        Assert.Equal("weather", body.GetProperty("tool_choice").GetProperty("function").GetProperty("name").GetString());
        Assert.False(body.GetProperty("parallel_tool_calls").GetBoolean());
        var plain = await SentAsync("question -> answer", ChatAdapter.Default, "[[ ## answer ## ]]\nx", options: options);
        Assert.False(plain.TryGetProperty("tool_choice", out _) || plain.TryGetProperty("parallel_tool_calls", out _));
    }

    [Fact]
    public async Task ToolArguments_ThatAreNoJson_AreMendedOrTold()
    {
        foreach (var (arguments, isMended) in (IEnumerable<(string, bool)>)[("{city: Oslo, days: 2", true), ("Oslo please", false)])
        {
            await using var server = await FakeServer.StartAsync(FakeReply.Raw($$"""
                {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message":
                  {"role": "assistant", "content": null, "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{{arguments}}"} }] } }]}
                """));
            var response = await new LM(server.OpenAI()).AsChatClient().GetResponseAsync("hi", cancellationToken: Token);

            var call = ToolValues.FromContent(Assert.IsType<FunctionCallContent>(Assert.Single(response.Messages[0].Contents)));
            Assert.Equal(("t1", "weather", arguments), (call.Id, call.Name, call.RawArguments));
            Assert.Equal(isMended ? FieldMap.Of(("city", "Oslo"), ("days", 2L)) : FieldMap.Empty, call.Arguments);
            Assert.Equal(isMended, call.Error is null);
            Assert.Equal(call, Assert.Single(ToolValues.ToCalls(ToolValues.Of(new ToolCalls([call]))).Calls));
        }
    }

    [Theory]
    [InlineData("openai", "text/markdown", true)]
    [InlineData("openai", "application/vnd.ms-excel", true)]
    [InlineData("openai", "application/pdf", false)]
    [InlineData("anthropic", "application/vnd.ms-excel", true)]
    [InlineData("anthropic", "text/plain", false)]
    public async Task Files_ThatTheClientDoesNotSend_AreWarnedOf(string provider, string mediaType, bool isDropped)
    {
        await using var server = await FakeServer.StartAsync();
        var logger = new ListLogger();
        var model = new LM(provider == "openai" ? server.OpenAI() : server.Anthropic()) { Logger = logger };
        await model.AsChatClient().GetResponseAsync([new ChatMessage(ChatRole.User, [new TextContent("x"), new DataContent("Zm9vYmFy"u8.ToArray(), mediaType)])], cancellationToken: Token);

        Assert.Equal(isDropped, !server.Requests[0].Body.GetRawText().Contains("data", StringComparison.Ordinal));
        Assert.Equal(isDropped ? 1 : 0, logger.Lines.Count);
        Assert.All(logger.Lines, line => Assert.Contains($"does not send the {mediaType}", line.Text, StringComparison.Ordinal));
    }

    private static ChatResponseFormatJson ChatFormat() =>
        Microsoft.Extensions.AI.ChatResponseFormat.ForJsonSchema(JsonElement.Parse("""{"type": "object", "properties": {}}"""), "outputs");

    private static async Task<JsonElement> SentAsync(
        string signature, Adapter adapter, string answer = """{"answer": [1], "note": null}""", FieldMap? inputs = null, CallOptions? options = null)
    {
        await using var server = await FakeServer.StartAsync();
        server.Otherwise = _ => FakeReply.Say(answer);
        var model = new LM(server.OpenAI()) { Options = options ?? new() };
        await Predict.Parse(signature).WithModel(model).WithAdapter(adapter).CallAsync(inputs ?? Question, Token);
        return Assert.Single(server.Requests).Body;
    }
}
