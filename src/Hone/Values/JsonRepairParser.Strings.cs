using System.Globalization;
using System.Text;

namespace Hone;

/// <content>Quoted text: where a string ends when quotes inside it are not escaped, or when its own closing quote is missing.</content>
internal sealed partial class JsonRepairParser
{
    // Set once a string ran to the end without a convincing closing quote: from then on the first quote closes. Keeps the whole linear.
    private bool isCutOff;

    /// <summary>A whole text that is exactly one JSON string.</summary>
    public static bool TryReadStrictString(ReadOnlySpan<char> text, out string value)
    {
        value = string.Empty;
        var content = text[1..^1];
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] == '"' || content[i] < ' ')
                return false;
            if (content[i] == '\\' && (++i >= content.Length || !"\"\\/bfnrtu".Contains(content[i], StringComparison.Ordinal)))
                return false;
        }

        value = content.Contains('\\') ? Unescape(content.ToString()) : content.ToString();
        return true;
    }

    private static bool IsQuote(char c) => c is '"' or '\'' or '`' or '“' or '”' or '‘';

    private static char ClosingOf(char open) => open switch
    {
        '“' => '”',
        '‘' => '’',
        _ => open,
    };

    private string ReadString(Context context)
    {
        if (TryReadTripleQuoted(out var block))
            return block;
        var close = ClosingOf(text[position]);
        var start = ++position;
        var firstQuote = -1;
        while (position < text.Length)
        {
            var next = text.AsSpan(position).IndexOfAny(close, '\\');
            Work += next < 0 ? text.Length - position : next + 1;
            if (next < 0)
                break;
            position += next;
            if (text[position] == '\\')
            {
                position += 2;
                continue;
            }

            if (isCutOff || Closes(context))
                return Finish(start, position, position + 1);
            if (context == Context.ObjectValue && TryFindSwallowedKey(start, position, close, out var comma))
                return Finish(start, comma, comma);
            firstQuote = firstQuote < 0 ? position : firstQuote;
            position++;
        }

        isCutOff = true;
        return firstQuote >= 0 ? Finish(start, firstQuote, firstQuote + 1) : Finish(start, text.Length, text.Length);
    }

    private string Finish(int start, int end, int next)
    {
        position = Math.Min(next, text.Length);
        var content = text[start..Math.Min(end, text.Length)];
        Work += content.Length;
        return content.Contains('\\', StringComparison.Ordinal) ? Unescape(content) : content;
    }

    private bool TryReadTripleQuoted(out string value)
    {
        value = string.Empty;
        var quote = text[position];
        if (quote is not ('"' or '\'') || position + 2 >= text.Length || text[position + 1] != quote || text[position + 2] != quote)
            return false;
        var start = position + 3;
        var end = quote == '"' ? Find(ref doubleTriple, start) : Find(ref singleTriple, start);
        if (end >= text.Length)
            return false;
        value = text[start..end];
        position = end + 3;
        return true;
    }

    // A quote closes when what follows could follow a value (or a key).
    private bool Closes(Context context)
    {
        var next = SkipBlanks(position + 1);
        if (next >= text.Length)
            return true;
        return text[next] switch
        {
            ':' => context == Context.Key,
            ',' => context != Context.ObjectValue || StartsEntry(next + 1),
            '}' => true,
            ']' => true,
            ')' => context == Context.ArrayItem,
            '/' => next + 1 < text.Length && text[next + 1] is '/' or '*',
            '#' => true,
            '"' or '\'' when context == Context.ObjectValue => next > position + 1 && StartsEntry(next),
            '"' or '\'' => next > position + 1 && context == Context.ArrayItem,
            _ => false,
        };
    }

    // Behind the comma of an object comes a key, the end, or another separator; otherwise the comma is part of a sentence.
    private bool StartsEntry(int index)
    {
        index = SkipBlanks(index);
        if (index >= text.Length || text[index] is '}' or ',' or '#' or '/')
            return true;
        if (IsQuote(text[index]))
            return true;
        if (!char.IsLetter(text[index]) && text[index] != '_')
            return false;
        var (start, limit) = (index, Math.Min(text.Length, index + 64));
        while (index < limit && (char.IsLetterOrDigit(text[index]) || text[index] is '_' or '-'))
            index++;
        Work += index - start + 1;
        index = SkipBlanks(index);
        return index < text.Length && text[index] == ':';
    }

    // `"a": "b, "c": "d"`: this quote is followed by a colon, so it ends a key that this value has swallowed.
    private bool TryFindSwallowedKey(int start, int quote, char close, out int comma)
    {
        comma = -1;
        var next = SkipBlanks(quote + 1);
        if (next >= text.Length || text[next] != ':')
            return false;
        var open = text.LastIndexOf(close, quote - 1, Math.Max(0, quote - start));
        Work += quote - Math.Max(open, start);
        if (open < 0)
            return false;
        var before = open - 1;
        while (before >= start && char.IsWhiteSpace(text[before]))
            before--;
        Work += open - before;
        comma = before >= start && text[before] == ',' ? before : -1;
        return comma >= 0;
    }

    private int SkipBlanks(int index)
    {
        var start = index;
        while (index < text.Length && char.IsWhiteSpace(text[index]))
            index++;
        Work += index - start + 1;
        return index;
    }

    private static string Unescape(string content)
    {
        var result = new StringBuilder(content.Length);
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] != '\\' || i + 1 >= content.Length)
            {
                if (content[i] != '\\')
                    result.Append(content[i]);
                continue;
            }

            var c = content[++i];
            var digits = c switch
            {
                'u' => 4,
                'x' => 2,
                _ => 0,
            };
            if (digits > 0 && i + digits < content.Length
                && int.TryParse(content.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                result.Append((char)code);
                i += digits;
                continue;
            }

            result.Append(c switch
            {
                'n' => "\n",
                't' => "\t",
                'r' => "\r",
                'b' => "\b",
                'f' => "\f",
                '"' => "\"",
                '\'' => "'",
                '\\' => "\\",
                '/' => "/",
                '\n' => "\n",
                _ => "\\" + c,
            });
        }

        return result.ToString();
    }
}
