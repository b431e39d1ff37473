namespace Hone;

/// <summary>Citations, tools, tool calls and tool results as plain object types: what their JSON looks like.</summary>
internal static class SpecialShapes
{
    private static readonly FieldType Citations = FieldType.ListOf(FieldType.ObjectOf(
        "Citation",
        new ObjectProperty("cited_text", FieldType.String),
        new ObjectProperty("document_index", FieldType.Integer),
        new ObjectProperty("document_title", FieldType.Optional(FieldType.String), false),
        new ObjectProperty("start_char_index", FieldType.Integer, false),
        new ObjectProperty("end_char_index", FieldType.Integer, false),
        new ObjectProperty("supported_text", FieldType.Optional(FieldType.String), false)));

    private static readonly FieldType Arguments = FieldType.DictionaryOf(FieldType.String, FieldType.Any);

    private static readonly FieldType Call = FieldType.ObjectOf(
        "ToolCall", new ObjectProperty("name", FieldType.String), new ObjectProperty("args", Arguments));

    private static readonly FieldType Calls = FieldType.ObjectOf("ToolCalls", new ObjectProperty(ToolValues.Calls, FieldType.ListOf(Call)));

    private static readonly FieldType Result = FieldType.ObjectOf(
        "ToolResult",
        new ObjectProperty("call_id", FieldType.Optional(FieldType.String), false),
        new ObjectProperty("name", FieldType.String),
        new ObjectProperty("value", FieldType.Any),
        new ObjectProperty("is_error", FieldType.Boolean, false));

    private static readonly FieldType Results = FieldType.ObjectOf(
        "ToolResults", new ObjectProperty(ToolValues.Results, FieldType.ListOf(Result)));

    private static readonly FieldType Tool = FieldType.ObjectOf(
        "Tool",
        new ObjectProperty("name", FieldType.String),
        new ObjectProperty("description", FieldType.String, false),
        new ObjectProperty("parameters", Arguments, false));

    private static readonly FieldType History = FieldType.ListOf(Arguments);

    /// <summary>The plain type, or null for kinds that have no such shape.</summary>
    public static FieldType? Of(FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Citations => Citations,
        FieldTypeKind.ToolCalls => Calls,
        FieldTypeKind.ToolResults => Results,
        FieldTypeKind.Tool => Tool,
        FieldTypeKind.History => History,
        _ => null,
    };
}
