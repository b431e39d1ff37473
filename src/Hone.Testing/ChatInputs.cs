using System.Text.RegularExpressions;

namespace Hone.Testing;

/// <summary>Reads what <see cref="ChatAdapter"/> has written into a user message.</summary>
internal static partial class ChatInputs
{
    private const string Reminder = "\n\nRespond with the output fields, starting with `[[ ## ";

    /// <summary>The text under the marker of a field; null when there is none. A marker inside a value is escaped, so it opens nothing.</summary>
    public static string? Find(string message, string name)
    {
        var marker = $"[[ ## {name} ## ]]\n";
        var start = message.StartsWith(marker, StringComparison.Ordinal) ? 0 : message.IndexOf("\n" + marker, StringComparison.Ordinal) + 1;
        if (start == 0 && !message.StartsWith(marker, StringComparison.Ordinal))
            return null;
        start += marker.Length;
        var end = message.IndexOf("\n[[ ## ", start, StringComparison.Ordinal);
        if (end < 0)
            end = message.LastIndexOf(Reminder, StringComparison.Ordinal);
        return Escaped().Replace(message[start..(end < start ? message.Length : end)].Trim(), "[[ $1## ");
    }

    [GeneratedRegex(@"\[\[ \\(\\*)## ")]
    private static partial Regex Escaped();
}
