namespace Hone;

/// <summary>JSON Schemas of citations, tools, tool calls and tool results.</summary>
internal static class SpecialSchemas
{
    private static readonly FieldMap Text = FieldMap.Of(("type", "string"));
    private static readonly FieldMap Whole = FieldMap.Of(("type", "integer"));

    private static readonly FieldMap Citations = List(Object(
        ["cited_text"],
        ("cited_text", Text),
        ("document_index", Whole),
        ("document_title", Text),
        ("end_char_index", Whole),
        ("start_char_index", Whole),
        ("supported_text", Text)));

    private static readonly FieldMap Calls = Object(
        [ToolValues.Calls], (ToolValues.Calls, List(Object(["name", "args"], ("name", Text), ("args", FieldMap.Of(("type", "object")))))));

    private static readonly FieldMap Results = Object(
        [ToolValues.Results],
        (ToolValues.Results, List(Object(
            ["name", "value"], ("call_id", Text), ("name", Text), ("value", FieldMap.Empty), ("is_error", FieldMap.Of(("type", "boolean")))))));

    private static readonly FieldMap Tool = Object(
        ["name"], ("name", Text), ("description", Text), ("parameters", FieldMap.Of(("type", "object"))));

    public static FieldMap Of(FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Citations => Citations,
        FieldTypeKind.ToolCalls => Calls,
        FieldTypeKind.ToolResults => Results,
        FieldTypeKind.Tool => Tool,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "has no schema of its own"),
    };

    private static FieldMap List(FieldMap items) => FieldMap.Of(("type", "array"), ("items", items));

    private static FieldMap Object(string[] required, params ReadOnlySpan<(string Name, object? Schema)> properties) =>
        FieldMap.Of(("type", "object"), ("properties", FieldMap.Of(properties)), ("required", ClrValues.List(required)));
}
