using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone;

/// <summary>What a tool's JSON schema says of one argument, as a field type and bounds: as much of it as coercion can use.</summary>
internal static class ToolSchemas
{
    // Schemas may refer to themselves; what lies deeper is left to the tool.
    private const int Depth = 8;

    private static readonly string[] Numbers = ["integer", "number"];

    private static readonly (string Keyword, string Kind, string[] Types)[] Keywords =
    [
        ("minimum", "ge", Numbers), ("maximum", "le", Numbers), ("exclusiveMinimum", "gt", Numbers), ("exclusiveMaximum", "lt", Numbers), ("multipleOf", "multiple_of", Numbers),
        ("minLength", "min_length", ["string"]), ("maxLength", "max_length", ["string"]), ("pattern", "pattern", ["string"]),
        ("minItems", "min_length", ["array"]), ("maxItems", "max_length", ["array"]), ("minProperties", "min_length", ["object"]), ("maxProperties", "max_length", ["object"]),
    ];

    private static readonly FieldType AnyObject = FieldType.DictionaryOf(FieldType.String, FieldType.Any);

    /// <summary>The type of a schema; any type where it says nothing that is understood.</summary>
    /// <param name="schema">The argument's schema.</param>
    /// <param name="root">The whole schema, for references.</param>
    public static FieldType TypeOf(JsonElement schema, JsonElement root) => TypeOf(schema, root, 0);

    /// <summary>The names of the properties that an object must have.</summary>
    public static HashSet<string> RequiredOf(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? [.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]
            : [];

    /// <summary>The bounds of a schema on values of a type; those that cannot be checked are left to the tool.</summary>
    public static ImmutableArray<FieldConstraint> BoundsOf(JsonElement schema, string type)
    {
        var bounds = ImmutableArray.CreateBuilder<FieldConstraint>();
        foreach (var (keyword, kind, of) in Keywords)
        {
            if (!schema.TryGetProperty(keyword, out var raw) || !of.Contains(type, StringComparer.Ordinal))
                continue;
            if (JsonValues.FromElement(raw) is { } bound && new FieldConstraint(kind, bound) is var constraint && FieldConstraints.Refusal(constraint) is null)
                bounds.Add(constraint);
        }

        return bounds.DrainToImmutable();
    }

    /// <summary>A schema of several types with one of them.</summary>
    public static JsonElement WithType(JsonElement schema, JsonElement type)
    {
        var one = JsonNode.Parse(schema.GetRawText())!.AsObject();
        one["type"] = type.GetString();
        return JsonElement.Parse(one.ToJsonString());
    }

    private static FieldType TypeOf(JsonElement schema, JsonElement root, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > Depth)
            return FieldType.Any;
        if (schema.TryGetProperty("$ref", out var reference))
            return Find(reference, root) is { } target ? TypeOf(target, root, depth + 1) : FieldType.Any;
        if (schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() > 0)
            return FieldType.LiteralOf([.. values.EnumerateArray().Select(JsonValues.FromElement)]);
        if (schema.TryGetProperty("anyOf", out var choices) || schema.TryGetProperty("oneOf", out choices))
            return Union(choices.EnumerateArray().Select(choice => TypeOf(choice, root, depth + 1)));
        if (!schema.TryGetProperty("type", out var type))
            return FieldType.Any;
        return type.ValueKind == JsonValueKind.Array
            ? Union(type.EnumerateArray().Select(each => Simple(each.GetString(), schema, root, depth)))
            : Simple(type.GetString(), schema, root, depth);
    }

    private static FieldType Simple(string? type, JsonElement schema, JsonElement root, int depth) => type switch
    {
        "string" => FieldType.String,
        "integer" => FieldType.Integer,
        "number" => FieldType.Number,
        "boolean" => FieldType.Boolean,
        "null" => FieldType.Null,
        "array" => FieldType.ListOf(schema.TryGetProperty("items", out var items) ? TypeOf(items, root, depth + 1) : FieldType.Any),
        "object" => AnyObject,
        _ => FieldType.Any,
    };

    private static FieldType Union(IEnumerable<FieldType> types)
    {
        FieldType[] all = [.. types.Distinct()];
        return all.Length == 0 || all.Any(type => type.Kind == FieldTypeKind.Any) ? FieldType.Any : all.Length == 1 ? all[0] : FieldType.UnionOf([.. all]);
    }

    /// <summary>What a reference stands for; null when it points nowhere in the schema.</summary>
    public static JsonElement? Find(JsonElement reference, JsonElement root)
    {
        if (reference.ValueKind != JsonValueKind.String || reference.GetString() is not { } path || !path.StartsWith("#/", StringComparison.Ordinal))
            return null;
        var found = root;
        foreach (var segment in path[2..].Split('/'))
        {
            var name = segment.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found))
                return null;
        }

        return found;
    }
}
