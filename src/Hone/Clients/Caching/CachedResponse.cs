using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// An answer as the cache keeps it: compact, immutable, with nothing of the caller's objects. Made into a new response at each hit.
/// </summary>
internal sealed class CachedResponse
{
    private const int Overhead = 200;

    public required CachedMessage[] Messages { get; init; }

    public required DateTimeOffset StoredAt { get; init; }

    public string? ResponseId { get; init; }

    public string? ModelId { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public string? FinishReason { get; init; }

    public UsageDetails? Usage { get; init; }

    public KeyValuePair<string, object?>[] Properties { get; init; } = [];

    /// <summary>Bytes that the answer takes in memory, about.</summary>
    public long Size => Overhead + Messages.Sum(message => message.Size) + (Properties.Length * 100L);

    /// <summary>Keeps a response; null when it cannot or must not be kept.</summary>
    public static CachedResponse? Capture(ChatResponse response, DateTimeOffset now)
    {
        if (response.FinishReason == ChatFinishReason.ContentFilter || response.ContinuationToken is not null
            || response.AdditionalProperties?.ContainsKey(ResponseKeys.SampledTokens) == true
            || response.AdditionalProperties?.ContainsKey(ResponseKeys.Failover) == true
            || response.AdditionalProperties?.ContainsKey(ResponseKeys.BudgetCut) == true)
            return null;
        var messages = new CachedMessage[response.Messages.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            if (CachedMessage.Capture(response.Messages[i]) is not { } message)
                return null;
            messages[i] = message;
        }

        return new()
        {
            Messages = messages,
            StoredAt = now,
            ResponseId = response.ResponseId,
            ModelId = response.ModelId,
            CreatedAt = response.CreatedAt,
            FinishReason = response.FinishReason?.Value,
            Usage = response.Usage is { } usage ? Copy(usage) : null,
            Properties = CachedContent.Freeze(response.AdditionalProperties),
        };
    }

    /// <summary>A new response that says it comes from the cache and cost nothing.</summary>
    public ChatResponse ToHit()
    {
        var messages = new List<ChatMessage>(Messages.Length);
        foreach (var message in Messages)
            messages.Add(message.ToMessage());
        var properties = new AdditionalPropertiesDictionary { [ResponseKeys.CacheHit] = true };
        foreach (var (name, value) in Properties)
            properties[name] = value;
        if (Usage is not null)
            properties[ResponseKeys.CachedUsage] = Copy(Usage);
        return new(messages)
        {
            ResponseId = ResponseId,
            ModelId = ModelId,
            CreatedAt = CreatedAt,
            FinishReason = FinishReason is null ? null : new(FinishReason),
            Usage = new() { InputTokenCount = 0, OutputTokenCount = 0, TotalTokenCount = 0 },
            AdditionalProperties = properties,
        };
    }

    private static UsageDetails Copy(UsageDetails usage) => new()
    {
        InputTokenCount = usage.InputTokenCount,
        OutputTokenCount = usage.OutputTokenCount,
        TotalTokenCount = usage.TotalTokenCount,
        CachedInputTokenCount = usage.CachedInputTokenCount,
        ReasoningTokenCount = usage.ReasoningTokenCount,
        AdditionalCounts = usage.AdditionalCounts is { } more ? new(more) : null,
    };
}

/// <summary>A message as the cache keeps it.</summary>
internal sealed class CachedMessage
{
    private const int Overhead = 100;

    public required string Role { get; init; }

    public string? AuthorName { get; init; }

    public string? MessageId { get; init; }

    public required CachedContent[] Contents { get; init; }

    public long Size => Overhead + Contents.Sum(content => content.Size);

    public static CachedMessage? Capture(ChatMessage message)
    {
        var contents = new List<CachedContent>(message.Contents.Count);
        foreach (var content in message.Contents)
        {
            if (content is UsageContent)
                continue; // part of the response's usage
            if (CachedContent.Capture(content) is not { } kept)
                return null;
            contents.Add(kept);
        }

        return new() { Role = message.Role.Value, AuthorName = message.AuthorName, MessageId = message.MessageId, Contents = [.. contents] };
    }

    public ChatMessage ToMessage()
    {
        var contents = new List<AIContent>(Contents.Length);
        foreach (var content in Contents)
            contents.Add(content.ToContent());
        return new(RoleOf(Role), contents) { AuthorName = AuthorName, MessageId = MessageId };
    }

    private static ChatRole RoleOf(string role) => role == ChatRole.Assistant.Value ? ChatRole.Assistant : new(role);
}

/// <summary>What a part of a message is.</summary>
internal enum CachedContentKind
{
    Text,
    Reasoning,
    Call,
    Result,
    Data,
    Uri,
    File,
}

/// <summary>A part of a message as the cache keeps it.</summary>
internal sealed class CachedContent
{
    private const int Overhead = 100;

