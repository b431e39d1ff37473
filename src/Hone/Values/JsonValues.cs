using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone;

/// <summary>Canonical values of System.Text.Json elements.</summary>
internal static class JsonValues
{
    public static object? FromElement(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => Number(element),
        JsonValueKind.Array => element.EnumerateArray().Select(FromElement).ToImmutableArray(),
        JsonValueKind.Object =>
            FieldMap.Create(element.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, FromElement(property.Value)))),
        _ => null,
    };

    public static object? FromNode(JsonNode node)
    {
        using var document = JsonDocument.Parse(node.ToJsonString());
        return FromElement(document.RootElement);
    }

    private static object Number(JsonElement element)
    {
        if (element.TryGetInt64(out var whole))
            return whole;
        return JsonNumbers.Read(element.GetRawText()) ?? element.GetDouble();
    }
}
