using System.Collections.Immutable;

namespace Hone;

/// <summary>The lenient grammar of <see cref="JsonRepair"/>: objects, arrays and bare words. Strings are in the other part.</summary>
internal sealed partial class JsonRepairParser(string text)
{
    private const int MaximumDepth = 200;

    private int position;

    private long rewound;

    // Each remembers the next place, so that looking for it again and again costs one pass over the text.
    private NextPlace lineEnd = new("\n");
    private NextPlace markerEnd = new(" ## ]]");
    private NextPlace doubleTriple = new("\"\"\"");
    private NextPlace singleTriple = new("\'\'\'");

    /// <summary>How many characters were looked at: a small multiple of the text's length, whatever the text.</summary>
    public long Work { get; private set; }

    private enum Context
    {
        Key,
        ObjectValue,
        ArrayItem,
    }

    /// <summary>The next object or array, wherever it starts; prose before it is skipped.</summary>
    /// <param name="value">The object or array.</param>
    /// <param name="isListed">True when only a comma parts it from the one before.</param>
    public bool TryReadNext(out object? value, out bool isListed)
    {
        (value, isListed) = (null, false);
        var end = position;
        while (position < text.Length)
        {
            var start = text.AsSpan(position).IndexOfAny('{', '[');
            Work += start < 0 ? text.Length - position : start + 1;
            if (start < 0)
                break;
            position += start;
            if (TrySkipMarker())
                continue;
            isListed = text.AsSpan(end, position - end).Trim() is ",";
            value = text[position] == '{' ? ReadObject(0) : ReadArray(']', 0);
            return true;
        }

        position = text.Length;
        return false;
    }

    // `[[ ## name ## ]]` belongs to the chat format, not to JSON.
    private bool TrySkipMarker()
    {
        const string Opening = "[[ ## ";
        Work += Opening.Length;
        if (string.CompareOrdinal(text, position, Opening, 0, Opening.Length) != 0)
            return false;
        var closing = Find(ref markerEnd, position);
        if (closing >= Find(ref lineEnd, position))
            return false;
        position = closing + " ## ]]".Length;
        return true;
    }

    // The next place of something from an index on; the text's length when there is none.
    private int Find(ref NextPlace place, int index)
    {
        Work += place.MoveTo(text, index);
        return place.Index;
    }

    private object? ReadValue(Context context, int depth)
    {
        var next = Peek();
        if (depth > MaximumDepth)
        {
            position = text.Length;
            return null;
        }

        return next switch
        {
            '{' => ReadObject(depth + 1),
            '[' => ReadArray(']', depth + 1),
            '(' => ReadArray(')', depth + 1),
            '\0' or ',' or '}' or ']' or ')' => string.Empty,
            _ when IsQuote(next) => ReadString(context),
            _ => ReadBare(context),
        };
    }

    private object? ReadObject(int depth)
    {
        position++;
        if (Peek() == '{')
            return ReadDoubledBrace(depth);
        var entries = new List<KeyValuePair<string, object?>>();
        while (true)
        {
            SkipSeparators();
            var next = Peek();
            if (next == '\0')
                break;
            if (next is '}' or ']')
            {
                position += next == '}' ? 1 : 0;
                break;
            }

            var start = position;
            var key = ReadKey();
            if (Peek() == ':')
            {
                position++;
                entries.Add(new(key, ReadValue(Context.ObjectValue, depth)));
            }
            else if (entries.Count == 0 && Peek() is ',' or '}' or '\0')
            {
                // A Python set, or a list in braces.
                return TryRewind(start) ? ReadArray('}', depth, []) : ReadArray('}', depth, [key]);
            }
            else if (position == start)
            {
                position++;
            }
            else if (Peek() is not (',' or '}' or '\0' or ']'))
            {
                // The colon is missing.
                entries.Add(new(key, ReadValue(Context.ObjectValue, depth)));
            }
        }

        return FieldMap.Create(entries);
    }

    // Templates double their braces: {{"a": 1}}.
    private object? ReadDoubledBrace(int depth)
    {
        if (depth > MaximumDepth)
        {
            position = text.Length;
            return FieldMap.Empty;
        }

        var inner = ReadObject(depth + 1);
        if (Peek() == '}')
            position++;
        return inner;
    }

    // Text is read again at most once on the whole; nested braces would otherwise read the same text over and over.
    private bool TryRewind(int start)
    {
        rewound += position - start;
        if (rewound > text.Length)
            return false;
        position = start;
        return true;
    }

    private object ReadArray(char close, int depth)
    {
        position++;
        return ReadArray(close, depth, []);
    }

