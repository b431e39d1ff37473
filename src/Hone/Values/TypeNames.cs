namespace Hone;

/// <summary>The name of a type as the model reads it, in the words of JSON.</summary>
internal static class TypeNames
{
    public static string Of(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String => "string",
        FieldTypeKind.Integer => "integer",
        FieldTypeKind.Number or FieldTypeKind.Decimal => "number",
        FieldTypeKind.Boolean => "boolean",
        FieldTypeKind.Bytes => "base64",
        FieldTypeKind.Date => "date",
        FieldTypeKind.DateTime => "date-time",
        FieldTypeKind.Time => "time",
        FieldTypeKind.Duration => "duration",
        FieldTypeKind.Guid => "uuid",
        FieldTypeKind.Uri => "uri",
        FieldTypeKind.Any => "any",
        FieldTypeKind.Null => "null",
        FieldTypeKind.History => "conversation",
        FieldTypeKind.Image => "image",
        FieldTypeKind.Audio => "audio",
        FieldTypeKind.Attachment => "file",
        FieldTypeKind.Document => "document",
        FieldTypeKind.Reasoning => "string",
        FieldTypeKind.Code => $"{type.Name ?? Code.DefaultLanguage} code",
        FieldTypeKind.Citations => "citations",
        FieldTypeKind.Tool => "tool",
        FieldTypeKind.ToolCalls => "tool calls",
        FieldTypeKind.ToolResults => "tool results",
        FieldTypeKind.List => $"list[{Arguments(type)}]",
        FieldTypeKind.Set => $"set[{Arguments(type)}]",
        FieldTypeKind.Tuple => $"tuple[{Arguments(type)}]",
        FieldTypeKind.Dictionary => $"dict[{Arguments(type)}]",
        FieldTypeKind.Union => string.Join(" | ", type.Arguments.Select(Of)),
        FieldTypeKind.Literal => string.Join(" | ", type.Literals.Select(Literal)),
        _ => type.Name ?? "object",
    };

    /// <summary>A literal value: text quoted, the rest in the words of JSON.</summary>
    public static string Literal(object? value) => value is string ? TypeExpressionWriter.Literal(value) : LiteralText(value);

    /// <summary>A literal value as the model writes it: text without quotes.</summary>
    public static string LiteralText(object? value) => value is null ? "null" : JsonText.Scalar(value);

    private static string Arguments(FieldType type) => string.Join(", ", type.Arguments.Select(Of));
}
