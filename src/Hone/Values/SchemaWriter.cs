using System.Collections.Immutable;

namespace Hone;

/// <summary>Writes the schemas of types that share one set of definitions.</summary>
internal sealed class SchemaWriter(SchemaReferences references)
{
    public FieldMap Write(FieldType type) => references.NameOf(type) is { } name
        ? FieldMap.Of(("$ref", $"#/$defs/{name}"))
        : WriteHere(type);

    /// <summary>The schema with the definitions that it refers to.</summary>
    public FieldMap WithDefinitions(FieldMap schema)
    {
        if (references.IsEmpty)
            return schema;
        var definitions = FieldMap.Create(references.All.Select(each => KeyValuePair.Create(each.Name, (object?)WriteHere(each.Type))));
        return Sorted(schema.With("$defs", definitions));
    }

    private FieldMap WriteHere(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String or FieldTypeKind.Reasoning or FieldTypeKind.Code => Typed("string"),
        FieldTypeKind.Integer => Typed("integer"),
        FieldTypeKind.Number or FieldTypeKind.Decimal => Typed("number"),
        FieldTypeKind.Boolean => Typed("boolean"),
        FieldTypeKind.Null => Typed("null"),
        FieldTypeKind.Bytes => Typed("string", ("contentEncoding", "base64")),
        FieldTypeKind.Date => Typed("string", ("format", "date")),
        FieldTypeKind.DateTime => Typed("string", ("format", "date-time")),
        FieldTypeKind.Time => Typed("string", ("format", "time")),
        FieldTypeKind.Duration => Typed("string", ("format", "duration")),
        FieldTypeKind.Guid => Typed("string", ("format", "uuid")),
        FieldTypeKind.Uri => Typed("string", ("format", "uri")),
        FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document => Typed("string", ("format", "uri")),
        FieldTypeKind.Literal => OneOf(type.Literals),
        FieldTypeKind.Enum => Described(OneOf(type.Members.Select(member => (object?)member.Value)), TypeDescriptions.InSchema(type)),
        FieldTypeKind.List => Typed("array", ("items", Write(type.Arguments[0]))),
        FieldTypeKind.Set => Typed("array", ("items", Write(type.Arguments[0])), ("uniqueItems", true)),
        FieldTypeKind.Tuple => Typed(
            "array",
            ("maxItems", (long)type.Arguments.Length),
            ("minItems", (long)type.Arguments.Length),
            ("prefixItems", ClrValues.List(type.Arguments.Select(Write)))),
        FieldTypeKind.Dictionary => Typed("object", ("additionalProperties", Write(type.Arguments[1]))),
        FieldTypeKind.Union => FieldMap.Of(("anyOf", ClrValues.List(type.Arguments.Select(Write)))),
        FieldTypeKind.Object => WriteObject(type),
        FieldTypeKind.Reference => WriteHere(type.Resolved),
        FieldTypeKind.Custom => type.PromptType!.Description is { } text ? Typed("string", ("description", text)) : Typed("string"),
        _ => SpecialShapes.Of(type.Kind) is { } shape ? Write(shape) : FieldMap.Empty,
    };

    private FieldMap WriteObject(FieldType type)
    {
        var properties = FieldMap.Create(type.Properties.Select(property => KeyValuePair.Create(property.Name, (object?)WriteProperty(property))));
        var required = type.Properties.Where(property => property.IsRequired).Select(property => (object?)property.Name).ToImmutableArray();
        return Described(
            required.IsEmpty ? Typed("object", ("properties", properties)) : Typed("object", ("properties", properties), ("required", required)),
            TypeDescriptions.InSchema(type));
    }

    private FieldMap WriteProperty(ObjectProperty property)
    {
        var schema = WithBounds(Write(property.Type), property.Type, property.Constraints);
        return Described(schema, property.Description);
    }

    /// <summary>The schema with a description, before the one that it has.</summary>
    public static FieldMap Described(FieldMap schema, string? description)
    {
        if (string.IsNullOrEmpty(description))
            return schema;
        var text = schema.GetValueOrDefault("description") is string own ? $"{description} ({own})" : description;
        return Sorted(schema.With("description", text));
    }

    /// <summary>The schema with the bounds of the value; in a type that admits null they belong to the other alternatives.</summary>
    public static FieldMap WithBounds(FieldMap schema, FieldType type, ImmutableArray<FieldConstraint> constraints)
    {
        if (constraints.IsEmpty)
            return schema;
        if (type.Kind == FieldTypeKind.Union && schema.TryGetValue("anyOf", out var alternatives) && alternatives is ImmutableArray<object?> list)
        {
            var bounded = list.Select((each, i) => (object?)WithBounds((FieldMap)each!, type.Arguments[i], constraints)).ToImmutableArray();
            return schema.With("anyOf", bounded);
        }

        if (schema.GetValueOrDefault("type") is not (string and not "null"))
            return schema;
        foreach (var constraint in constraints)
        {
            if (FieldConstraints.SchemaKeyword(constraint, type) is { } keyword)
                schema = schema.With(keyword, constraint.Value);
        }

        return Sorted(schema);
    }

    private static FieldMap OneOf(IEnumerable<object?> values)
    {
        var all = values.ToImmutableArray();
        return all.All(value => value is string) ? Typed("string", ("enum", all))
            : all.All(value => value is long or int) ? Typed("integer", ("enum", all))
            : FieldMap.Of(("enum", all));
    }

    private static FieldMap Typed(string type, params ReadOnlySpan<(string Name, object? Value)> rest) => FieldMap.Of([("type", type), .. rest]);

    /// <summary><c>type</c> first, the other keywords in alphabetical order.</summary>
    public static FieldMap Sorted(FieldMap schema) =>
        FieldMap.Create(schema.OrderBy(entry => entry.Key == "type" ? string.Empty : entry.Key, StringComparer.Ordinal));
}
