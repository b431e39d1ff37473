namespace Hone;

/// <summary>Fenced blocks of source code in a model's answer.</summary>
internal static class CodeBlocks
{
    private const string Fence = "```";

    /// <summary>
    /// The first block between fences: one that opens a line of its own, with or without a language; else one inside a line; else the text as it is.
    /// </summary>
    public static string Extract(string text)
    {
        var open = text.IndexOf(Fence, StringComparison.Ordinal);
        if (open < 0)
            return text;
        for (var start = open; start >= 0;)
        {
            var lineEnd = text.IndexOf('\n', start);
            if (lineEnd < 0)
                break;

            // The last fence of a line opens a block when nothing but a language follows.
            var line = text.AsSpan(start, lineEnd - start);
            var language = line[(line.LastIndexOf(Fence) + Fence.Length)..];
            if (!language.Contains('`') && TryFindClosing(text, lineEnd, out var end))
                return text[(lineEnd + 1)..Math.Max(lineEnd + 1, end)].TrimEnd('\r', '\n');
            start = text.IndexOf(Fence, lineEnd, StringComparison.Ordinal);
        }

        var content = open + Fence.Length;
        var close = text.IndexOf(Fence, content, StringComparison.Ordinal);
        return close < 0 ? text : text[content..close].Trim();
    }

    /// <summary>The fence that models are asked to write around code.</summary>
    public static string Example(string language) => $"{Fence}{language.ToLowerInvariant()}\n…\n{Fence}";

    // A fence at the start of a line closes before one inside a line does: code may hold fences in its texts.
    private static bool TryFindClosing(string text, int lineEnd, out int end)
    {
        end = text.IndexOf("\n" + Fence, lineEnd, StringComparison.Ordinal);
        if (end < 0)
            end = text.IndexOf(Fence, lineEnd + 1, StringComparison.Ordinal);
        return end >= 0;
    }
}
