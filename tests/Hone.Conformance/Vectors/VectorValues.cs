using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Hone.Conformance;

/// <summary>Recorded values as canonical ones, and comparison with them. The encoding is described beside the recorded files.</summary>
internal static class VectorValues
{
    public static object? Read(JsonElement recorded, FieldType type)
    {
        if (recorded.ValueKind == JsonValueKind.Object && recorded.EnumerateObject().Take(1).ToList() is [{ Name: ['$', ..] } tagged])
            return ReadTagged(recorded, tagged, type);
        return recorded.ValueKind switch
        {
            JsonValueKind.Array => recorded.EnumerateArray().Select((item, i) => Read(item, Argument(type, i))).ToImmutableArray(),
            JsonValueKind.Object => FieldMap.Create(recorded.EnumerateObject().Select(entry => KeyValuePair.Create(entry.Name, Read(entry.Value, ValueType(type, entry.Name))))),
            _ => JsonValues.FromElement(recorded),
        };
    }

    /// <summary>What differs, or null when a canonical value is the recorded one.</summary>
    public static string? Mismatch(JsonElement recorded, object? actual, FieldType type)
    {
        var expected = Read(recorded, type);
        return Same(expected, actual, type.Kind == FieldTypeKind.Set) ? null : $"expected {recorded.GetRawText()}, got {JsonText.Write(actual)} ({actual?.GetType().Name ?? "null"})";
    }

    public static bool Same(object? expected, object? actual, bool isSet = false) => (expected, actual) switch
    {
        (double a, double b) => a.Equals(b),
        (FieldMap a, FieldMap b) => a.Count == b.Count && a.All(entry => b.TryGetValue(entry.Key, out var value) && Same(entry.Value, value)),
        (ImmutableArray<object?> a, ImmutableArray<object?> b) when isSet => a.Length == b.Length && a.All(item => b.Any(other => Same(item, other))),
        (ImmutableArray<object?> a, ImmutableArray<object?> b) => a.Length == b.Length && a.Zip(b).All(pair => Same(pair.First, pair.Second)),
        _ => Equals(expected, actual),
    };

    private static object? ReadTagged(JsonElement recorded, JsonProperty tagged, FieldType type)
    {
        var value = tagged.Value;
        return tagged.Name switch
        {
            "$float" => ReadFloat(value.GetString()!),
            "$bigint" => BigInteger.Parse(value.GetString()!, CultureInfo.InvariantCulture) is var big && big >= long.MinValue && big <= long.MaxValue ? (object)(long)big : big,
            "$enum" => EnumType(type)?.Members.FirstOrDefault(member => member.Name == value.GetString())?.Value ?? value.GetString(),
            "$object" when type.Kind == FieldTypeKind.Code => recorded.GetProperty("fields").Text("code"),
            "$object" when type.Kind == FieldTypeKind.Reasoning => recorded.GetProperty("fields").Text("content"),
            "$object" => Read(recorded.GetProperty("fields"), type),
            "$tuple" or "$set" => Read(value, type),
            "$pairs" => FieldMap.Create(value.EnumerateArray().Select(pair => KeyValuePair.Create(
                JsonText.Scalar(Read(pair[0], FieldType.Any) ?? "null"), Read(pair[1], ValueType(type, string.Empty))))),
            "$date" => DateOnly.Parse(value.GetString()!, CultureInfo.InvariantCulture),
            "$datetime" => DateTimeOffset.Parse(value.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
            "$history" => value.EnumerateArray().Select(turn => Read(turn, FieldType.Any)).ToImmutableArray(),
            var other => throw new InvalidOperationException($"unknown value tag {other}"),
        };
    }

    private static double ReadFloat(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static FieldType? EnumType(FieldType type) => type.Kind == FieldTypeKind.Enum ? type
        : type.Kind == FieldTypeKind.Union ? type.Arguments.Select(EnumType).FirstOrDefault(inner => inner is not null) : null;

    private static FieldType Argument(FieldType type, int index) => type.Kind switch
    {
        FieldTypeKind.List or FieldTypeKind.Set => type.Arguments[0],
        FieldTypeKind.Tuple when index < type.Arguments.Length => type.Arguments[index],
        FieldTypeKind.Union => type.Arguments.Select(each => Argument(each, index)).FirstOrDefault(each => each.Kind != FieldTypeKind.Any, FieldType.Any),
        _ => FieldType.Any,
    };

    private static FieldType ValueType(FieldType type, string name) => type.Kind switch
    {
        FieldTypeKind.Dictionary => type.Arguments[1],
        FieldTypeKind.Object => type.Properties.FirstOrDefault(property => property.Name == name)?.Type ?? FieldType.Any,
        FieldTypeKind.Union => type.Arguments.Select(each => ValueType(each, name)).FirstOrDefault(each => each.Kind != FieldTypeKind.Any, FieldType.Any),
        _ => FieldType.Any,
    };
}
