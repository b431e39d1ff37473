using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hone;

/// <summary>Writes canonical values as JSON; what has no form in JSON, such as a picture, as the text that it says itself to be.</summary>
internal static class FieldMapText
{
    public static string Write(FieldMap map)
    {
        var text = new StringBuilder();
        Append(text, map);
        return text.ToString();
    }

    private static void Append(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case bool flag:
                text.Append(flag ? "true" : "false");
                break;
            case long or int or decimal or System.Numerics.BigInteger:
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
            case double number when double.IsFinite(number):
                text.Append(number.ToString("R", CultureInfo.InvariantCulture));
                break;
            case FieldMap map:
                AppendMap(text, map);
                break;
            case byte[] bytes:
                AppendText(text, Convert.ToBase64String(bytes));
                break;
            case ImmutableArray<object?> list:
                AppendList(text, list);
                break;
            default:
                AppendText(text, Plain(value));
                break;
        }
    }

    private static void AppendMap(StringBuilder text, FieldMap map)
    {
        text.Append('{');
        var isFirst = true;
        foreach (var (name, value) in map)
        {
            text.Append(isFirst ? string.Empty : ", ");
            AppendText(text, name);
            text.Append(": ");
            Append(text, value);
            isFirst = false;
        }

        text.Append('}');
    }

    private static void AppendList(StringBuilder text, IEnumerable list)
    {
        text.Append('[');
        var isFirst = true;
        foreach (var item in list)
        {
            text.Append(isFirst ? string.Empty : ", ");
            Append(text, item);
            isFirst = false;
        }

        text.Append(']');
    }

    private static void AppendText(StringBuilder text, string value) =>
        text.Append('"').Append(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value).Append('"');

    private static string Plain(object value) => value switch
    {
        string text => text,
        TimeSpan span => System.Xml.XmlConvert.ToString(span),
        DateOnly or DateTimeOffset or TimeOnly => ((IFormattable)value).ToString("O", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };
}
