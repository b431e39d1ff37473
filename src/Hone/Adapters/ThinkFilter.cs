namespace Hone;

/// <summary>Passes over a leading block of reasoning in text that arrives in pieces; a block that never closes is ordinary text.</summary>
internal sealed class ThinkFilter
{
    private string held = string.Empty;
    private bool isOpen = true;
    private int searched;

    /// <summary>The characters that certainly belong to the answer.</summary>
    public string Take(string text)
    {
        if (!isOpen)
            return text;
        held = held.Length == 0 ? text : held + text;
        var start = held.Length - held.AsSpan().TrimStart().Length;
        var rest = held.AsSpan(start);
        if (rest.Length < ChatSections.ThinkOpening.Length && ChatSections.ThinkOpening.AsSpan().StartsWith(rest))
            return string.Empty;
        if (!rest.StartsWith(ChatSections.ThinkOpening))
            return Finish();
        var from = Math.Max(start, searched - ChatSections.ThinkClosing.Length);
        var end = held.IndexOf(ChatSections.ThinkClosing, from, StringComparison.Ordinal);
        searched = held.Length;
        if (end < 0)
            return string.Empty;
        held = held[(end + ChatSections.ThinkClosing.Length)..];
        return Finish();
    }

    /// <summary>There is nothing more to come: what was held back.</summary>
    public string Finish()
    {
        var all = held;
        (held, isOpen) = (string.Empty, false);
        return all;
    }
}