    public required CachedContentKind Kind { get; init; }

    /// <summary>The text; of a call or result, its id; of data, its media type; of a reference, its address.</summary>
    public required string Text { get; init; }

    /// <summary>What reasoning the provider protects; the name of a called tool; the name of data; the media type of a reference.</summary>
    public string? Extra { get; init; }

    /// <summary>Arguments of a call, value of a result.</summary>
    public JsonElement? Json { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    public CachedAnnotation[] Annotations { get; init; } = [];

    public KeyValuePair<string, object?>[] Properties { get; init; } = [];

    public long Size => Overhead + (2L * (Text.Length + (Extra?.Length ?? 0))) + Data.Length + (Annotations.Length * 200L) + (Properties.Length * 100L)
        + (Json is { ValueKind: not JsonValueKind.Undefined } json ? json.GetRawText().Length * 2L : 0);

    public static CachedContent? Capture(AIContent content)
    {
        var properties = Freeze(content.AdditionalProperties);
        var annotations = CachedAnnotation.Capture(content.Annotations);
        if (annotations is null)
            return null;
        return content switch
        {
            TextContent text => new() { Kind = CachedContentKind.Text, Text = text.Text, Properties = properties, Annotations = annotations },
            TextReasoningContent thought => new()
            {
                Kind = CachedContentKind.Reasoning,
                Text = thought.Text,
                Extra = thought.ProtectedData,
                Properties = properties,
                Annotations = annotations,
            },
            FunctionCallContent { Exception: null } call when TryFreeze(call.Arguments, out var json) => new()
            {
                Kind = CachedContentKind.Call,
                Text = call.CallId,
                Extra = call.Name,
                Json = json,
                Properties = properties,
            },
            FunctionResultContent { Exception: null } result when TryFreeze(result.Result, out var json) => new()
            {
                Kind = CachedContentKind.Result,
                Text = result.CallId,
                Json = json,
                Properties = properties,
            },
            DataContent data => new()
            {
                Kind = CachedContentKind.Data,
                Text = data.MediaType,
                Extra = data.Name,
                Data = data.Data.ToArray(),
                Properties = properties,
            },
            UriContent uri => new() { Kind = CachedContentKind.Uri, Text = uri.Uri.OriginalString, Extra = uri.MediaType, Properties = properties },
            HostedFileContent file => new() { Kind = CachedContentKind.File, Text = file.FileId, Extra = file.MediaType, Properties = properties },
            _ => null,
        };
    }

    public AIContent ToContent()
    {
        AIContent content = Kind switch
        {
            CachedContentKind.Text => new TextContent(Text),
            CachedContentKind.Reasoning => new TextReasoningContent(Text) { ProtectedData = Extra },
            CachedContentKind.Call => new FunctionCallContent(Text, Extra!, Arguments()),
            CachedContentKind.Result => new FunctionResultContent(Text, StableJson.FromElement(Json ?? default)),
            CachedContentKind.Data => new DataContent(Data, Text) { Name = Extra },
            CachedContentKind.Uri => new UriContent(new Uri(Text, UriKind.RelativeOrAbsolute), Extra!),
            _ => new HostedFileContent(Text) { MediaType = Extra },
        };
        if (Annotations.Length > 0)
            content.Annotations = [.. Annotations.Select(annotation => annotation.ToAnnotation())];
        if (Properties.Length > 0)
            content.AdditionalProperties = new(Properties);
        return content;
    }

    /// <summary>The properties that have a JSON form, in it; Hone's own notes are left out.</summary>
    public static KeyValuePair<string, object?>[] Freeze(AdditionalPropertiesDictionary? properties)
    {
        if (properties is null || properties.Count == 0)
            return [];
        var kept = new List<KeyValuePair<string, object?>>(properties.Count);
        foreach (var (name, value) in properties)
        {
            if (!name.StartsWith(ResponseKeys.Prefix, StringComparison.Ordinal) && TryFreeze(value, out var json))
                kept.Add(new(name, StableJson.FromElement(json)));
        }

        return [.. kept];
    }

    private static bool TryFreeze(object? value, out JsonElement json)
    {
        json = default;
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        if (!StableJson.TryWrite(writer, value, sorted: false))
            return false;
        writer.Flush();
        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        json = document.RootElement.Clone();
        return true;
    }

    private Dictionary<string, object?>? Arguments()
    {
        if (Json is not { ValueKind: JsonValueKind.Object } json)
            return null;
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var argument in json.EnumerateObject())
            arguments[argument.Name] = argument.Value.ValueKind == JsonValueKind.Null ? null : argument.Value;
        return arguments;
    }
}
