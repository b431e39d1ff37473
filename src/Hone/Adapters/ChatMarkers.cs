using System.Text.RegularExpressions;

namespace Hone;

/// <summary>The marker lines of the chat format: <c>[[ ## name ## ]]</c>.</summary>
internal static partial class ChatMarkers
{
    /// <summary>Name of the marker that ends an answer.</summary>
    public const string Completed = "completed";

    public const string Opening = "[[ ## ";
    public const string Closing = " ## ]]";

    private const string OpeningStart = "[[ ";

    public static string Header(string name) => $"{Opening}{name}{Closing}";

    /// <summary>
    /// Makes markers inside a value harmless, so that text from a document or a model cannot open a field: one backslash more before the number
    /// signs. Text that has backslashes there already gets one more, too, so that nothing is lost.
    /// </summary>
    public static string Escape(string value) =>
        value.Contains(OpeningStart, StringComparison.Ordinal) ? Marker().Replace(value, "[[ \\$1## ") : value;

    /// <summary>Undoes <see cref="Escape"/> in a value that was read.</summary>
    public static string Unescape(string value) =>
        value.Contains("[[ \\", StringComparison.Ordinal) ? EscapedMarker().Replace(value, "[[ $1## ") : value;

    [GeneratedRegex(@"\[\[ (\\*)## ")]
    private static partial Regex Marker();

    [GeneratedRegex(@"\[\[ \\(\\*)## ")]
    private static partial Regex EscapedMarker();
}
