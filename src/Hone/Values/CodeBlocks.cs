namespace Hone;

/// <summary>Fenced blocks of source code in a model's answer.</summary>
internal static class CodeBlocks
{
    private const string Fence = "```";

    // What models write for the same language.
    private static readonly string[][] Aliases =
    [
        ["python", "py", "python3", "py3"], ["javascript", "js", "node", "ecmascript", "mjs"], ["typescript", "ts"], ["csharp", "c#", "cs"],
        ["cpp", "c++", "cxx"], ["fsharp", "f#", "fs"], ["bash", "sh", "shell", "zsh"], ["golang", "go"], ["rust", "rs"], ["ruby", "rb"],
    ];

    /// <summary>
    /// A block between fences that open a line of their own: the first of the language, else the first without a language, else the first; when there is
    /// none, one inside a line; else the text as it is.
    /// </summary>
    /// <param name="text">The answer.</param>
    /// <param name="language">The language that is wanted.</param>
    public static string Extract(string text, string language)
    {
        var open = text.IndexOf(Fence, StringComparison.Ordinal);
        if (open < 0)
            return text;
        string? plain = null, first = null;
        for (var start = open; start >= 0;)
        {
            var lineEnd = text.IndexOf('\n', start);
            if (lineEnd < 0)
                break;

            // The last fence of a line opens a block when nothing but a language follows.
            var line = text.AsSpan(start, lineEnd - start);
            var label = line[(line.LastIndexOf(Fence) + Fence.Length)..];
            var next = lineEnd;
            if (!label.Contains('`') && TryFindClosing(text, lineEnd, out var end))
            {
                var block = text[(lineEnd + 1)..Math.Max(lineEnd + 1, end)].TrimEnd('\r', '\n');
                if (IsLanguage(label, language))
                    return block;
                first ??= block;
                if (label.IsWhiteSpace())
                    plain ??= block;

                // Behind the fence that closes it, which may open nothing.
                next = text.IndexOf(Fence, Math.Max(lineEnd, end), StringComparison.Ordinal) + Fence.Length;
            }

            start = text.IndexOf(Fence, next, StringComparison.Ordinal);
        }

        if ((plain ?? first) is { } found)
            return found;
        var content = open + Fence.Length;
        var close = text.IndexOf(Fence, content, StringComparison.Ordinal);
        return close < 0 ? text : text[content..close].Trim();
    }

    /// <summary>The fence that models are asked to write around code.</summary>
    public static string Example(string language) => $"{Fence}{language.ToLowerInvariant()}\n…\n{Fence}";

    // Behind the language there may be more: a file name, attributes.
    private static bool IsLanguage(ReadOnlySpan<char> label, string language)
    {
        label = label.Trim();
        var end = label.IndexOfAny(" \t:{,");
        var word = (end < 0 ? label : label[..end]).ToString();
        return word.Equals(language, StringComparison.OrdinalIgnoreCase)
            || Aliases.Any(names => names.Contains(word, StringComparer.OrdinalIgnoreCase) && names.Contains(language, StringComparer.OrdinalIgnoreCase));
    }

    // A fence at the start of a line closes before one inside a line does: code may hold fences in its texts.
    private static bool TryFindClosing(string text, int lineEnd, out int end)
    {
        end = text.IndexOf("\n" + Fence, lineEnd, StringComparison.Ordinal);
        if (end < 0)
            end = text.IndexOf(Fence, lineEnd + 1, StringComparison.Ordinal);
        return end >= 0;
    }
}
