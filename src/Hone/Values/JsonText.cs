using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Xml;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Writes canonical values as one-line JSON with <c>", "</c> and <c>": "</c> between parts; non-ASCII text is kept.</summary>
internal static class JsonText
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        "\"\\\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000B\f\r\u000E\u000F"
        + "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F");

    public static string Write(object? value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    /// <param name="text">Where to write.</param>
    /// <param name="value">A canonical value, or one that has a canonical form.</param>
    /// <param name="show">
    /// The text that stands for a value that is no text or has its own way of being shown; null writes the form of state files.
    /// </param>
    public static void Write(StringBuilder text, object? value, Func<object, string>? show = null)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case string s:
                WriteString(text, s);
                break;
            case bool b:
                text.Append(b ? "true" : "false");
                break;
            case FieldMap map:
                WriteMap(text, map, show);
                break;
            case History history:
                WriteList(text, history.Turns.CastArray<object?>(), show);
                break;
            case long number:
                text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            case double number:
                WriteNumber(text, number);
                break;
            case decimal number:
                text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            case BigInteger number:
                text.Append(CultureInfo.InvariantCulture, $"{number}");
                break;
            case byte[] or DateOnly or DateTimeOffset or TimeOnly or TimeSpan or Guid or Uri or Enum:
                WriteString(text, Scalar(value));
                break;
            case ImmutableArray<object?> list:
                WriteList(text, list, show);
                break;
            default:
                WriteSpecial(text, value, show);
                break;
        }
    }

    public static bool IsScalar(object value) =>
        value is string or bool or long or double or decimal or BigInteger or DateOnly or DateTimeOffset or TimeOnly or TimeSpan
            or byte[] or Guid or Uri;

    /// <summary>A scalar as plain text: numbers invariant, dates ISO 8601, bytes base-64, a type of the user's own as it says.</summary>
    public static string Scalar(object value) => value switch
    {
        string text => text,
        true => "true",
        false => "false",
        double number => Number(number),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTimeOffset time => Time(time),
        TimeOnly time => time.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        TimeSpan span => XmlConvert.ToString(span),
        byte[] bytes => Convert.ToBase64String(bytes),
        Uri uri => uri.OriginalString,
        long or decimal or BigInteger or Guid => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        _ when PromptType.Of(value.GetType()) is { } custom => custom.Write(value),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

    public static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        var rest = value.AsSpan();
        for (var next = rest.IndexOfAny(Escaped); next >= 0; next = rest.IndexOfAny(Escaped))
        {
            text.Append(rest[..next]);
            WriteEscaped(text, rest[next]);
            rest = rest[(next + 1)..];
        }

        text.Append(rest).Append('"');
    }

    private static void WriteEscaped(StringBuilder text, char c)
    {
        switch (c)
        {
            case '"':
                text.Append("\\\"");
                break;
            case '\\':
                text.Append("\\\\");
                break;
            case '\n':
                text.Append("\\n");
                break;
            case '\r':
                text.Append("\\r");
                break;
            case '\t':
                text.Append("\\t");
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                break;
        }
    }

    private static void WriteSpecial(StringBuilder text, object value, Func<object, string>? show)
    {
        switch (value)
        {
            case Media media when show is null:
                WriteMap(text, media.ToFields(), null);
                break;
            case Media media:
                WriteString(text, show(media));
                break;
            case AITool tool:
                WriteMap(text, Describe(tool), show);
                break;
            case var custom when PromptType.Of(custom.GetType()) is { } type:
                WriteString(text, show is null ? type.Write(custom) : show(custom));
                break;
            default:
                Write(text, ClrValues.ToCanonical(value), show);
                break;
        }
    }

    private static FieldMap Describe(AITool tool) => FieldMap.Of(
        ("name", tool.Name),
        ("description", tool.Description),
        ("parameters", tool is AIFunctionDeclaration function ? JsonValues.FromElement(function.JsonSchema) : null));

    private static void WriteMap(StringBuilder text, FieldMap map, Func<object, string>? show)
    {
        text.Append('{');
        var isFirst = true;
        foreach (var (name, value) in map)
        {
            text.Append(isFirst ? string.Empty : ", ");
            WriteString(text, name);
            text.Append(": ");
            Write(text, value, show);
            isFirst = false;
        }

        text.Append('}');
    }

    private static void WriteList(StringBuilder text, ImmutableArray<object?> list, Func<object, string>? show)
    {
        text.Append('[');
        for (var i = 0; i < list.Length; i++)
        {
            if (i > 0)
                text.Append(", ");
            Write(text, list[i], show);
        }

        text.Append(']');
    }

    // A whole double keeps its point, so that reading it back gives a double again.
    private static void WriteNumber(StringBuilder text, double number)
    {
        Span<char> digits = stackalloc char[32];
        number.TryFormat(digits, out var length, "R", CultureInfo.InvariantCulture);
        digits = digits[..length];
        text.Append(digits);
        if (IsWhole(number, digits))
            text.Append(".0");
    }

    private static string Number(double number)
    {
        var text = number.ToString("R", CultureInfo.InvariantCulture);
        return IsWhole(number, text) ? text + ".0" : text;
    }

    private static bool IsWhole(double number, ReadOnlySpan<char> text) => double.IsFinite(number) && text.IndexOfAny('.', 'E') < 0;

    private static string Time(DateTimeOffset time)
    {
        var local = time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture);
        return time.Offset == TimeSpan.Zero ? local + "Z" : local + time.ToString("zzz", CultureInfo.InvariantCulture);
    }
}
