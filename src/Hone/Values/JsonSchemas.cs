using System.Text.Json.Nodes;

namespace Hone;

/// <summary>JSON Schema of field types: <c>type</c> first, the other keywords in alphabetical order.</summary>
internal static partial class JsonSchemas
{
    /// <summary>The schema as a JSON tree.</summary>
    public static JsonNode Of(FieldType type) => ToNode(Describe(type))!;

    /// <summary>The schema as canonical values; types that contain themselves are in <c>$defs</c>.</summary>
    public static FieldMap Describe(FieldType type)
    {
        var writer = new SchemaWriter(SchemaReferences.Of(type));
        return writer.WithDefinitions(writer.Write(type));
    }

    public static JsonNode? ToNode(object? value) => value switch
    {
        null => null,
        FieldMap map => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, ToNode(entry.Value)))),
        IEnumerable<object?> list => new JsonArray([.. list.Select(ToNode)]),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        long number => JsonValue.Create(number),
        double number => JsonValue.Create(number),
        _ => JsonNode.Parse(JsonText.Write(value)),
    };
}
