using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.AI;
using OpenAI.Chat;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatResponseFormat = Microsoft.Extensions.AI.ChatResponseFormat;

namespace Hone.Tests.Clients.Caching;

public sealed class RequestKeyTests
{
    private static readonly JsonElement Schema = Json("""{"type":"object","properties":{"a":{"type":"string"}}}""");
    private static readonly AITool Tool = AIFunctionFactory.Create((string city) => city, "weather", "Tells the weather.");

    /// <summary>Requests that a model could answer differently.</summary>
    private static readonly (string Name, ChatOptions Options)[] Different =
    [
        ("nothing", new()),
        ("instructions", new() { Instructions = "x" }),
        ("temperature", new() { Temperature = 0 }),
        ("temperature 1", new() { Temperature = 1 }),
        ("top p", new() { TopP = 1 }),
        ("top k", new() { TopK = 1 }),
        ("frequency", new() { FrequencyPenalty = 1 }),
        ("presence", new() { PresencePenalty = 1 }),
        ("limit", new() { MaxOutputTokens = 1 }),
        ("seed", new() { Seed = 1 }),
        ("effort", new() { Reasoning = new() { Effort = ReasoningEffort.Low } }),
        ("reasoning output", new() { Reasoning = new() { Output = ReasoningOutput.Summary } }),
        ("stops", new() { StopSequences = ["a", "b"] }),
        ("stops joined", new() { StopSequences = ["ab"] }),
        ("model", new() { ModelId = "gpt-4o-mini" }),
        ("text format", new() { ResponseFormat = ChatResponseFormat.Text }),
        ("json format", new() { ResponseFormat = ChatResponseFormat.Json }),
        ("schema", new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, "s") }),
        ("schema name", new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, "t") }),
        ("schema description", new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, "s", "d") }),
        ("other schema", new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(Json("""{"type":"object","properties":{"b":{"type":"string"}}}"""), "s") }),
        ("tool", new() { Tools = [Tool] }),
        ("tool twice", new() { Tools = [Tool, Tool] }),
        ("tool name", new() { Tools = [AIFunctionFactory.Create((string city) => city, "wetter", "Tells the weather.")] }),
        ("tool description", new() { Tools = [AIFunctionFactory.Create((string city) => city, "weather", "Says the weather.")] }),
        ("tool schema", new() { Tools = [AIFunctionFactory.Create((int city) => "x", "weather", "Tells the weather.")] }),
        ("web search", new() { Tools = [new HostedWebSearchTool()] }),
        ("interpreter", new() { Tools = [new HostedCodeInterpreterTool()] }),
        ("tool auto", new() { ToolMode = ChatToolMode.Auto }),
        ("tool none", new() { ToolMode = ChatToolMode.None }),
        ("tool any", new() { ToolMode = ChatToolMode.RequireAny }),
        ("tool one", new() { ToolMode = ChatToolMode.RequireSpecific("weather") }),
        ("parallel", new() { AllowMultipleToolCalls = true }),
        ("not parallel", new() { AllowMultipleToolCalls = false }),
        ("property", new() { AdditionalProperties = new() { ["a"] = 1 } }),
        ("property value", new() { AdditionalProperties = new() { ["a"] = 2 } }),
        ("property type", new() { AdditionalProperties = new() { ["a"] = "1" } }),
        ("property name", new() { AdditionalProperties = new() { ["b"] = 1 } }),
        ("sample 0", new HoneChatOptions { SampleId = 0 }),
        ("sample 1", new HoneChatOptions { SampleId = 1 }),
        ("raw", new() { RawRepresentationFactory = _ => new ChatCompletionOptions { TopLogProbabilityCount = 1 } }),
        ("raw value", new() { RawRepresentationFactory = _ => new ChatCompletionOptions { TopLogProbabilityCount = 2 } }),
        ("raw map", new() { RawRepresentationFactory = _ => new Dictionary<string, object?> { ["n"] = 1 } }),
    ];

    /// <summary>At temperature 0 samples are alike, whether their number is named or not.</summary>
    [Fact]
    public void Samples_AtTemperatureZero_ShareAKey_AndNowhereElse()
    {
        Assert.Single(Keys(0).Distinct());
        Assert.Equal(4, Keys(0.1f).Distinct().Count());
        Assert.Equal(4, Keys(null).Distinct().Count());

        static IEnumerable<ResponseKey> Keys(float? temperature) => new ChatOptions[]
        {
            new() { Temperature = temperature },
            new HoneChatOptions { Temperature = temperature, SampleId = 0 },
            new HoneChatOptions { Temperature = temperature, SampleId = 1 },
            new HoneChatOptions { Temperature = temperature, SampleId = 2 },
        }.Select(options => KeyOf([new(ChatRole.User, "hi")], options));
    }

    [Fact]
    public void D17_EveryOptionThatAModelCouldSee_IsInTheKey()
    {
        var keys = Different.Select(entry => (entry.Name, Key: KeyOf([new(ChatRole.User, "hi")], entry.Options))).ToList();
        foreach (var group in keys.GroupBy(entry => entry.Key).Where(group => group.Count() > 1))
            Assert.Fail("The same key for: " + string.Join(", ", group.Select(entry => entry.Name)));
    }

    [Fact]
    public void D17_EveryMessageThatAModelCouldSee_IsInTheKey()
    {
        ChatMessage[][] prompts =
        [
            [new(ChatRole.User, "hi")],
            [new(ChatRole.System, "hi")],
            [new(ChatRole.User, "hi") { AuthorName = "Ann" }],
            [new(ChatRole.User, "h"), new(ChatRole.User, "i")],
            [new(ChatRole.User, [new TextContent("h"), new TextContent("i")])],
            [new(ChatRole.User, [new TextReasoningContent("hi")])],
            [new(ChatRole.User, [new DataContent("hi"u8.ToArray(), "image/png")])],
            [new(ChatRole.User, [new DataContent("hi"u8.ToArray(), "image/jpeg")])],
            [new(ChatRole.User, [new DataContent("ho"u8.ToArray(), "image/png")])],
            [new(ChatRole.User, [new DataContent(new byte[5000], "image/png")])],
            [new(ChatRole.User, [new DataContent((byte[])[.. new byte[4999], 1], "image/png")])],
            [new(ChatRole.User, [new UriContent("https://host/hi", "image/png")])],
            [new(ChatRole.User, [new HostedFileContent("hi")])],
            [new(ChatRole.Assistant, [new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["x"] = 1 })])],
            [new(ChatRole.Assistant, [new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["x"] = 2 })])],
            [new(ChatRole.Assistant, [new FunctionCallContent("2", "f", new Dictionary<string, object?> { ["x"] = 1 })])],
            [new(ChatRole.Tool, [new FunctionResultContent("1", "a")])],
            [new(ChatRole.Tool, [new FunctionResultContent("1", "b")])],
            [new(ChatRole.User, [new TextContent("hi") { AdditionalProperties = new() { ["cache"] = true } }])],
            [],
        ];
        Assert.Equal(prompts.Length, prompts.Select(prompt => KeyOf(prompt, null)).Distinct().Count());
    }

    [Fact]
    public void D17_ProviderEndpointAndModel_AreInTheKey()
    {
        StubChatClient[] clients =
        [
            new(_ => new()), new(_ => new()) { Address = new("http://127.0.0.1:8000/v1") }, new(_ => new()) { Address = new("http://127.0.0.1:8001/v1") },
            new(_ => new()) { Address = new("http://127.0.0.1:8001/v2") }, new(_ => new()) { Model = "gpt-4o-mini" }, new(_ => new()) { Provider = "azure" },
        ];
        Assert.Equal(clients.Length, clients.Select(client => KeyOf([new(ChatRole.User, "hi")], null, client)).Distinct().Count());
    }

    [Fact]
    public void Key_OfEqualRequests_IsEqual_WhateverTheOrderOfProperties() => Gen.Select(Gen.String.Array[0, 6], Gen.Int.Array[6], Gen.Int[0, 1000]).Sample((names, values, seed) =>
    {
        var pairs = names.Distinct(StringComparer.OrdinalIgnoreCase).Select((name, i) => KeyValuePair.Create<string, object?>(name, values[i])).ToList();
        var shuffled = pairs.ToArray();
        new Random(seed).Shuffle(shuffled);
        ChatMessage Message(IEnumerable<KeyValuePair<string, object?>> properties) => new(ChatRole.Assistant, [new FunctionCallContent("1", "f", new Dictionary<string, object?>(properties))]);
        ChatOptions Options(IEnumerable<KeyValuePair<string, object?>> properties) => new()
        {
            AdditionalProperties = new(properties.Append(new("nested", new Dictionary<string, object?>(properties)))),
        };
        Assert.Equal(KeyOf([Message(pairs)], Options(pairs)), KeyOf([Message(shuffled)], Options(shuffled)));
    });

    [Fact]
    public void Key_DoesNotDependOn_CredentialsOfAnyKind()
    {
        var plain = KeyOf([new(ChatRole.User, "hi")], new());
        Assert.Equal(plain, KeyOf([new(ChatRole.User, "hi")], new() { AdditionalProperties = new() { ["api_key"] = "sk-1", ["Authorization"] = "Bearer 1", ["extra_headers"] = new object() } }));
        Assert.Equal(plain, KeyOf([new(ChatRole.User, "hi")], new(), new StubChatClient(_ => new()) { Address = new("https://user:pass@api.openai.com/v1/?key=secret") }));
        Assert.Equal(plain, KeyOf([new(ChatRole.User, "hi")], null));
    }

    [Fact]
    public void Key_DoesNotDependOn_WhoAsks_NorOnMessageIds()
    {
        var plain = KeyOf([new(ChatRole.User, "hi")], new());
        Assert.Equal(plain, KeyOf([new(ChatRole.User, "hi")], new HoneChatOptions { Path = "a", Ordinal = 3, Role = "judge" }));
        Assert.Equal(plain, KeyOf([new(ChatRole.User, "hi") { MessageId = "m1", CreatedAt = DateTimeOffset.UnixEpoch }], new()));
    }

    [Theory]
    [MemberData(nameof(NotCacheable))]
    public void RequestWithoutAStableForm_HasNoKey(string what, ChatOptions options, AIContent? content)
    {
        var key = new RequestKey(ClientIdentity.Of(new StubChatClient(_ => new())), new StubChatClient(_ => new()));
        Assert.False(key.TryCompute([new(ChatRole.User, [content ?? new TextContent("hi")])], options, out _, out var reason), what);
        Assert.NotEmpty(reason);
    }

    public static TheoryData<string, ChatOptions, AIContent?> NotCacheable => new()
    {
        { "raw options", new() { RawRepresentationFactory = _ => new MemoryStream() }, null },
        { "property", new() { AdditionalProperties = new() { ["callback"] = () => 1 } }, null },
        { "conversation", new() { ConversationId = "c" }, null },
        { "log-probabilities", new HoneChatOptions { LogProbs = true }, null },
        { "unknown content", new(), new AIContent() },
        { "number", new() { AdditionalProperties = new() { ["x"] = double.NaN } }, null },
        { "result", new(), new FunctionResultContent("1", new MemoryStream()) },
    };

    [Fact]
    public void ResponseKey_RoundTripsAsText()
    {
        var key = KeyOf([new(ChatRole.User, "hi")], null);
        Assert.Equal(key, ResponseKey.Parse(key.ToString()));
        Assert.Equal(64, key.ToString().Length);
        Assert.True(key == new ResponseKey(key.ToArray()));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ResponseKey(new byte[5]));
    }

    private static ResponseKey KeyOf(IReadOnlyList<ChatMessage> messages, ChatOptions? options, IChatClient? client = null)
    {
        client ??= new StubChatClient(_ => new());
        Assert.True(new RequestKey(ClientIdentity.Of(client), client).TryCompute(messages, options, out var key, out var reason), reason);
        return key;
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
