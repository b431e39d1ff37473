using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>A message reduced to what chat formats can show.</summary>
internal sealed record ChatTurn(string Role, string Content, string? Reasoning, IReadOnlyList<FunctionCallContent> ToolCalls)
{
    /// <summary>The turns of messages; each tool result is a turn of its own.</summary>
    public static IReadOnlyList<ChatTurn> From(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var turns = new List<ChatTurn>(messages.Count);
        foreach (var message in messages) AddTurns(message, turns);
        return turns;
    }

    /// <summary>JSON as Python's <c>json.dumps(ensure_ascii=False)</c> writes it, the form that models saw in training.</summary>
    public static string ToPythonJson(object? value)
    {
        var output = new StringBuilder();
        var type = AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object));
        WriteJson(value is JsonElement element ? element : JsonSerializer.SerializeToElement(value, type), output);
        return output.ToString();
    }

    private static void AddTurns(ChatMessage message, List<ChatTurn> turns)
    {
        StringBuilder? text = null, reasoning = null;
        List<FunctionCallContent>? calls = null;
        var results = 0;
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent part: (text ??= new StringBuilder()).Append(part.Text); break;
                case TextReasoningContent part: (reasoning ??= new StringBuilder()).Append(part.Text); break;
                case FunctionCallContent call: (calls ??= []).Add(call); break;
                case FunctionResultContent result:
                    turns.Add(new ChatTurn("tool", result.Result as string ?? ToPythonJson(result.Result), null, []));
                    results++;
                    break;
                case UsageContent: break;
                default:
                    throw new NotSupportedException(
                        $"A message of role '{message.Role}' holds {content.GetType().Name}, which an in-process text model cannot read. " +
                        "Send text only.");
            }
        }
        if (results > 0 && text is null && calls is null) return;
        turns.Add(new ChatTurn(message.Role.Value, text?.ToString() ?? "", reasoning?.ToString(), calls ?? []));
    }

    private static void WriteJson(JsonElement element, StringBuilder output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                output.Append('{');
                WriteList(element.EnumerateObject(), output, static (property, text) =>
                {
                    WriteString(property.Name, text);
                    text.Append(": ");
                    WriteJson(property.Value, text);
                });
                output.Append('}');
                break;
            case JsonValueKind.Array:
                output.Append('[');
                WriteList(element.EnumerateArray(), output, WriteJson);
                output.Append(']');
                break;
            case JsonValueKind.String: WriteString(element.GetString()!, output); break;
            default: output.Append(element.GetRawText()); break;
        }
    }

    private static void WriteList<T>(IEnumerable<T> items, StringBuilder output, Action<T, StringBuilder> write)
    {
        var first = true;
        foreach (var item in items)
        {
            if (!first) output.Append(", ");
            first = false;
            write(item, output);
        }
    }

    private static void WriteString(string text, StringBuilder output)
    {
        output.Append('"');
        foreach (var unit in text)
        {
            switch (unit)
            {
                case '"': output.Append("\\\""); break;
                case '\\': output.Append("\\\\"); break;
                case '\n': output.Append("\\n"); break;
                case '\r': output.Append("\\r"); break;
                case '\t': output.Append("\\t"); break;
                case '\b': output.Append("\\b"); break;
                case '\f': output.Append("\\f"); break;
                case < ' ': output.Append("\\u").Append(((int)unit).ToString("x4", System.Globalization.CultureInfo.InvariantCulture)); break;
                default: output.Append(unit); break;
            }
        }
        output.Append('"');
    }
}
