using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// An upper bound of the tokens of a prompt that needs no tokenizer: a token of a byte-level vocabulary covers at least one byte of UTF-8, and each
/// message adds a few special tokens.
/// </summary>
internal static class TokenBound
{
    private const int Base = 64;
    private const int PerMessage = 16;
    private const int PerTool = 64;
    private const int ToolPreamble = 640;

    public static long OfInput(IEnumerable<ChatMessage> messages, ChatOptions? options, long mediaTokens)
    {
        var bound = (long)Base + Bytes(options?.Instructions);
        foreach (var message in messages)
        {
            bound += PerMessage + Bytes(message.AuthorName);
            foreach (var content in message.Contents)
                bound += OfContent(content, mediaTokens);
        }

        if (options?.Tools is { Count: > 0 } tools)
        {
            bound += ToolPreamble;
            foreach (var tool in tools)
                bound += PerTool + Bytes(tool.Name) + Bytes(tool.Description) + (tool is AIFunctionDeclaration function ? Bytes(function.JsonSchema) : PerTool);
        }

        if (options?.ResponseFormat is ChatResponseFormatJson { Schema: { } schema } format)
            bound += Bytes(schema) + Bytes(format.SchemaName) + Bytes(format.SchemaDescription);
        return bound;
    }

    private static long OfContent(AIContent content, long mediaTokens) => content switch
    {
        TextContent text => Bytes(text.Text),
        TextReasoningContent thought => Bytes(thought.Text) + Bytes(thought.ProtectedData),
        FunctionCallContent call => PerTool + Bytes(call.Name) + Bytes(call.CallId) + OfValue(call.Arguments),
        FunctionResultContent result => PerTool + Bytes(result.CallId) + OfValue(result.Result),
        DataContent data when IsText(data.MediaType) => PerMessage + data.Data.Length,
        UsageContent => 0,
        _ => mediaTokens,
    };

    private static bool IsText(string mediaType) =>
        mediaType.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static long OfValue(object? value) => value switch
    {
        null => 4,
        string text => Bytes(text) * 2, // sent as JSON, which may escape every character
        _ when StableJson.TryFormat(value, out var json) => json.Length * 2L,
        _ => Bytes(value.ToString()) * 2,
    };

    private static long Bytes(string? text) => string.IsNullOrEmpty(text) ? 0 : Encoding.UTF8.GetByteCount(text);

    private static long Bytes(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? 0 : Encoding.UTF8.GetByteCount(json.GetRawText());
}
