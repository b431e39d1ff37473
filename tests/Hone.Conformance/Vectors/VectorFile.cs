using System.Text.Json;

namespace Hone.Conformance;

/// <summary>Reads a file of recorded cases.</summary>
internal static class VectorFile
{
    public static JsonElement Open(string vectors, string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(vectors, name + ".json")));
        return document.RootElement.Clone();
    }

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static string Id(this JsonElement element) => element.Text("id") ?? element.Text("name") ?? element.GetRawText();

    public static bool IsOk(this JsonElement element) => !element.TryGetProperty("ok", out var ok) || ok.GetBoolean();
}
