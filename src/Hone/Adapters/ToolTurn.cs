using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A turn of a conversation in which the model asked for tools.</summary>
internal sealed class ToolTurn
{
    private readonly FieldMap turn;
    private readonly string field;
    private readonly ImmutableArray<FieldMap> calls;
    private readonly ImmutableArray<FieldMap> results;

    private ToolTurn(FieldMap turn, string field, FieldMap value)
    {
        (this.turn, this.field) = (turn, field);
        calls = Items(value, ToolCalls.CallsKey);
        results = Items(value, ToolResults.ResultsKey);
        if (results.IsEmpty)
            results = Items(turn, ToolResults.ResultsKey);
    }

    /// <summary>The tool calls of a turn; null when it has none.</summary>
    public static ToolTurn? Find(FieldMap turn)
    {
        foreach (var (name, value) in turn)
        {
            if (value is FieldMap map && map.ContainsKey(ToolCalls.CallsKey))
                return new(turn, name, map);
        }

        return null;
    }

    /// <summary>
    /// As messages of the provider's own kind. Providers insist that each call has an id and its result: calls for which that does not hold are left out.
    /// </summary>
    public void AddNatively(List<ChatMessage> messages)
    {
        var text = TextBeside();
        if (!HasMatchingResults())
        {
            if (text.Length > 0)
                messages.Add(new(ChatRole.Assistant, text));
            return;
        }

        List<AIContent> contents = text.Length > 0 ? [new TextContent(text)] : [];
        contents.AddRange(calls.Select(call => new FunctionCallContent(Id(call), Name(call), Arguments(call))));
        messages.Add(new(ChatRole.Assistant, contents));
        foreach (var result in results)
            messages.Add(new(ChatRole.Tool, [new FunctionResultContent((string)result[ToolResults.CallIdKey]!, ResultText(result))]));
    }

    /// <summary>As text: the calls among the outputs, their results in a user message of their own.</summary>
    public void AddAsText(List<ChatMessage> messages, PromptAdapter adapter, Signature signature)
    {
        var shown = turn.With(field, FieldMap.Of((ToolCalls.CallsKey, ClrValues.List(calls.Select(call => call.Without(ToolCalls.IdKey))))));
        messages.Add(new(ChatRole.Assistant, adapter.RenderOutputs(signature, shown)));
        if (!results.IsEmpty)
        {
            var all = FieldMap.Of((ToolResults.ResultsKey, ClrValues.List(results)));
            messages.Add(new(ChatRole.User, adapter.RenderBlock(ToolResults.ResultsKey, JsonText.Write(all))));
        }
    }

    // Thoughts and other outputs of the turn, as plain paragraphs.
    private string TextBeside() => string.Join("\n\n", turn
        .Where(entry => entry.Key != field && entry.Key != ToolResults.ResultsKey && entry.Value is string { Length: > 0 })
        .Select(entry => (string)entry.Value!));

    private bool HasMatchingResults() => calls.Length == results.Length
        && calls.Zip(results).All(pair => Id(pair.First).Length > 0 && Id(pair.First) == pair.Second.GetValueOrDefault(ToolResults.CallIdKey) as string);

    private static string ResultText(FieldMap result) =>
        result.GetValueOrDefault(ToolResults.ValueKey) is var value && value is string text ? text : JsonText.Write(value);

    private static string Id(FieldMap call) => call.GetValueOrDefault(ToolCalls.IdKey) as string ?? string.Empty;

    private static string Name(FieldMap call) => call.GetValueOrDefault(ToolCalls.NameKey) as string ?? string.Empty;

    private static Dictionary<string, object?> Arguments(FieldMap call) =>
        (call.GetValueOrDefault(ToolCalls.ArgumentsKey) as FieldMap ?? FieldMap.Empty).ToDictionary(entry => entry.Key, entry => entry.Value);

    private static ImmutableArray<FieldMap> Items(FieldMap map, string key) => map.GetValueOrDefault(key) switch
    {
        ImmutableArray<object?> list => [.. list.OfType<FieldMap>()],
        FieldMap inner => Items(inner, key),
        _ => [],
    };
}
