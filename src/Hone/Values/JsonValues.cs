using System.Runtime.InteropServices;
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
        JsonValueKind.Array => FromArray(element),
        JsonValueKind.Object => FromObject(element),
        _ => null,
    };

    private static object FromArray(JsonElement element)
    {
        var items = new object?[element.GetArrayLength()];
        var index = 0;
        foreach (var item in element.EnumerateArray())
            items[index++] = FromElement(item);
        return ImmutableCollectionsMarshal.AsImmutableArray(items);
    }

    private static FieldMap FromObject(JsonElement element)
    {
        var entries = new KeyValuePair<string, object?>[element.GetPropertyCount()];
        var index = 0;
        foreach (var property in element.EnumerateObject())
            entries[index++] = new(property.Name, FromElement(property.Value));
        return FieldMap.Adopt(entries);
    }

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
