using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>
/// Reads what a model wrote for one argument of a tool by the argument's JSON schema, at every depth: types, choices, required and unknown properties,
/// bounds, lengths and patterns. What can be mended without loss is; what a schema says that is not understood is left to the tool.
/// </summary>
internal static class ToolValueReader
{
    // Schemas may refer to themselves; what lies deeper is left to the tool.
    private const int Depth = 16;

    // Alternatives inside alternatives can be tried in more ways than there is time for.
    private const int MostSteps = 100_000;

    private static readonly FieldType AnyObject = FieldType.DictionaryOf(FieldType.String, FieldType.Any);
    private static readonly FieldType AnyList = FieldType.ListOf(FieldType.Any);

    /// <summary>The value as the tool is to have it.</summary>
    /// <param name="raw">A canonical value.</param>
    /// <param name="schema">The argument's schema.</param>
    /// <param name="root">The whole schema, for references.</param>
    /// <param name="value">The value, mended.</param>
    /// <param name="failure">What does not fit, and where.</param>
    public static bool TryRead(object? raw, JsonElement schema, JsonElement root, out object? value, ref CoercionFailure failure) =>
        TryRead(raw, schema, root, 0, out value, ref failure);

    private static bool TryRead(object? raw, JsonElement schema, JsonElement root, int depth, out object? value, ref CoercionFailure failure)
    {
        value = raw;
        if (++failure.Steps > MostSteps)
            return failure.Set("the value can be read in too many ways");
        if (schema.ValueKind == JsonValueKind.False)
            return failure.Set("no value is allowed here");
        if (schema.ValueKind != JsonValueKind.Object || depth > Depth)
            return true;
        if (schema.TryGetProperty("$ref", out var reference))
            return ToolSchemas.Find(reference, root) is not { } target || TryRead(raw, target, root, depth + 1, out value, ref failure);
        if (schema.TryGetProperty("const", out var only))
            return TryCoerce(raw, FieldType.LiteralOf([JsonValues.FromElement(only)]), out value, ref failure);
        if (schema.TryGetProperty("enum", out var choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0)
            return TryCoerce(raw, ToolSchemas.TypeOf(schema, root), out value, ref failure);
        if ((schema.TryGetProperty("anyOf", out var alternatives) || schema.TryGetProperty("oneOf", out alternatives)) && alternatives.ValueKind == JsonValueKind.Array)
            return TryAny([.. alternatives.EnumerateArray()], raw, root, depth, out value, ref failure);
        if (schema.TryGetProperty("type", out var types) && types.ValueKind == JsonValueKind.Array)
            return TryAny(types.EnumerateArray().Select(type => ToolSchemas.WithType(schema, type)), raw, root, depth, out value, ref failure);
        if (schema.TryGetProperty("allOf", out var all) && all.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in all.EnumerateArray())
            {
                if (!TryRead(value, part, root, depth + 1, out value, ref failure))
                    return false;
            }
        }

        return TryTyped(value, schema, root, depth, out value, ref failure);
    }

    // The first alternative that takes the value as it stands, else the first that takes it mended.
    private static bool TryAny(IEnumerable<JsonElement> alternatives, object? raw, JsonElement root, int depth, out object? value, ref CoercionFailure failure)
    {
        var (found, mended) = (false, (object?)null);
        CoercionFailure? nearest = null;
        foreach (var alternative in alternatives)
        {
            var attempt = failure;
            var isFit = TryRead(raw, alternative, root, depth + 1, out value, ref attempt);
            failure.Steps = attempt.Steps;
            if (!isFit)
            {
                // What is wrong with a value says more than that it is not null.
                if (!IsNull(alternative))
                    nearest ??= attempt;
                continue;
            }

            // Any object has a text; that it was one of another shape is no reason to take that.
            if (value is string && raw is (FieldMap or ImmutableArray<object?>))
            {
                attempt.Expected(FieldType.String, raw);
                nearest ??= attempt;
                continue;
            }

            if (FieldMap.ValuesEqual(value, raw))
                return true;
            if (!found)
                (found, mended) = (true, value);
        }

        value = mended;
        if (found)
            return true;
        if (nearest is not { } why)
            return failure.Expected(FieldType.Null, raw);
        failure = why;
        return false;
    }

