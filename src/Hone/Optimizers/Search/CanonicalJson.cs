using System.Collections.Immutable;
using System.Numerics;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>Canonical values as JSON that their fields' types read back: what program files hold, written without a tree in between.</summary>
internal static class CanonicalJson
{
    public static void Write(Utf8JsonWriter json, string name, object? value)
    {
        json.WritePropertyName(name);
        Write(json, value);
    }

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case FieldMap map:
                json.WriteStartObject();
                foreach (var (name, member) in map)
                    Write(json, name, member);
                json.WriteEndObject();
                break;
            case ImmutableArray<object?> list:
                json.WriteStartArray();
                foreach (var item in list)
                    Write(json, item);
                json.WriteEndArray();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case long whole:
                json.WriteNumberValue(whole);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case double number when !double.IsFinite(number):
                json.WriteStringValue(JsonText.Scalar(value));
                break;
            case double or BigInteger or Media or History:
                json.WriteRawValue(JsonText.Write(value), skipInputValidation: true);
                break;
            default:
                json.WriteStringValue(JsonText.Scalar(value));
                break;
        }
    }
}
