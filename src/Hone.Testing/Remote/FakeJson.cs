using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>Reads requests of fake servers and refuses them in the words of FastAPI.</summary>
internal static class FakeJson
{
    public static JsonElement Object(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw Unprocessable("json_invalid", "body", error.Message);
        }

        throw Unprocessable("model_attributes_type", "body", "Input should be a valid dictionary");
    }

    public static string Text(JsonElement body, string name) => !body.TryGetProperty(name, out var value) ? throw Missing("body", name)
        : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Unprocessable("string_type", name, "Input should be a valid string");

    public static void Required(JsonElement body, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!body.TryGetProperty(name, out _))
                throw Missing("body", name);
        }
    }

    /// <summary>Refuses members that a strict model does not have.</summary>
    public static void Only(JsonElement body, params ReadOnlySpan<string> names)
    {
        foreach (var member in body.EnumerateObject())
        {
            if (!names.Contains(member.Name))
                throw Unprocessable("extra_forbidden", member.Name, "Extra inputs are not permitted");
        }
    }

    public static RefusalException Refuse(int status, string detail) => new(status, new JsonObject { ["detail"] = detail }.ToJsonString());

    public static RefusalException Missing(string within, string name) => Unprocessable("missing", name, $"Field required in {within}");

    public static RefusalException Unprocessable(string type, string name, string message) => new(422, new JsonObject
    {
        ["detail"] = new JsonArray(new JsonObject { ["type"] = type, ["loc"] = new JsonArray("body", name), ["msg"] = message }),
    }.ToJsonString());
}
