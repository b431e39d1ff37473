using System.Collections.Immutable;
using System.Text;

namespace Hone;

/// <summary>Canonical values as JSON with a line an entry and two spaces a level.</summary>
internal static class PrettyJson
{
    public static string Write(FieldMap map)
    {
        var text = new StringBuilder();
        Write(text, map, null);
        return text.ToString();
    }

    /// <param name="text">Where to write.</param>
    /// <param name="map">A canonical value.</param>
    /// <param name="show">The text that stands for a value that is no text; null writes the form of state files.</param>
    public static void Write(StringBuilder text, FieldMap map, Func<object, string>? show) => WriteValue(text, map, 0, show);

    private static void WriteValue(StringBuilder text, object? value, int depth, Func<object, string>? show)
    {
        switch (value)
        {
            case FieldMap { Count: > 0 } map:
                text.Append("{\n");
                foreach (var (name, item) in map)
                {
                    text.Append(' ', 2 * (depth + 1));
                    JsonText.WriteString(text, name);
                    text.Append(": ");
                    WriteValue(text, item, depth + 1, show);
                    text.Append(",\n");
                }

                Close(text, '}', depth);
                break;
            case ImmutableArray<object?> { Length: > 0 } list:
                text.Append("[\n");
                foreach (var item in list)
                {
                    text.Append(' ', 2 * (depth + 1));
                    WriteValue(text, item, depth + 1, show);
                    text.Append(",\n");
                }

                Close(text, ']', depth);
                break;
            default:
                JsonText.Write(text, value, show);
                break;
        }
    }

    private static void Close(StringBuilder text, char bracket, int depth)
    {
        text.Length -= 2;
        text.Append('\n').Append(' ', 2 * depth).Append(bracket);
    }
}
