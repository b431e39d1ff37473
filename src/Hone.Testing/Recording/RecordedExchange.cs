using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>One request and its answer as a line of a file. Equal requests have equal keys; headers and credentials are never part of it.</summary>
internal sealed partial record RecordedExchange(string Key, string Request, ChatResponse Response)
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
        SetRare(request, options);
        Set(request, "tools", options?.Tools is { Count: > 0 } tools ? new JsonArray([.. tools.Select(Declaration)]) : null);
        Set(request, "additional", Additional(options?.AdditionalProperties));
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

    private static void SetRare(JsonObject request, ChatOptions? options)
    {
        Set(request, "instructions", options?.Instructions);
        Set(request, "top_k", options?.TopK);
        Set(request, "frequency_penalty", options?.FrequencyPenalty);
        Set(request, "presence_penalty", options?.PresencePenalty);
        Set(request, "reasoning_effort", options?.Reasoning?.Effort?.ToString());
        Set(request, "several_tools", options?.AllowMultipleToolCalls);
        Set(request, "tool_mode", options?.ToolMode switch
        {
            RequiredChatToolMode required => $"required {required.RequiredFunctionName}".TrimEnd(),
            NoneChatToolMode => "none",
            _ => null,
        });
    }

    // What models are shown of a tool: its words can be state of a program, and change.
    private static JsonObject Declaration(AITool tool)
    {
        var declaration = new JsonObject { ["name"] = tool.Name, ["description"] = tool.Description };
        if (tool is AIFunctionDeclaration function)
            declaration["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText());
        return declaration;
    }

    // By name, and only what has a plain form: keys have no place in a file.
    private static JsonObject? Additional(AdditionalPropertiesDictionary? properties)
    {
        if (properties is null)
            return null;
        var plain = new JsonObject();
        foreach (var (name, value) in properties.OrderBy(property => property.Key, StringComparer.Ordinal))
        {
            if (!CredentialName().IsMatch(name) && Plain(value) is { } node)
                plain[name] = node;
        }

        return plain.Count == 0 ? null : plain;
    }

    private static JsonNode? Plain(object? value) => value switch
    {
        string text => text,
        bool flag => flag,
        IFormattable number and (byte or short or int or uint or long or ulong or float or double or decimal) =>
            number.ToString(null, CultureInfo.InvariantCulture),
        JsonElement json => JsonNode.Parse(json.GetRawText()),
        JsonNode node => node.DeepClone(),
        _ => null,
    };

    [GeneratedRegex(
        "secret|passw|authori[sz]ation|credential|bearer|cookie|header|connection.?string|(api|access|private).?key"
        + "|(sas|auth|access|session|refresh|api|security).?token|^(token|key|auth)$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CredentialName();

    private static void Set(JsonObject request, string name, JsonNode? value)
    {
        if (value is not null)
            request[name] = value;
    }
}