    private static bool IsNull(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("null");

    private static bool TryTyped(object? raw, JsonElement schema, JsonElement root, int depth, out object? value, ref CoercionFailure failure)
    {
        value = raw;
        var isObject = schema.TryGetProperty("properties", out _) || schema.TryGetProperty("additionalProperties", out _);
        var type = schema.TryGetProperty("type", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : isObject && raw is FieldMap ? "object" : null;
        var isFit = type switch
        {
            "object" => TryCoerce(raw, AnyObject, out value, ref failure) && TryObject((FieldMap)value!, schema, root, depth, out value, ref failure),
            "array" => TryCoerce(raw, AnyList, out value, ref failure) && TryArray((ImmutableArray<object?>)value!, schema, root, depth, out value, ref failure),
            null => true,
            _ => TryCoerce(raw, ToolSchemas.TypeOf(schema, root), out value, ref failure),
        };
        return isFit && (FieldConstraints.Check(ToolSchemas.BoundsOf(schema, type ?? TypeNameOf(value)), value) is not { } broken || failure.Set(broken));
    }

    private static bool TryObject(FieldMap map, JsonElement schema, JsonElement root, int depth, out object? value, ref CoercionFailure failure)
    {
        value = map;
        var properties = schema.TryGetProperty("properties", out var declared) && declared.ValueKind == JsonValueKind.Object ? declared : default;
        var others = schema.TryGetProperty("additionalProperties", out var further) ? further : default;
        var required = ToolSchemas.RequiredOf(schema);
        if (required.FirstOrDefault(name => !map.ContainsKey(name)) is { } missing)
            return failure.Set($"the object needs '{missing}', which is missing");
        var read = new List<KeyValuePair<string, object?>>(map.Count);
        foreach (var (name, entry) in map)
        {
            var isDeclared = properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(name, out _);
            if (!isDeclared && others.ValueKind == JsonValueKind.False)
                return failure.Set($"the object has no property '{name}'{Known(properties)}");
            var own = isDeclared ? properties.GetProperty(name) : others;

            // Models write null for what they leave out.
            if (isDeclared && entry is null && !required.Contains(name) && !ToolSchemas.TypeOf(own, root).AdmitsNull)
                continue;
            if (!TryRead(entry, own, root, depth + 1, out var item, ref failure))
                return failure.Under($".{name}");
            read.Add(new(name, item));
        }

        value = FieldMap.Create(read);
        return true;
    }

    private static bool TryArray(ImmutableArray<object?> list, JsonElement schema, JsonElement root, int depth, out object? value, ref CoercionFailure failure)
    {
        value = list;
        if (!schema.TryGetProperty("items", out var items))
            return true;
        var read = ImmutableArray.CreateBuilder<object?>(list.Length);
        for (var i = 0; i < list.Length; i++)
        {
            if (!TryRead(list[i], items, root, depth + 1, out var item, ref failure))
                return failure.Under($"[{i}]");
            read.Add(item);
        }

        value = read.DrainToImmutable();
        return true;
    }

    private static bool TryCoerce(object? raw, FieldType type, out object? value, ref CoercionFailure failure) =>
        ValueCoercer.TryCoerceJson(raw, type, out value, ref failure);

    // Of a schema without a type only those bounds count that are for the value's own.
    private static string TypeNameOf(object? value) => value switch
    {
        string => "string",
        FieldMap => "object",
        ImmutableArray<object?> => "array",
        _ => "number",
    };

    private static string Known(JsonElement properties) => properties.ValueKind == JsonValueKind.Object
        ? $"; it has: {string.Join(", ", properties.EnumerateObject().Select(property => property.Name))}"
        : string.Empty;
}
