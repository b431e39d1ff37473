using System.Collections.Immutable;

namespace Hone;

/// <summary>Reads tool calls and tool results in the shapes that models and providers write.</summary>
internal static class ToolCallReader
{
    /// <summary>
    /// A list of calls, an object with <c>tool_calls</c>, or one call. A call has <c>name</c> with <c>args</c> or <c>arguments</c>, or holds both
    /// under <c>function</c>; arguments may be JSON text. Its id is <c>id</c> or <c>call_id</c>.
    /// </summary>
    public static bool TryCalls(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        value = null;
        if (raw is ToolCalls calls)
        {
            value = ToolValues.Of(calls);
            return true;
        }

        var items = Items(raw, ToolValues.Calls);
        if (items.IsDefault && raw is FieldMap map && (map.ContainsKey("name") || map.ContainsKey("function")))
            items = [map];
        if (items.IsDefault)
            return failure.Expected(type, raw);
        var read = ImmutableArray.CreateBuilder<object?>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            if (!TryCall(items[i], out var call, ref failure))
                return failure.Under($"[{i}]");
            read.Add(call);
        }

        value = FieldMap.Of((ToolValues.Calls, read.DrainToImmutable()));
        return true;
    }

    /// <summary>A list of results, or an object with <c>tool_call_results</c>.</summary>
    public static bool TryResults(object? raw, FieldType type, out object? value, ref CoercionFailure failure)
    {
        value = null;
        if (raw is ToolResults results)
        {
            value = ToolValues.Of(results);
            return true;
        }

        var items = Items(raw, ToolValues.Results);
        if (items.IsDefault)
            return failure.Expected(type, raw);
        var read = ImmutableArray.CreateBuilder<object?>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is not FieldMap item || !(item.ContainsKey("name") || item.ContainsKey("call_id") || item.ContainsKey("id")))
            {
                failure.Set($"a tool result is an object with 'name' or 'call_id', found {FieldConstraints.Shorten(items[i])}");
                return failure.Under($"[{i}]");
            }

            var id = Text(item, "call_id") ?? Text(item, "id");
            var isError = item.GetValueOrDefault("is_error") is true;
            read.Add(ToolValues.Of(new ToolResult(id, Text(item, "name") ?? string.Empty, item.GetValueOrDefault("value"), isError)));
        }

        value = FieldMap.Of((ToolValues.Results, read.DrainToImmutable()));
        return true;
    }

    private static ImmutableArray<object?> Items(object? raw, string name) => raw switch
    {
        ImmutableArray<object?> list => list,
        FieldMap map when map.TryGetValue(name, out var inner) => inner is ImmutableArray<object?> list ? list : [inner],
        _ => default,
    };

    private static bool TryCall(object? raw, out FieldMap call, ref CoercionFailure failure)
    {
        call = FieldMap.Empty;
        if (raw is ToolCall typed)
        {
            call = ToolValues.Of(typed);
            return true;
        }

        if (raw is not FieldMap map)
            return failure.Set($"a tool call is an object with 'name' and 'args', found {FieldConstraints.Shorten(raw)}");
        var function = map.GetValueOrDefault("function") as FieldMap ?? map;
        if (Text(function, "name") is not { Length: > 0 } name)
            return failure.Set($"a tool call needs the 'name' of the tool, found {FieldConstraints.Shorten(raw)}");
        var given = function.TryGetValue("args", out var args) || function.TryGetValue("arguments", out args) ? args : null;
        if (!TryArguments(given, out var arguments))
            return failure.Set($"the arguments of the call of '{name}' must be an object, found {FieldConstraints.Shorten(given)}");
        call = ToolValues.Of(new ToolCall(name, arguments) { Id = Text(map, "id") ?? Text(map, "call_id") });
        return true;
    }

    private static bool TryArguments(object? given, out FieldMap arguments)
    {
        var value = given is string text ? string.IsNullOrWhiteSpace(text) ? null : JsonRepair.Parse(text).Value ?? text : given;
        arguments = value as FieldMap ?? FieldMap.Empty;
        return value is null or FieldMap or ImmutableArray<object?> { Length: 0 };
    }

    private static string? Text(FieldMap item, string name) => item.GetValueOrDefault(name) as string;
}
