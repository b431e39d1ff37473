using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>One request and its answer as a line of a file. Equal requests have equal keys; headers and credentials are never part of it.</summary>
internal sealed record RecordedExchange(string Key, string Request, ChatResponse Response)
{
    private static JsonTypeInfo<ChatMessage> MessageType => (JsonTypeInfo<ChatMessage>)AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatMessage));

    private static JsonTypeInfo<ChatResponse> ResponseType => (JsonTypeInfo<ChatResponse>)AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(ChatResponse));

    public static RecordedExchange Of(string request, ChatResponse response) => new(KeyOf(request), request, response);

    /// <summary>What decides the answer, as JSON: messages, and the options that providers see.</summary>
    public static string RequestOf(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var all = new JsonArray();
        foreach (var message in messages)
        {
            var contents = JsonSerializer.SerializeToNode(message, MessageType)!["contents"];
            all.Add((JsonNode)new JsonObject { ["role"] = message.Role.Value, ["contents"] = contents?.DeepClone() });
        }

        var request = new JsonObject { ["messages"] = all };
        Set(request, "path", (options as HoneChatOptions)?.Path);
        Set(request, "sample", (options as HoneChatOptions)?.SampleId);
        Set(request, "model", options?.ModelId);
        Set(request, "temperature", options?.Temperature);
        Set(request, "top_p", options?.TopP);
        Set(request, "max_tokens", options?.MaxOutputTokens);
        Set(request, "seed", options?.Seed);
        Set(request, "stop", options?.StopSequences is { Count: > 0 } stops ? string.Join('\n', stops) : null);
        Set(request, "format", options?.ResponseFormat is ChatResponseFormatJson json ? json.Schema?.GetRawText() ?? "json" : null);
        Set(request, "tools", options?.Tools is { Count: > 0 } tools ? string.Join(' ', tools.Select(tool => tool.Name)) : null);
        return request.ToJsonString();
    }

    public static string KeyOf(string request) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)))[..32];

    public string ToLine() => new JsonObject
    {
        ["key"] = Key,
        ["request"] = JsonNode.Parse(Request),
        ["response"] = JsonSerializer.SerializeToNode(Response, ResponseType),
    }.ToJsonString();

    public static RecordedExchange Parse(string line, string file, int number)
    {
        try
        {
            var json = JsonNode.Parse(line)!;
            return new((string)json["key"]!, json["request"]!.ToJsonString(), json["response"].Deserialize(ResponseType)!);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or ArgumentNullException)
        {
            throw new HoneException($"{file}, line {number} is no recorded exchange. Record the file again.", error);
        }
    }

    private static void Set(JsonObject request, string name, JsonNode? value)
    {
        if (value is not null)
            request[name] = value;
    }
}
