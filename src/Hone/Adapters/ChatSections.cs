namespace Hone;

/// <summary>Cuts a completion into the texts of its output fields.</summary>
internal static class ChatSections
{
    public const string ThinkOpening = "<think>";
    public const string ThinkClosing = "</think>";

    /// <summary>
    /// The text of each output, in the order of the signature; null where there is none. Only markers of the signature's own fields and the
    /// end marker count; any other line belongs to the value it stands in. The first section of a name wins. A leading reasoning block is skipped.
    /// </summary>
    /// <param name="signature">Whose outputs are looked for.</param>
    /// <param name="completion">The whole answer.</param>
    /// <param name="allowDecoration">True to look for markers in bold, quotes or bullets, too, when plain ones leave a field without text.</param>
    /// <param name="isRepaired">True when decorated markers were needed.</param>
    public static string?[] Read(Signature signature, string completion, bool allowDecoration, out bool isRepaired)
    {
        var plain = Scan(signature, completion, allowDecoration: false);
        isRepaired = false;
        if (!allowDecoration || Array.IndexOf(plain, null) < 0)
            return plain;
        var decorated = Merge(plain, Scan(signature, completion, allowDecoration: true));
        isRepaired = !ReferenceEquals(plain, decorated);
        return decorated;
    }

    private static string?[] Merge(string?[] plain, string?[] decorated)
    {
        for (var i = 0; i < plain.Length; i++)
        {
            if (plain[i] is null && decorated[i] is not null)
                return decorated;
        }

        return plain;
    }

    private static string?[] Scan(Signature signature, string completion, bool allowDecoration)
    {
        var sections = new string?[signature.Outputs.Length];
        var position = SkipThinking(completion);
        var (current, contentStart) = (-1, position);
        while (position < completion.Length)
        {
            var lineEnd = completion.AsSpan(position).IndexOfAny('\n', '\r');
            lineEnd = lineEnd < 0 ? completion.Length : position + lineEnd;
            if (TryHeader(signature, completion, position, lineEnd, allowDecoration, out var output, out var afterHeader))
            {
                Close(sections, current, completion, contentStart, position);
                (current, contentStart) = (output, afterHeader);
            }

            position = lineEnd + 1;
        }

        Close(sections, current, completion, contentStart, completion.Length);
        return sections;
    }

    /// <summary>Where the answer starts: behind a leading block of reasoning, if there is one that closes.</summary>
    public static int SkipThinking(string completion)
    {
        var start = completion.Length - completion.AsSpan().TrimStart().Length;
        if (string.CompareOrdinal(completion, start, ThinkOpening, 0, ThinkOpening.Length) != 0)
            return 0;
        var end = completion.IndexOf(ThinkClosing, start, StringComparison.Ordinal);
        return end < 0 ? 0 : end + ThinkClosing.Length;
    }

    // output: index of the output, or -1 for a marker that only ends the section before it.
    private static bool TryHeader(
        Signature signature, string text, int lineStart, int lineEnd, bool allowDecoration, out int output, out int afterHeader)
    {
        (output, afterHeader) = (-1, 0);
        var line = text.AsSpan(lineStart, lineEnd - lineStart);
        var trimmed = allowDecoration ? TrimDecoration(line) : line.TrimStart();
        if (!trimmed.StartsWith(ChatMarkers.Opening))
            return false;
        var name = trimmed[ChatMarkers.Opening.Length..];
        var nameLength = name.IndexOf(ChatMarkers.Closing);
        if (nameLength < 0 || !IsKnown(signature, name[..nameLength], out output))
            return false;
        var headerEnd = line.Length - trimmed.Length + ChatMarkers.Opening.Length + nameLength + ChatMarkers.Closing.Length;
        if (allowDecoration)
            headerEnd = SkipClosingDecoration(line, headerEnd, hasOpening: line.TrimStart().Length != trimmed.Length);
        afterHeader = lineStart + headerEnd;
        return true;
    }

    private static bool IsKnown(Signature signature, ReadOnlySpan<char> name, out int output)
    {
        output = -1;
        for (var i = 0; i < signature.Outputs.Length; i++)
        {
            if (name.SequenceEqual(signature.Outputs[i].Name))
            {
                output = i;
                return true;
            }
        }

        foreach (var input in signature.Inputs)
        {
            if (name.SequenceEqual(input.Name))
                return true;
        }

        return name.SequenceEqual(ChatMarkers.Completed);
    }

    private static ReadOnlySpan<char> TrimDecoration(ReadOnlySpan<char> line) => line.TrimStart(" \t*_`>-#\"'\u200B\u00A0\uFEFF");

    private static int SkipClosingDecoration(ReadOnlySpan<char> line, int position, bool hasOpening)
    {
        while (hasOpening && position < line.Length && line[position] is '*' or '_' or '`' or '"' or '\'')
            position++;
        return position;
    }

    private static void Close(string?[] sections, int output, string text, int start, int end)
    {
        if (output < 0 || sections[output] is not null)
            return;
        var content = text.AsSpan(start, end - start).Trim().ToString();
        sections[output] = ChatMarkers.Unescape(NormalizeLineEnds(content));
    }

    private static string NormalizeLineEnds(string content) => content.Contains('\r', StringComparison.Ordinal)
        ? content.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
        : content;
}
