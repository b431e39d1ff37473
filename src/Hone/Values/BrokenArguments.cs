using System.ClientModel.Primitives;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Arguments of a tool call that a client could not read as JSON. It then says so in <see cref="FunctionCallContent.Exception"/>, and the text stands
/// only in the provider's own object, which clients that are built on System.ClientModel can write back as JSON.
/// </summary>
internal static class BrokenArguments
{
    /// <summary>The call with its arguments mended where they can be, else with the error.</summary>
    public static ToolCall Mend(FunctionCallContent content, string? id)
    {
        var text = TextOf(content.RawRepresentation);
        if (text is not null && JsonRepair.Parse(text).Value is FieldMap mended)
            return new(content.Name, mended) { Id = id, RawArguments = text };
        var cause = content.Exception!.InnerException ?? content.Exception;
        return new(content.Name, FieldMap.Empty) { Id = id, RawArguments = text, Error = $"the arguments are no JSON object: {cause.Message.TrimEnd('.')}." };
    }

    // {"function": {"arguments": "…"}} of the chat API, {"arguments": "…"} of the responses API.
    private static string? TextOf(object? raw)
    {
        switch (raw)
        {
            case string text:
                return text;
            case JsonElement json:
                return TextIn(json);
            case IPersistableModel<object> model:
                using (var document = JsonDocument.Parse(model.Write(ModelReaderWriterOptions.Json)))
                    return TextIn(document.RootElement);
            default:
                return null;
        }
    }

    private static string? TextIn(JsonElement call)
    {
        if (call.ValueKind == JsonValueKind.Object && call.TryGetProperty("function", out var function))
            call = function;
        return call.ValueKind == JsonValueKind.Object && call.TryGetProperty("arguments", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;
    }
}