    private object ReadArray(char close, int depth, ReadOnlySpan<object?> given)
    {
        var items = ImmutableArray.CreateBuilder<object?>();
        items.AddRange(given);
        while (true)
        {
            SkipSeparators();
            var next = Peek();
            if (next is '\0' or '}' or ']' or ')')
            {
                // Another closing character ends the array too, and is left to the container it belongs to.
                position += next == close ? 1 : 0;
                if (next == ')' && close != ')')
                    position++;
                break;
            }

            var start = position;
            if (TrySkipEllipsis())
                continue;
            items.Add(ReadValue(Context.ArrayItem, depth));
            if (position == start)
                position++;
        }

        return items.ToImmutable();
    }

    private bool TrySkipEllipsis()
    {
        if (string.CompareOrdinal(text, position, "...", 0, 3) != 0)
            return false;
        position += 3;
        return true;
    }

    private string ReadKey()
    {
        if (IsQuote(Peek()))
            return ReadString(Context.Key);
        var start = position;
        while (position < text.Length && text[position] is not (':' or ',' or '{' or '}' or '[' or ']' or '\n'))
            position++;
        Work += position - start;
        return text.AsSpan(start, position - start).Trim().Trim("\"'`").ToString();
    }

    // A bare word or number: in an object to the next comma or brace, in an array also numbers parted by blanks.
    private object? ReadBare(Context context)
    {
        var start = position;
        if (TryReadNumber(context, out var number))
            return number;
        while (position < text.Length && !EndsBare(context))
            position++;
        Work += position - start;
        var word = text.AsSpan(start, position - start).Trim();
        return word switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            "None" or "-" => word is "None" ? null : string.Empty,
            _ when word.Equals("true", StringComparison.OrdinalIgnoreCase) => true,
            _ when word.Equals("false", StringComparison.OrdinalIgnoreCase) => false,
            _ when word.Equals("null", StringComparison.OrdinalIgnoreCase) => null,
            _ => word.TrimEnd('"').ToString(),
        };
    }

    private bool EndsBare(Context context)
    {
        var c = text[position];
        if (c == ',' && context == Context.ObjectValue && char.IsAsciiDigit(text[position - 1]) && IsThousands(position))
            return false;
        return c is ',' or '}' or ']' or '\n' || (c == ')' && context == Context.ArrayItem) || (c == '"' && context == Context.ArrayItem);
    }

    private bool TryReadNumber(Context context, out object? value)
    {
        value = null;
        var end = position;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] is '+' or '-' or '.' or 'e' or 'E' or '_'))
            end++;
        Work += end - position;
        if (end == position || !EndsNumber(end, context))
            return false;
        var token = text.AsSpan(position, end - position);
        if (token.IndexOfAny(".eE") >= 0 && !char.IsAsciiDigit(token[^1]))
            return false;
        value = JsonNumbers.Read(token);
        if (value is null && !ScalarReader.TryNumber(token.ToString(), out value))
            return false;
        position = end;
        return true;
    }

    private bool EndsNumber(int end, Context context)
    {
        if (end >= text.Length || text[end] is '}' or ']' or ')' or '#' or '\n' || StartsComment(end))
            return true;
        if (text[end] == ',')
            return context == Context.ArrayItem || !IsThousands(end);
        if (!char.IsWhiteSpace(text[end]))
            return false;
        if (context == Context.ArrayItem)
            return true;
        end = SkipBlanks(end);
        return end >= text.Length || !char.IsLetterOrDigit(text[end]);
    }

    // `4,200` as a bare value in an object.
    private bool IsThousands(int comma)
    {
        var end = comma + 1;
        while (end < text.Length && end - comma <= 4 && char.IsAsciiDigit(text[end]))
            end++;
        return end - comma == 4;
    }

    private void SkipSeparators()
    {
        while (Peek() is ',' or ';')
            position++;
    }

    private char Peek()
    {
        var start = position;
        while (position < text.Length)
        {
            var c = text[position];
            if (char.IsWhiteSpace(c) || c == '\uFEFF')
            {
                position++;
            }
            else if (c == '#' || (c == '/' && position + 1 < text.Length && text[position + 1] == '/'))
            {
                SkipLine();
            }
            else if (c == '/' && position + 1 < text.Length && text[position + 1] == '*')
            {
                SkipBlock();
            }
            else
            {
                Work += position - start + 1;
                return c;
            }
        }

        Work += text.Length - start + 1;
        return '\0';
    }

    private bool StartsComment(int index) => text[index] == '/' && index + 1 < text.Length && text[index + 1] is '/' or '*';

    private void SkipLine()
    {
        var end = text.IndexOf('\n', position);
        position = end < 0 ? text.Length : end + 1;
    }

    private void SkipBlock()
    {
        var end = text.IndexOf("*/", position + 2, StringComparison.Ordinal);
        position = end < 0 ? text.Length : end + 2;
    }
}
