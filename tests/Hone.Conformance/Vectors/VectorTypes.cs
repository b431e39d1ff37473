using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hone.Conformance;

/// <summary>Recorded types and signatures as Hone's.</summary>
internal static partial class VectorTypes
{
    private static readonly Dictionary<string, string> ConstraintKinds = new(StringComparer.Ordinal)
    {
        ["greater than or equal to"] = "ge",
        ["greater than"] = "gt",
        ["less than or equal to"] = "le",
        ["less than"] = "lt",
        ["minimum length"] = "min_length",
        ["maximum length"] = "max_length",
        ["a multiple of the given number"] = "multiple_of",
    };

    public static Signature Signature(JsonElement recorded)
    {
        var inputs = recorded.Items("inputs").Select(field => Field(field, FieldDirection.Input));
        var outputs = recorded.Items("outputs").Select(field => Field(field, FieldDirection.Output));
        return new Signature(inputs.Concat(outputs), recorded.Text("instructions"), recorded.Text("name") ?? "StringSignature");
    }

    public static SignatureField Field(JsonElement recorded, FieldDirection direction)
    {
        var name = recorded.GetProperty("name").GetString()!;
        var type = Type(recorded.GetProperty("type")) ?? throw new InvalidOperationException($"no type for {recorded.GetProperty("type")}");
        var description = recorded.Text("desc");
        var hasDefault = recorded.TryGetProperty("default", out var given);
        return new SignatureField(name, type, direction)
        {
            Description = description == $"${{{name}}}" ? null : description,
            HasDefault = hasDefault,
            Default = hasDefault ? VectorValues.Read(given, type) : null,
            Constraints = recorded.Text("constraints") is { } text ? [.. text.Split(", ").Select(DescribedConstraint)] : [],
            IsTypeUndefined = recorded.TryGetProperty("type_undefined", out var undefined) && undefined.GetBoolean(),
        };
    }

    /// <summary>The type, or null for one that Hone does not have.</summary>
    public static FieldType? Type(JsonElement recorded) => recorded.Text("kind") switch
    {
        "str" => FieldType.String,
        "int" => FieldType.Integer,
        "float" => FieldType.Number,
        "bool" => FieldType.Boolean,
        "bytes" => FieldType.Simple(FieldTypeKind.Bytes),
        "date" => FieldType.Simple(FieldTypeKind.Date),
        "datetime" => FieldType.Simple(FieldTypeKind.DateTime),
        "any" => FieldType.Any,
        "none" => FieldType.Null,
        "Decimal" => FieldType.Decimal,
        "UUID" => FieldType.Simple(FieldTypeKind.Guid),
        "literal" => FieldType.LiteralOf([.. recorded.Items("values").Select(value => VectorValues.Read(value, FieldType.Any))]),
        "enum" => FieldType.EnumOf(recorded.Text("name")!, [.. recorded.GetProperty("members").EnumerateObject().Select(Member)]),
        "optional" => Type(recorded.GetProperty("of")) is { } inner ? FieldType.Optional(inner) : null,
        "union" => All(recorded.Items("of")) is { } alternatives ? FieldType.UnionOf(alternatives) : null,
        "list" => Inner(recorded, "item") is { } item ? FieldType.ListOf(item) : null,
        "set" or "frozenset" => Inner(recorded, "item") is { } item ? FieldType.SetOf(item) : null,
        "dict" => Inner(recorded, "key") is { } key && Inner(recorded, "value") is { } value
            ? FieldType.DictionaryOf(recorded.TryGetProperty("key", out _) ? key : FieldType.String, value)
            : null,
        "tuple" => !recorded.TryGetProperty("items", out _) ? FieldType.ListOf(FieldType.Any)
            : All(recorded.Items("items")) is { } items ? FieldType.TupleOf(items) : null,
        "History" => FieldType.History,
        "object" => Object(recorded),
        _ => null,
    };

    private static FieldType? Object(JsonElement recorded)
    {
        var name = recorded.Text("name")!;
        if (recorded.Text("module")?.StartsWith("dspy.", StringComparison.Ordinal) == true)
            return Special(name);
        if (name.StartsWith("Code_", StringComparison.Ordinal))
            return FieldType.CodeIn(name["Code_".Length..]);
        var properties = recorded.Items("fields").Select(Property).ToList();
        return properties.Contains(null) ? null : FieldType.ObjectOf(name, [.. properties.Select(property => property!)]);
    }

    // The special types of the reference are recorded as objects: Code_java, History, Image.
    private static FieldType? Special(string name) => name switch
    {
        "Code" => FieldType.CodeIn(),
        _ when name.StartsWith("Code_", StringComparison.Ordinal) => FieldType.CodeIn(name["Code_".Length..]),
        "History" => FieldType.History,
        "Image" => FieldType.Image,
        "Audio" => FieldType.Audio,
        "File" => FieldType.Attachment,
        "Document" => FieldType.Document,
        "Reasoning" => FieldType.Reasoning,
        "Citations" => FieldType.Citations,
        "Tool" => FieldType.Tool,
        "ToolCalls" => FieldType.ToolCalls,
        "ToolCallResults" => FieldType.ToolResults,
        _ => null,
    };

    private static ObjectProperty? Property(JsonElement recorded)
    {
        if (Type(recorded.GetProperty("type")) is not { } type)
            return null;
        var isRequired = !recorded.TryGetProperty("required", out var required) || required.GetBoolean();
        var value = recorded.TryGetProperty("default", out var given) ? VectorValues.Read(given, type) : null;
        return new ObjectProperty(recorded.Text("name")!, type, isRequired, value, recorded.Text("description"))
        {
            Constraints = [.. recorded.Items("constraints").SelectMany(each => PythonConstraints(each.GetString()!))],
        };
    }

    private static EnumMember Member(JsonProperty member) => new(member.Name, VectorValues.Read(member.Value, FieldType.Any)!);

    private static FieldType? Inner(JsonElement recorded, string name) => recorded.TryGetProperty(name, out var type) ? Type(type) : FieldType.Any;

    private static ImmutableArray<FieldType>? All(IEnumerable<JsonElement> recorded)
    {
        var types = recorded.Select(Type).ToList();
        return types.Contains(null) ? null : [.. types.Select(type => type!)];
    }

    private static FieldConstraint DescribedConstraint(string text)
    {
        var parts = text.Split(": ", 2);
        return new(ConstraintKinds.GetValueOrDefault(parts[0], parts[0]), double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static IEnumerable<FieldConstraint> PythonConstraints(string text) =>
        PythonConstraint().Matches(text).Select(match => new FieldConstraint(match.Groups[1].Value, double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"(gt|ge|lt|le|min_length|max_length|multiple_of)=(-?[\d.]+)")]
    private static partial Regex PythonConstraint();
}
