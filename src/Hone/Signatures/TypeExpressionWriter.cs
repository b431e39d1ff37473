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
        FieldTypeKind.Enum or FieldTypeKind.Object or FieldTypeKind.Custom => type.Name ?? "Any",
        _ => throw new HoneException($"The type kind {type.Kind} cannot be written in a signature string."),
    };

    public static string Literal(object? value) => value switch
    {
        null => "None",
        true => "True",
        false => "False",
        string text => Quote(text),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

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
