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
/// Finds elements in text that is XML only here and there: a stray <c>&lt;</c> or <c>&amp;</c> is text, a tag that never closes is text. Linear in the
/// length of the text.
/// </summary>
internal ref struct XmlScanner(string text)
{
    private const string CommentStart = "<!--";
    private const string CommentEnd = "-->";
    public const string DataStart = "<![CDATA[";
    public const string DataEnd = "]]>";

    // Names whose tags do not balance: from the first such on, an element ends at the first closing tag.
    private HashSet<string>? unbalanced;
    private HashSet<string>? unclosed;
    private int position;

    /// <summary>The elements on the outermost level, in order. Elements whose name is not wanted are passed over with their content.</summary>
    public List<XmlElementText> Elements(Func<string, bool>? isWanted = null)
    {
        var found = new List<XmlElementText>();
        while (TryFindTag(out var tag))
        {
            if (tag.IsClosing || (isWanted is not null && !isWanted(tag.Name) && !IsElement(tag)))
                continue;
            if (tag.IsEmpty)
                found.Add(new(tag.Name, tag.Key, string.Empty, IsEmpty: true));
            else if (TryFindClose(tag.Name, position, out var contentEnd, out var next))
            {
                found.Add(new(tag.Name, tag.Key, text[position..contentEnd], IsEmpty: false));
                position = next;
            }
        }

        return isWanted is null ? found : found.FindAll(element => isWanted(element.Name));
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

    // An element that nobody asked for still hides what is inside it.
    private bool IsElement(Tag tag) => tag.IsEmpty || TryFindClose(tag.Name, position, out _, out _);

    private readonly record struct Tag(string Name, string? Key, bool IsClosing, bool IsEmpty);

    private bool TryFindTag(out Tag tag)
    {
        tag = default;
        while (position < text.Length)
        {
            var start = text.IndexOf('<', position);
            if (start < 0)
                break;
            position = SkipSection(start);
            if (position > start)
                continue;
            if (TryReadTag(start, out tag, out var end))
            {
                position = end;
                return true;
            }

            position = start + 1;
        }

        position = text.Length;
        return false;
    }

    // Behind a comment or a section of plain data that starts here; the same place when none does. One that never ends is text.
    private readonly int SkipSection(int start)
    {
        var (opening, closing) = string.CompareOrdinal(text, start, CommentStart, 0, CommentStart.Length) == 0 ? (CommentStart, CommentEnd)
            : string.CompareOrdinal(text, start, DataStart, 0, DataStart.Length) == 0 ? (DataStart, DataEnd)
            : (string.Empty, string.Empty);
        if (opening.Length == 0)
            return start;
        var end = text.IndexOf(closing, start + opening.Length, StringComparison.Ordinal);
        return end < 0 ? start + 1 : end + closing.Length;
    }

    private readonly bool TryReadTag(int start, out Tag tag, out int end)
    {
        const int LongestTag = 1000;
        (tag, end) = (default, start);
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
                end = index + 1;
                tag = new(name, KeyOf(text.AsSpan(nameStart, index - nameStart)), isClosing, !isClosing && text[index - 1] == '/');
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

    private bool TryFindClose(string name, int from, out int contentEnd, out int next)
    {
        (contentEnd, next) = (from, from);
        if (unclosed?.Contains(name) == true)
            return false;
        var scan = new XmlScanner(text) { position = from };
        var (depth, firstEnd, firstNext) = (1, -1, -1);
        while (scan.TryFindTag(out var tag))
        {
            if (tag.Name != name || tag.IsEmpty)
                continue;
            depth += tag.IsClosing ? -1 : 1;
            if (tag.IsClosing && firstEnd < 0)
                (firstEnd, firstNext) = (text.LastIndexOf('<', scan.position - 1), scan.position);
            if (depth == 0 || (firstEnd >= 0 && unbalanced?.Contains(name) == true))
                break;
        }

        if (firstEnd < 0)
        {
            (unclosed ??= []).Add(name);
            return false;
        }

        if (depth == 0)
            (contentEnd, next) = (text.LastIndexOf('<', scan.position - 1), scan.position);
        else
        {
            (unbalanced ??= []).Add(name);
            (contentEnd, next) = (firstEnd, firstNext);
        }

        return true;
    }

    private static bool IsNameChar(char c, bool isFirst) => char.IsLetter(c) || c == '_' || (!isFirst && (char.IsDigit(c) || c is '-' or '.'));
}
