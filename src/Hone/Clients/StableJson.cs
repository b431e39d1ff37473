using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Writes the loosely typed values of chat options and tool calls as JSON that depends on the values only. What has no such form is reported, not
/// guessed at.
/// </summary>
internal static class StableJson
{
    private const int MaxDepth = 48;

    /// <summary>Writes a value; false when it has no stable form, and then the output is to be thrown away.</summary>
    /// <param name="writer">Where the JSON goes.</param>
    /// <param name="value">Anything.</param>
    /// <param name="sorted">True to order object members by name, so that their order makes no difference.</param>
    /// <param name="depth">How deep the value lies.</param>
    public static bool TryWrite(Utf8JsonWriter writer, object? value, bool sorted, int depth = 0)
    {
        if (depth > MaxDepth)
            return false;
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                return true;
            case string text:
                writer.WriteStringValue(text);
                return true;
            case bool flag:
                writer.WriteBooleanValue(flag);
                return true;
            case JsonElement element:
                return TryWriteElement(writer, element, sorted);
            case JsonDocument document:
                return TryWriteElement(writer, document.RootElement, sorted);
            case JsonNode node:
                return TryWriteNode(writer, node, sorted, depth);
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                return true;
            case Enum member:
                writer.WriteStringValue(member.ToString());
                return true;
            case IReadOnlyDictionary<string, object?> map:
                return TryWriteMap(writer, map, sorted, depth);
            case IDictionary<string, object?> map:
                return TryWriteMap(writer, map, sorted, depth);
            case IEnumerable list and (IList or IReadOnlyList<object?>):
                return TryWriteList(writer, list, sorted, depth);
            default:
                return TryWriteNumber(writer, value) || TryWriteScalar(writer, value) || TryWriteByContract(writer, value);
        }
    }

    /// <summary>True when both values have the same stable form, or are the same object.</summary>
    public static bool AreEqual(object? left, object? right)
    {
        if (Equals(left, right))
            return true;
        return left is not null && right is not null && TryFormat(left, out var a) && TryFormat(right, out var b) && a.AsSpan().SequenceEqual(b);
    }

    /// <summary>The stable form as UTF-8, object members sorted.</summary>
    public static bool TryFormat(object? value, out byte[] json)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        var written = TryWrite(writer, value, sorted: true);
        if (written)
            writer.Flush();
        json = written ? buffer.WrittenSpan.ToArray() : [];
        return written;
    }

    /// <summary>The .NET value of a JSON value: text, truth value, whole or other number, or the element itself.</summary>
    public static object? FromElement(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out var whole) ? (object)whole : element.GetDouble(),
        _ => element.Clone(),
    };

    private static bool TryWriteNumber(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case int number:
                writer.WriteNumberValue(number);
                return true;
            case long number:
                writer.WriteNumberValue(number);
                return true;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                return true;
            case float number when float.IsFinite(number):
                writer.WriteNumberValue(number);
                return true;
            case decimal number:
                writer.WriteNumberValue(number);
                return true;
            case byte or sbyte or short or ushort:
                writer.WriteNumberValue(Convert.ToInt32(value, CultureInfo.InvariantCulture));
                return true;
            case uint number:
                writer.WriteNumberValue(number);
                return true;
            case ulong number:
                writer.WriteNumberValue(number);
                return true;
            case BigInteger number:
                writer.WriteRawValue(number.ToString(CultureInfo.InvariantCulture));
                return true;
            default:
                return false;
        }
    }

    private static bool TryWriteScalar(Utf8JsonWriter writer, object value)
    {
        var text = value switch
        {
            Guid id => id.ToString(),
            DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
            DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
            DateOnly date => date.ToString("O", CultureInfo.InvariantCulture),
            TimeOnly time => time.ToString("O", CultureInfo.InvariantCulture),
            TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
            Uri uri => uri.ToString(),
            char character => character.ToString(),
            _ => null,
        };
        if (text is not null)
            writer.WriteStringValue(text);
        return text is not null;
    }

    // The contract that provider clients use for the same values, so that what is written is what they send.
    private static bool TryWriteByContract(Utf8JsonWriter writer, object value)
    {
        try
        {
            if (value is Delegate or Stream or Task || !AIJsonUtilities.DefaultOptions.TryGetTypeInfo(value.GetType(), out var contract))
                return false;
            using var document = JsonSerializer.SerializeToDocument(value, contract);
            return TryWriteElement(writer, document.RootElement, sorted: false);
        }
        catch (Exception error) when (error is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    private static bool TryWriteMap(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, object?>> map, bool sorted, int depth)
    {
        writer.WriteStartObject();
        foreach (var (name, item) in sorted ? map.OrderBy(entry => entry.Key, StringComparer.Ordinal) : map)
        {
            writer.WritePropertyName(name);
            if (!TryWrite(writer, item, sorted, depth + 1))
                return false;
        }

        writer.WriteEndObject();
        return true;
    }

    private static bool TryWriteList(Utf8JsonWriter writer, IEnumerable list, bool sorted, int depth)
    {
        writer.WriteStartArray();
        foreach (var item in list)
        {
            if (!TryWrite(writer, item, sorted, depth + 1))
                return false;
        }

        writer.WriteEndArray();
        return true;
    }

    private static bool TryWriteNode(Utf8JsonWriter writer, JsonNode node, bool sorted, int depth)
    {
        switch (node)
        {
            case JsonObject map when sorted:
                return TryWriteMap(writer, map.Select(entry => KeyValuePair.Create(entry.Key, (object?)entry.Value)), sorted, depth);
            case JsonArray list when sorted:
                return TryWriteList(writer, list, sorted, depth);
            default:
                node.WriteTo(writer);
                return true;
        }
    }

    private static bool TryWriteElement(Utf8JsonWriter writer, JsonElement element, bool sorted)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Undefined:
                writer.WriteNullValue();
                break;
            case JsonValueKind.Object when sorted:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    TryWriteElement(writer, member.Value, sorted);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array when sorted:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    TryWriteElement(writer, item, sorted);
                writer.WriteEndArray();
                break;
            default:
                element.WriteTo(writer);
                break;
        }

        return true;
    }
}
