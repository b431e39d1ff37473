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
            var root = document.RootElement.Clone();
            FakeSchema.Check(root, FakeSchema.Model(isStrict: false, []));
            return root;
        }
        catch (JsonException error)
        {
            throw new RefusalException(422, new JsonObject
            {
                ["detail"] = new JsonArray(new JsonObject
                {
                    ["type"] = "json_invalid",
                    ["loc"] = new JsonArray("body", (int)(error.BytePositionInLine ?? 0)),
                    ["msg"] = "JSON decode error",
                    ["input"] = new JsonObject(),
                    ["ctx"] = new JsonObject { ["error"] = error.Message },
                }),
            }.ToJsonString());
        }
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

    public static RefusalException Refuse(int status, string detail) => new(status, new JsonObject { ["detail"] = detail }.ToJsonString());

    public static RefusalException Missing(string within, string name) => Unprocessable("missing", name, $"Field required in {within}");

    public static RefusalException Unprocessable(string type, string name, string message) => new(422, new JsonObject
    {
        ["detail"] = new JsonArray(new JsonObject { ["type"] = type, ["loc"] = new JsonArray("body", name), ["msg"] = message }),
    }.ToJsonString());
}
