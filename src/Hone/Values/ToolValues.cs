using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Tool calls, tool results and citations as canonical values, and from them.</summary>
internal static class ToolValues
{
    public const string Calls = "tool_calls";
    public const string Results = "tool_call_results";

    // What only the program needs to know of a call.
    private const string Id = "id";
    private const string RawArguments = "raw_args";
    private const string Error = "error";

    public static FieldMap Of(ToolCall call)
    {
        var args = ClrValues.ToCanonical(call.Arguments);
        var fields = call.Id is null ? FieldMap.Of(("name", call.Name), ("args", args)) : FieldMap.Of((Id, call.Id), ("name", call.Name), ("args", args));
        if (call.RawArguments is not null)
            fields = fields.With(RawArguments, call.RawArguments);
        return call.Error is null ? fields : fields.With(Error, call.Error);
    }

    public static FieldMap Of(ToolCalls calls) => FieldMap.Of((Calls, ClrValues.List(calls.Calls.Select(Of))));

    public static FieldMap Of(ToolResult result) => FieldMap.Of(
        ("call_id", result.CallId), ("name", result.Name), ("value", ClrValues.ToCanonical(result.Value)), ("is_error", result.IsError));

    public static FieldMap Of(ToolResults results) => FieldMap.Of((Results, ClrValues.List(results.Results.Select(Of))));

    public static FieldMap Of(Citation citation)
    {
        var fields = new List<KeyValuePair<string, object?>>
        {
            new("type", "char_location"),
            new("cited_text", citation.CitedText),
            new("document_index", (long)citation.DocumentIndex),
            new("start_char_index", (long)citation.StartCharIndex),
            new("end_char_index", (long)citation.EndCharIndex),
        };
        if (citation.DocumentTitle is not null)
            fields.Add(new("document_title", citation.DocumentTitle));
        if (citation.SupportedText is not null)
            fields.Add(new("supported_text", citation.SupportedText));
        return FieldMap.Create(fields);
    }

    public static object Of(Citations citations) => ClrValues.List(citations.Items.Select(Of));

    /// <summary>The calls of a response, arguments in canonical form.</summary>
    public static ToolCalls FromContents(IEnumerable<FunctionCallContent> contents) => new([.. contents.Select(FromContent)]);

    /// <summary>A call of a response, arguments in canonical form; what is no JSON is mended, or the call says what is wrong.</summary>
    public static ToolCall FromContent(FunctionCallContent content)
    {
        var id = string.IsNullOrEmpty(content.CallId) ? null : content.CallId;
        return content.Exception is not null ? BrokenArguments.Mend(content, id)
            : new(content.Name, content.Arguments is { } arguments ? (FieldMap)ClrValues.ToCanonical(arguments)! : FieldMap.Empty) { Id = id };
    }

    /// <summary>Tool calls of their canonical form.</summary>
    public static ToolCalls ToCalls(FieldMap value) => new([.. Items(value, Calls).Select(ToCall)]);

    /// <summary>Tool results of their canonical form.</summary>
    public static ToolResults ToResults(FieldMap value) => new(
    [
        .. Items(value, Results).Select(item => new ToolResult(
            Text(item, "call_id"), Text(item, "name") ?? string.Empty, item.GetValueOrDefault("value"), item.GetValueOrDefault("is_error") is true)),
    ]);

    /// <summary>Citations of their canonical form.</summary>
    public static Citations ToCitations(ImmutableArray<object?> value) => new(
    [
        .. value.OfType<FieldMap>().Select(item => new Citation(
            Text(item, "cited_text") ?? string.Empty,
            Number(item, "document_index"),
            Number(item, "start_char_index"),
            Number(item, "end_char_index"))
        {
            DocumentTitle = Text(item, "document_title"),
            SupportedText = Text(item, "supported_text"),
        }),
    ]);

    /// <summary>What the model is shown of calls: ids are the provider's own business, and what could not be read is told with the results.</summary>
    public static object WithoutIds(object value) =>
        value is FieldMap map && map.TryGetValue(Calls, out var calls) && calls is ImmutableArray<object?> list
        ? FieldMap.Of((Calls, ClrValues.List(list.Select(call => call is FieldMap fields ? fields.Without(Id).Without(RawArguments).Without(Error) : call))))
        : value;

    private static ToolCall ToCall(FieldMap item) =>
        new(Text(item, "name") ?? string.Empty, item.GetValueOrDefault("args") as FieldMap ?? FieldMap.Empty)
        {
            Id = Text(item, Id),
            RawArguments = Text(item, RawArguments),
            Error = Text(item, Error),
        };

    private static IEnumerable<FieldMap> Items(FieldMap value, string name) =>
        value.TryGetValue(name, out var items) && items is ImmutableArray<object?> list ? list.OfType<FieldMap>() : [];

    private static string? Text(FieldMap item, string name) => item.GetValueOrDefault(name) as string;

    private static int Number(FieldMap item, string name) =>
        item.GetValueOrDefault(name) is long number ? (int)Math.Clamp(number, int.MinValue, int.MaxValue) : 0;
}
