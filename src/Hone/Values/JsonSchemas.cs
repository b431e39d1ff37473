using System.Text.Json.Nodes;

namespace Hone;

/// <summary>JSON Schema of field types: <c>type</c> first, the other keywords in alphabetical order.</summary>
internal static partial class JsonSchemas
{
    /// <summary>The schema as a JSON tree.</summary>
    public static JsonNode Of(FieldType type) => ToNode(Describe(type))!;

    /// <summary>The schema as canonical values.</summary>
    public static FieldMap Describe(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String => Typed("string"),
        FieldTypeKind.Integer => Typed("integer"),
        FieldTypeKind.Number or FieldTypeKind.Decimal => Typed("number"),
        FieldTypeKind.Boolean => Typed("boolean"),
        FieldTypeKind.Null => Typed("null"),
        FieldTypeKind.Bytes => Typed("string", ("contentEncoding", "base64")),
        FieldTypeKind.Date => Typed("string", ("format", "date")),
        FieldTypeKind.DateTime => Typed("string", ("format", "date-time")),
        FieldTypeKind.Guid => Typed("string", ("format", "uuid")),
        FieldTypeKind.Uri => Typed("string", ("format", "uri")),
        FieldTypeKind.Literal => OneOf(type.Literals),
        FieldTypeKind.Enum => OneOf(type.Members.Select(member => member.Value)),
        FieldTypeKind.List => Typed("array", ("items", Describe(type.Arguments[0]))),
        FieldTypeKind.Set => Typed("array", ("items", Describe(type.Arguments[0])), ("uniqueItems", true)),
        FieldTypeKind.Tuple => Typed(
            "array",
            ("maxItems", (long)type.Arguments.Length),
            ("minItems", (long)type.Arguments.Length),
            ("prefixItems", ClrValues.List(type.Arguments.Select(Describe)))),
        FieldTypeKind.Dictionary => Typed("object", ("additionalProperties", Describe(type.Arguments[1]))),
        FieldTypeKind.Union => FieldMap.Of(("anyOf", ClrValues.List(type.Arguments.Select(Describe)))),
        FieldTypeKind.Object => DescribeObject(type),
        FieldTypeKind.History => Typed("array", ("items", Typed("object"))),
        FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document => Typed("string", ("format", "uri")),
        FieldTypeKind.Reasoning or FieldTypeKind.Code => Typed("string"),
        FieldTypeKind.Custom => type.PromptType!.Description is { } text ? Typed("string", ("description", text)) : Typed("string"),
        FieldTypeKind.Citations or FieldTypeKind.Tool or FieldTypeKind.ToolCalls or FieldTypeKind.ToolResults => SpecialSchemas.Of(type.Kind),
        _ => FieldMap.Empty,
    };

    private static FieldMap DescribeObject(FieldType type)
    {
        var properties = FieldMap.Create(type.Properties.Select(property => KeyValuePair.Create(property.Name, (object?)DescribeProperty(property))));
        var required = type.Properties.Where(property => property.IsRequired).Select(property => property.Name).ToList();
        return required.Count == 0
            ? Typed("object", ("properties", properties))
            : Typed("object", ("properties", properties), ("required", ClrValues.List(required)));
    }

    private static FieldMap DescribeProperty(ObjectProperty property)
    {
        var schema = Describe(property.Type);
        if (property.Description is { } description)
            schema = schema.With("description", description);
        foreach (var constraint in property.Constraints)
        {
            if (FieldConstraints.SchemaKeyword(constraint, property.Type) is { } keyword)
                schema = schema.With(keyword, constraint.Value);
        }

        return schema;
    }

    private static FieldMap OneOf(IEnumerable<object?> values)
    {
        var all = values.ToList();
        var list = ClrValues.List(all);
        return all.TrueForAll(value => value is string) ? Typed("string", ("enum", list))
            : all.TrueForAll(value => value is long or int) ? Typed("integer", ("enum", list))
            : FieldMap.Of(("enum", list));
    }

    private static FieldMap Typed(string type, params ReadOnlySpan<(string Name, object? Value)> rest) => FieldMap.Of([("type", type), .. rest]);

    private static JsonNode? ToNode(object? value) => value switch
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
