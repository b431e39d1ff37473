using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Turns messages into what a history keeps of them.</summary>
internal static class HistoryText
{
    public static ImmutableArray<HistoryMessage> Of(IEnumerable<ChatMessage>? messages) => messages is null ? [] : [.. messages.OfType<ChatMessage>().Select(Of)];

    private static HistoryMessage Of(ChatMessage message)
    {
        var text = new StringBuilder();
        var calls = ImmutableArray.CreateBuilder<string>();
        foreach (var content in message.Contents)
        {
            if (content is FunctionCallContent call)
                calls.Add($"{call.Name}: {Json(call.Arguments)}");
            else if (Part(content) is { Length: > 0 } part)
                text.Append(part);
        }

        return new(message.Role.Value, text.ToString()) { ToolCalls = calls.ToImmutable() };
    }

    private static string? Part(AIContent? content) => content switch
    {
        null or UsageContent => null,
        TextContent text => text.Text,
        TextReasoningContent thought => string.IsNullOrEmpty(thought.Text) ? null : $"[reasoning] {thought.Text}\n",
        DataContent data => string.Create(CultureInfo.InvariantCulture, $"[{data.MediaType}, {data.Data.Length} bytes]"),
        UriContent uri => $"[{uri.MediaType} at {WithoutQuery(uri.Uri)}]",
        HostedFileContent file => $"[file {file.FileId}]",
        FunctionResultContent result => $"[result of {result.CallId}] {(result.Result is string text ? text : Json(result.Result))}",
        ErrorContent error => $"[error] {error.Message}",
        _ => $"[{content.GetType().Name}]",
    };

    private static string WithoutQuery(Uri uri) => uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.Scheme | UriComponents.Host | UriComponents.Port | UriComponents.Path, UriFormat.UriEscaped) : "a relative address";

    private static string Json(object? value) => value is null ? "{}" : StableJson.TryFormat(value, out var json) ? Encoding.UTF8.GetString(json) : $"({value.GetType().Name})";
}
