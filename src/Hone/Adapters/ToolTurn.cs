using System.Collections.Immutable;
using System.Text.Json;
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
        calls = Items(value, ToolValues.Calls);
        results = Items(value, ToolValues.Results);
        if (results.IsEmpty)
            results = Items(turn, ToolValues.Results);
    }

    /// <summary>The tool calls of a turn; null when it has none.</summary>
    public static ToolTurn? Find(FieldMap turn)
    {
        foreach (var (name, value) in turn)
        {
            if (value is FieldMap map && map.ContainsKey(ToolValues.Calls))
                return new(turn, name, map);
        }

        return null;
    }

    /// <summary>
    /// As messages of the provider's own kind. Providers insist that each call has an id and its result: calls for which that does not hold are left out.
    /// </summary>
    public void AddNatively(List<ChatMessage> messages, PromptAdapter adapter, Signature signature)
    {
        var text = TextBeside(adapter, signature);
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
            messages.Add(new(ChatRole.Tool, [new FunctionResultContent((string)result["call_id"]!, ResultText(result))]));
    }

    /// <summary>As text: the calls among the outputs, their results in a user message of their own.</summary>
    public void AddAsText(List<ChatMessage> messages, PromptAdapter adapter, Signature signature)
    {
        var shown = turn.With(field, ToolValues.WithoutIds(turn[field]!));
        messages.Add(new(ChatRole.Assistant, adapter.RenderOutputs(signature, shown)));
        if (!results.IsEmpty)
        {
            var all = FieldMap.Of((ToolValues.Results, ClrValues.List(results)));
            messages.Add(new(ChatRole.User, adapter.RenderBlock(ToolValues.Results, JsonText.Write(all))));
        }
    }

    // Thoughts and other outputs of the turn, in the adapter's format.
    private string TextBeside(PromptAdapter adapter, Signature signature)
    {
        var given = signature.Outputs.Where(output => output.Name != field && turn.GetValueOrDefault(output.Name) is not (null or "")).ToList();
        if (given.Count == 0)
            return string.Empty;
        var shown = given.Count == signature.Outputs.Length ? signature : new(given, signature.Instructions, signature.Name);
        return adapter.RenderOutputs(shown, turn).TrimEnd();
    }

    /// <summary>Arguments as clients take them, who write what is no plain value by their own serializer: it need not know Hone's maps and lists.</summary>
    public static Dictionary<string, object?> ArgumentsOf(FieldMap arguments) => arguments.ToDictionary(entry => entry.Key, entry => Argument(entry.Value));

    private bool HasMatchingResults() => calls.Length == results.Length
        && calls.Zip(results).All(pair => Id(pair.First).Length > 0 && Id(pair.First) == pair.Second.GetValueOrDefault("call_id") as string);

    private static string ResultText(FieldMap result) =>
        result.GetValueOrDefault("value") is var value && value is string text ? text : JsonText.Write(value);

    private static string Id(FieldMap call) => call.GetValueOrDefault("id") as string ?? string.Empty;

    private static string Name(FieldMap call) => call.GetValueOrDefault("name") as string ?? string.Empty;

    private static Dictionary<string, object?> Arguments(FieldMap call) => ArgumentsOf(call.GetValueOrDefault("args") as FieldMap ?? FieldMap.Empty);

    private static object? Argument(object? value) =>
        value is null or string or bool or long or double ? value : JsonElement.Parse(JsonText.Write(value));

    private static ImmutableArray<FieldMap> Items(FieldMap map, string key) => map.GetValueOrDefault(key) switch
    {
        ImmutableArray<object?> list => [.. list.OfType<FieldMap>()],
        FieldMap inner => Items(inner, key),
        _ => [],
    };
}
