using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// Writes schemas in the subset that providers enforce: every property required, nothing else allowed, no open objects, and only the keywords that
/// the strict modes take. What cannot be said in it makes <see cref="Refusal"/>.
/// </summary>
internal sealed class StrictSchemaWriter(SchemaReferences references)
{
    private static readonly ImmutableHashSet<string> Keywords =
        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "minItems", "maxItems"];

    /// <summary>Why strict mode is impossible, with the place; null as long as it is possible.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The schema of the outputs as one object.</summary>
    public FieldMap WriteOutputs(IEnumerable<SignatureField> outputs)
    {
        var properties = outputs.Select(field => KeyValuePair.Create(
            field.Name, (object?)WriteProperty(field.Type, field.Description, field.Constraints, field.Name)));
        var schema = Closed(FieldMap.Create(properties));
        if (references.IsEmpty)
            return schema;
        var definitions = references.All.Select(each => KeyValuePair.Create(each.Name, (object?)WriteHere(each.Type, each.Name)));
        return Sorted(schema.With("$defs", FieldMap.Create(definitions)));
    }

    private FieldMap Write(FieldType type, string path) =>
        references.NameOf(type) is { } name ? FieldMap.Of(("$ref", $"#/$defs/{name}")) : WriteHere(type, path);

    private FieldMap WriteHere(FieldType type, string path) => type.Kind switch
    {
        FieldTypeKind.Integer => Typed("integer"),
        FieldTypeKind.Number or FieldTypeKind.Decimal => Typed("number"),
        FieldTypeKind.Boolean => Typed("boolean"),
        FieldTypeKind.Null => Typed("null"),
        FieldTypeKind.Date => Typed("string", ("format", "date")),
        FieldTypeKind.DateTime => Typed("string", ("format", "date-time")),
        FieldTypeKind.Time => Typed("string", ("format", "time")),
        FieldTypeKind.Duration => Typed("string", ("format", "duration")),
        FieldTypeKind.Guid => Typed("string", ("format", "uuid")),
        FieldTypeKind.Literal => OneOf(type.Literals),
        FieldTypeKind.Enum => SchemaWriter.Described(OneOf([.. type.Members.Select(member => (object?)member.Value)]), TypeDescriptions.InSchema(type)),
        FieldTypeKind.List or FieldTypeKind.Set => Typed("array", ("items", Write(type.Arguments[0], path + "[]"))),
        FieldTypeKind.Tuple => Typed(
            "array",
            ("items", Write(FieldType.UnionOf(type.Arguments), path + "[]")),
            ("maxItems", (long)type.Arguments.Length),
            ("minItems", (long)type.Arguments.Length)),
        FieldTypeKind.Union => FieldMap.Of(("anyOf", ClrValues.List(type.Arguments.Select(each => Write(each, path))))),
        FieldTypeKind.Object => SchemaWriter.Described(
            Closed(FieldMap.Create(type.Properties.Select(property => KeyValuePair.Create(
                property.Name,
                (object?)WriteProperty(property.Type, property.Description, property.Constraints, $"{path}.{property.Name}"))))),
            TypeDescriptions.InSchema(type)),
        FieldTypeKind.Reference => WriteHere(type.Resolved, path),
        FieldTypeKind.Dictionary => Refuse(path, type, "has keys that no schema can list"),
        FieldTypeKind.Any => Refuse(path, type, "is open"),
        _ when SpecialShapes.Of(type.Kind) is { } shape => Write(shape, path),
        _ => Typed("string"),
    };

    // A reference stands alone; bounds that have no keyword are told in words.
    private FieldMap WriteProperty(FieldType type, string? description, ImmutableArray<FieldConstraint> constraints, string path)
    {
        var schema = Write(type, path);
        if (schema.ContainsKey("$ref"))
            return schema;
        schema = SchemaWriter.WithBounds(schema, type, [.. constraints.Where(each => IsAllowed(each, type))]);
        var told = FieldConstraints.Describe([.. constraints.Where(each => !IsAllowed(each, type))]);
        var text = told.Length == 0 ? description : string.IsNullOrEmpty(description) ? told : $"{description} ({told})";
        return SchemaWriter.Described(schema, text);
    }

    private static bool IsAllowed(FieldConstraint constraint, FieldType type) =>
        FieldConstraints.SchemaKeyword(constraint, TypeHints.OptionalOf(type) ?? type) is { } keyword && Keywords.Contains(keyword);

    private FieldMap Refuse(string path, FieldType type, string why)
    {
        Refusal ??= $"'{path}' ({TypeNames.Of(type)}) {why}";
        return FieldMap.Empty;
    }

    private static FieldMap Closed(FieldMap properties) =>
        Typed("object", ("additionalProperties", false), ("properties", properties), ("required", ClrValues.List(properties.Keys)));

    // One enumeration for each type of value.
    private static FieldMap OneOf(ImmutableArray<object?> values)
    {
        var groups = values.GroupBy(TypeOf)
            .Select(group => group.Key == "null" ? Typed("null") : Typed(group.Key, ("enum", group.ToImmutableArray())))
            .ToList();
        return groups.Count == 1 ? groups[0] : FieldMap.Of(("anyOf", ClrValues.List(groups)));
    }

    private static string TypeOf(object? value) => value switch
    {
        null => "null",
        string => "string",
        bool => "boolean",
        double => "number",
        _ => "integer",
    };

    private static FieldMap Typed(string type, params ReadOnlySpan<(string Name, object? Value)> rest) => FieldMap.Of([("type", type), .. rest]);

    private static FieldMap Sorted(FieldMap schema) => SchemaWriter.Sorted(schema);
}
