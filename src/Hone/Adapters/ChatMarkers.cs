namespace Hone;

/// <summary>The marker lines of the chat format: <c>[[ ## name ## ]]</c>.</summary>
internal static class ChatMarkers
{
    /// <summary>Name of the marker that ends an answer.</summary>
    public const string Completed = "completed";

    public const string Opening = "[[ ## ";
    public const string Closing = " ## ]]";

    private const string EscapedOpening = "[[ \\## ";

    public static string Header(string name) => $"{Opening}{name}{Closing}";

    /// <summary>Makes markers inside a value harmless, so that text from a document or a model cannot open a field.</summary>
    public static string Escape(string value) =>
        value.Contains(Opening, StringComparison.Ordinal) ? value.Replace(Opening, EscapedOpening, StringComparison.Ordinal) : value;

    /// <summary>Undoes <see cref="Escape"/> in a value that was read.</summary>
    public static string Unescape(string value) =>
        value.Contains(EscapedOpening, StringComparison.Ordinal) ? value.Replace(EscapedOpening, Opening, StringComparison.Ordinal) : value;
}
