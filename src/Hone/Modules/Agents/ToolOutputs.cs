using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What tools give back, as values that can be shown to a model and kept in a conversation.</summary>
internal static class ToolOutputs
{
    /// <summary>The canonical value of a tool's result, and whether it tells of an error.</summary>
    public static (object? Value, bool IsError) Read(object? result) => result switch
    {
        null or string => (result, false),
        JsonElement element => FromJson(JsonValues.FromElement(element)),
        AIContent content => FromContents([content]),
        IEnumerable<AIContent> contents => FromContents([.. contents]),
        _ => (ToCanonical(result), false),
    };

    // Servers of the Model Context Protocol answer with a list of contents and a flag. An object that has more than that is something else.
    private static (object? Value, bool IsError) FromJson(object? value)
    {
        if (value is not FieldMap map || !map.TryGetValue("content", out var content) || content is not IEnumerable<object?> parts
            || !parts.All(part => part is FieldMap { Count: > 0 } fields && fields.GetValueOrDefault("type") is string) || !map.Keys.All(IsOfAnswer))
            return (value, false);
        var isError = map.GetValueOrDefault("isError") is true;
        if (!isError && map.TryGetValue("structuredContent", out var structured) && structured is not null)
            return (structured, false);
        return (Joined([.. parts.Cast<FieldMap>().Select(Shown)]), isError);
    }

    private static bool IsOfAnswer(string name) => name is "content" or "structuredContent" or "isError" or "resultType" or ['_', ..];

    private static object? Shown(FieldMap part) => part.GetValueOrDefault("type") switch
    {
        "text" => part.GetValueOrDefault("text"),
        "image" or "audio" => $"[{part.GetValueOrDefault("mimeType")}]",
        _ => part.ContainsKey("data") ? part.Without("data") : part,
    };

    private static (object? Value, bool IsError) FromContents(IReadOnlyList<AIContent> contents) =>
        (Joined([.. contents.Select(Shown)]), contents.Any(content => content is ErrorContent));

    private static object? Joined(object?[] parts) => parts.Length == 1 ? parts[0] : ClrValues.List(parts);

    // A picture has no place in the result of a call; that there was one is said.
    private static object? Shown(AIContent content) => content switch
    {
        TextContent text => text.Text,
        ErrorContent error => error.Message,
        DataContent data => $"[{data.MediaType}, {data.Data.Length} bytes]",
        UriContent link => link.Uri.ToString(),
        _ => content.ToString(),
    };

    private static object? ToCanonical(object result)
    {
        try
        {
            return ClrValues.ToCanonical(result);
        }
        catch (HoneException)
        {
            return result.ToString();
        }
    }
}
