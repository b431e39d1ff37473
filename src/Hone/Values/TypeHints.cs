namespace Hone;

/// <summary>The sentence behind an output's placeholder that says what its value must look like.</summary>
internal static class TypeHints
{
    /// <summary>A clause that starts with "must", or null for plain text.</summary>
    public static string? For(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String or FieldTypeKind.Any or FieldTypeKind.Reasoning or FieldTypeKind.Code => null,
        FieldTypeKind.ToolCalls => "must be JSON of the form {\"tool_calls\": [{\"name\": \"…\", \"args\": {…}}]}",
        FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document => "must be a URL or a data URI",
        FieldTypeKind.Custom => type.PromptType!.Description is null ? $"must be the text of one {type.Name}" : null,
        FieldTypeKind.Boolean => "must be true or false",
        FieldTypeKind.Integer => "must be a single integer",
        FieldTypeKind.Number or FieldTypeKind.Decimal => "must be a single number",
        FieldTypeKind.Date => "must be a date like 2024-02-29",
        FieldTypeKind.DateTime => "must be a date and time like 2024-02-29T12:30:00Z",
        FieldTypeKind.Time => "must be a time of day like 12:30:00",
        FieldTypeKind.Duration => "must be an ISO 8601 duration like PT1H30M",
        FieldTypeKind.Enum => $"must be exactly one of: {string.Join("; ", type.Members.Select(member => TypeNames.LiteralText(member.Value)))}",
        FieldTypeKind.Literal => $"must be exactly one of: {string.Join("; ", type.Literals.Select(TypeNames.LiteralText))}",
        FieldTypeKind.Union when OptionalOf(type) is { } inner => ForOptional(inner),
        _ => $"must be JSON that fits this schema: {JsonText.Write(JsonSchemas.Describe(type))}",
    };

    /// <summary>True for values that are written as they are, so that nothing need be said of their form.</summary>
    public static bool IsPlainText(FieldType type) => type.Kind is FieldTypeKind.String or FieldTypeKind.Reasoning;

    /// <summary>What a reminder says of a value's form: the name of its type, or the shape of tool calls.</summary>
    public static string InReminder(FieldType type) =>
        Bare(type).Kind == FieldTypeKind.ToolCalls ? "{\"tool_calls\": [{\"name\": \"…\", \"args\": {…}}]}" : TypeNames.Of(type);

    /// <summary>The single type beside null, or null when the type is no such union.</summary>
    public static FieldType? OptionalOf(FieldType type)
    {
        if (type.Kind != FieldTypeKind.Union || type.Arguments.Length != 2)
            return null;
        var index = type.Arguments.IndexOf(FieldType.Null);
        return index < 0 ? null : type.Arguments[1 - index];
    }

    /// <summary>The single type beside null, or the type itself.</summary>
    public static FieldType Bare(FieldType type) => OptionalOf(type) ?? type;

    private static string ForOptional(FieldType inner) => For(inner) is { } hint ? $"{hint}, or null"
        : inner.Kind is FieldTypeKind.String or FieldTypeKind.Reasoning ? "must be text, or null"
        : $"must be {TypeNames.Of(inner)}, or null";
}
