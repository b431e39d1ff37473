using System.Globalization;

namespace Hone;

/// <summary>Writes a <see cref="FieldType"/> in the grammar of string signatures; the inverse of the parser.</summary>
internal static class TypeExpressionWriter
{
    public static string Write(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String => "str",
        FieldTypeKind.Integer => "int",
        FieldTypeKind.Number => "float",
        FieldTypeKind.Decimal => "decimal",
        FieldTypeKind.Boolean => "bool",
        FieldTypeKind.Bytes => "bytes",
        FieldTypeKind.Date => "date",
        FieldTypeKind.DateTime => "datetime",
        FieldTypeKind.Time => "time",
        FieldTypeKind.Duration => "timedelta",
        FieldTypeKind.Guid => "guid",
        FieldTypeKind.Uri => "uri",
        FieldTypeKind.Any => "Any",
        FieldTypeKind.Null => "None",
        FieldTypeKind.Code => type.Name is null or Code.DefaultLanguage ? "Code" : $"Code[{Literal(type.Name)}]",
        FieldTypeKind.History or FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document
            or FieldTypeKind.Reasoning or FieldTypeKind.Citations or FieldTypeKind.Tool or FieldTypeKind.ToolCalls or FieldTypeKind.ToolResults =>
            type.Kind.ToString(),
        FieldTypeKind.List => $"list[{Arguments(type)}]",
        FieldTypeKind.Set => $"set[{Arguments(type)}]",
        FieldTypeKind.Tuple => $"tuple[{Arguments(type)}]",
        FieldTypeKind.Dictionary => $"dict[{Arguments(type)}]",
        FieldTypeKind.Union => string.Join(" | ", type.Arguments.Select(Write)),
        FieldTypeKind.Literal => $"Literal[{string.Join(", ", type.Literals.Select(Literal))}]",
        FieldTypeKind.Enum or FieldTypeKind.Object or FieldTypeKind.Reference or FieldTypeKind.Custom => type.Name ?? "Any",
        _ => throw new HoneException($"The type kind {type.Kind} cannot be written in a signature string."),
    };

    /// <summary>The type with everything that a saved value depends on: the members of enumerations and the properties of objects.</summary>
    public static string Fingerprint(FieldType type) => type.Kind switch
    {
        FieldTypeKind.Enum => $"{type.Name}({string.Join(", ", type.Members.Select(member => Literal(member.Value)))})",
        FieldTypeKind.Object => $"{type.Name}{{{string.Join(", ", type.Properties.Select(Fingerprint))}}}",
        FieldTypeKind.List => $"list[{Fingerprints(type)}]",
        FieldTypeKind.Set => $"set[{Fingerprints(type)}]",
        FieldTypeKind.Tuple => $"tuple[{Fingerprints(type)}]",
        FieldTypeKind.Dictionary => $"dict[{Fingerprints(type)}]",
        FieldTypeKind.Union => string.Join(" | ", type.Arguments.Select(Fingerprint)),
        _ => Write(type),
    };

    public static string Literal(object? value) => value switch
    {
        null => "None",
        true => "True",
        false => "False",
        string text => Quote(text),
        double number => JsonText.Scalar(number),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

    private static string Fingerprint(ObjectProperty property) => $"{property.Name}{(property.IsRequired ? "" : "?")}: {Fingerprint(property.Type)}";

    private static string Fingerprints(FieldType type) => string.Join(", ", type.Arguments.Select(Fingerprint));

    private static string Arguments(FieldType type) => string.Join(", ", type.Arguments.Select(Write));

    // Single quotes by default; double quotes if the text has only single ones; else single quotes escaped by a backslash.
    private static string Quote(string text)
    {
        var escaped = text.AsSpan().ContainsAny("\\\n\r\t") ? Escape(text) : text;
        return !text.Contains('\'') ? $"'{escaped}'"
            : !text.Contains('"') ? $"\"{escaped}\""
            : $"'{escaped.Replace("'", "\\'", StringComparison.Ordinal)}'";
    }

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal)
        .Replace("\r", "\\r", StringComparison.Ordinal)
        .Replace("\t", "\\t", StringComparison.Ordinal);
}
