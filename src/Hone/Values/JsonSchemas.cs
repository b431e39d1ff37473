using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone;

/// <summary>A schema that a provider can enforce, or why there is none.</summary>
/// <param name="Schema">The schema; undefined when there is none.</param>
/// <param name="Refusal">Why strict mode is impossible: the place, its type, the reason. Null when it is possible.</param>
internal sealed record StrictSchema(JsonElement Schema, string? Refusal)
{
    public bool IsPossible => Refusal is null;
}

/// <summary>JSON Schema of field types: <c>type</c> first, the other keywords in alphabetical order.</summary>
internal static class JsonSchemas
{
    private static readonly ConditionalWeakTable<Signature, StrictPair> StrictSchemas = new();

    /// <summary>The schema as a JSON tree.</summary>
    public static JsonNode Of(FieldType type) => ToNode(Describe(type))!;

    /// <summary>The schema as canonical values; types that contain themselves are in <c>$defs</c>.</summary>
    public static FieldMap Describe(FieldType type)
    {
        var writer = new SchemaWriter(SchemaReferences.Of(type));
        return writer.WithDefinitions(writer.Write(type));
    }

    /// <summary>
    /// The schema of a signature's outputs as one object, for providers that hold a model to it: every property required at every level, no others
    /// allowed. Made once a signature.
    /// </summary>
    /// <param name="signature">The signature whose outputs are asked for.</param>
    /// <param name="skipToolCalls">True leaves out outputs of tool calls, where the provider returns those on its own way.</param>
    public static StrictSchema Strict(Signature signature, bool skipToolCalls = false)
    {
        var (all, withoutCalls) = StrictSchemas.GetValue(signature, static each => new(
            new(() => WriteStrict(each.Outputs)),
            new(() => WriteStrict(each.Outputs.Where(field => field.Type.Kind != FieldTypeKind.ToolCalls)))));
        return (skipToolCalls ? withoutCalls : all).Value;
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

    private static StrictSchema WriteStrict(IEnumerable<SignatureField> outputs)
    {
        var fields = outputs.ToArray();
        var writer = new StrictSchemaWriter(SchemaReferences.Of([.. fields.Select(field => field.Type)]));
        var schema = writer.WriteOutputs(fields);
        return writer.Refusal is { } refusal ? new(default, refusal) : new(JsonElement.Parse(JsonText.Write(schema)), null);
    }

    private sealed record StrictPair(Lazy<StrictSchema> All, Lazy<StrictSchema> WithoutCalls);
}
