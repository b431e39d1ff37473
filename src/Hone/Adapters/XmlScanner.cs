using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>One element of an answer in XML: where its content lies in the text that was scanned.</summary>
/// <param name="Name">The tag.</param>
/// <param name="Key">Its <c>key</c> attribute; null when it has none.</param>
/// <param name="Content">What stands between the tags, as written.</param>
/// <param name="IsEmpty">True for <c>&lt;name/&gt;</c>.</param>
internal readonly record struct XmlElementText(string Name, string? Key, string Content, bool IsEmpty);

/// <summary>
/// Finds elements in text that is XML only here and there: a stray <c>&lt;</c> or <c>&amp;</c> is text, a tag that never closes is text. An element
/// ends where the tags of its name balance, or at the first closing tag when they never do. Linear in the length of the text.
/// </summary>
internal sealed class XmlScanner
{
    private const string CommentStart = "<!--";
    private const string CommentEnd = "-->";
    public const string DataStart = "<![CDATA[";
    public const string DataEnd = "]]>";

    private readonly string text;
    private readonly List<Tag> tags = [];
    private readonly int[] closings;

    // From a section that never ends on, there is no need to look for its end again.
    private bool areCommentsWhole = true;
    private bool isDataWhole = true;

    public XmlScanner(string text)
    {
        this.text = text;
        FindTags();
        closings = MatchTags();
    }

    /// <summary>The elements on the outermost level, in order. Elements whose name is not wanted are passed over with their content.</summary>
    public List<XmlElementText> Elements(Func<string, bool>? isWanted = null)
    {
        var found = new List<XmlElementText>();
        for (var i = 0; i < tags.Count; i++)
        {
            var tag = tags[i];
            if (tag.IsClosing || (!tag.IsEmpty && closings[i] < 0))
                continue;
            var closing = tag.IsEmpty ? i : closings[i];
            if (isWanted is null || isWanted(tag.Name))
                found.Add(new(tag.Name, tag.Key, tag.IsEmpty ? string.Empty : text[tag.End..tags[closing].Start], tag.IsEmpty));
            i = closing;
        }

        return found;
    }

    /// <summary>The text of a value without markup: sections of plain data unpacked, entities replaced.</summary>
    public static string Unescape(string content)
    {
        if (content.AsSpan().IndexOfAny('&', '<') < 0)
            return content;
        var result = new StringBuilder(content.Length);
        var decoder = new XmlDecoder(result);
        foreach (var c in content)
            decoder.Append(c);
        decoder.Finish();
        return result.ToString();
    }

    /// <summary>The character that an entity such as <c>amp</c> or <c>#65</c> stands for; null when there is none.</summary>
    public static string? Entity(ReadOnlySpan<char> name)
    {
        switch (name)
        {
            case "lt":
                return "<";
            case "gt":
                return ">";
            case "amp":
                return "&";
            case "quot":
                return "\"";
            case "apos":
                return "'";
        }

        if (name.Length < 2 || name[0] != '#')
            return null;
        var isHex = name[1] is 'x' or 'X';
        var isNumber = isHex
            ? int.TryParse(name[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            : int.TryParse(name[1..], NumberStyles.None, CultureInfo.InvariantCulture, out code);
        return !isNumber || code is < 0 or > 0x10FFFF ? null
            : code is >= 0xD800 and <= 0xDFFF ? ((char)code).ToString()
            : char.ConvertFromUtf32(code);
    }

    private readonly record struct Tag(string Name, string? Key, bool IsClosing, bool IsEmpty, int Start, int End);

    private void FindTags()
    {
        var position = text.IndexOf('<', StringComparison.Ordinal);
        while (position >= 0)
        {
            var next = SkipSection(position);
            if (next == position)
            {
                next = position + 1;
                if (TryReadTag(position, out var tag))
                {
                    tags.Add(tag);
                    next = tag.End;
                }
            }

            position = next < text.Length ? text.IndexOf('<', next) : -1;
        }
    }

    // For each opening tag the number of the tag that closes it, or -1.
    private int[] MatchTags()
    {
        var matches = new int[tags.Count];
        Array.Fill(matches, -1);
        var open = new Dictionary<string, Stack<int>>(StringComparer.Ordinal);
        for (var i = 0; i < matches.Length; i++)
        {
            if (tags[i].IsEmpty)
                continue;
            if (!open.TryGetValue(tags[i].Name, out var unclosed))
                open.Add(tags[i].Name, unclosed = []);
            if (!tags[i].IsClosing)
                unclosed.Push(i);
            else if (unclosed.TryPop(out var opening))
                matches[opening] = i;
        }

        var next = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = matches.Length - 1; i >= 0; i--)
        {
            if (tags[i].IsClosing)
                next[tags[i].Name] = i;
            else if (matches[i] < 0 && !tags[i].IsEmpty && next.TryGetValue(tags[i].Name, out var closing))
                matches[i] = closing;
        }

        return matches;
    }

    // Behind a comment or a section of plain data that starts here; the same place when none does. One that never ends is text.
    private int SkipSection(int start)
    {
        if (areCommentsWhole && string.CompareOrdinal(text, start, CommentStart, 0, CommentStart.Length) == 0)
            return SkipTo(CommentEnd, start, start + CommentStart.Length, ref areCommentsWhole);
        return isDataWhole && string.CompareOrdinal(text, start, DataStart, 0, DataStart.Length) == 0
            ? SkipTo(DataEnd, start, start + DataStart.Length, ref isDataWhole)
            : start;
    }

    private int SkipTo(string closing, int start, int from, ref bool isWhole)
    {
        var end = text.IndexOf(closing, from, StringComparison.Ordinal);
        isWhole = end >= 0;
        return isWhole ? end + closing.Length : start;
    }

    private bool TryReadTag(int start, out Tag tag)
    {
        const int LongestTag = 1000;
        tag = default;
        var isClosing = start + 1 < text.Length && text[start + 1] == '/';
        var index = start + (isClosing ? 2 : 1);
        var nameStart = index;
        while (index < text.Length && IsNameChar(text[index], isFirst: index == nameStart))
            index++;
        if (index == nameStart)
            return false;
        var name = text[nameStart..index];
        var limit = Math.Min(text.Length, start + LongestTag);
        char quote = '\0';
        for (; index < limit; index++)
        {
            var c = text[index];
            if (quote != '\0')
                quote = c == quote ? '\0' : quote;
            else if (c is '"' or '\'')
                quote = c;
            else if (c == '<')
                return false;
            else if (c == '>')
            {
                tag = new(name, KeyOf(text.AsSpan(nameStart, index - nameStart)), isClosing, !isClosing && text[index - 1] == '/', start, index + 1);
                return true;
            }
        }

        return false;
    }

    private static string? KeyOf(ReadOnlySpan<char> tag)
    {
        const string Attribute = " key=";
        var start = tag.IndexOf(Attribute);
        if (start < 0 || start + Attribute.Length >= tag.Length || tag[start + Attribute.Length] is not ('"' or '\''))
            return null;
        var value = tag[(start + Attribute.Length)..];
        var end = value[1..].IndexOf(value[0]);
        return end < 0 ? null : Unescape(value[1..(end + 1)].ToString());
    }

    private static bool IsNameChar(char c, bool isFirst) => char.IsLetter(c) || c == '_' || (!isFirst && (char.IsDigit(c) || c is '-' or '.'));
}
