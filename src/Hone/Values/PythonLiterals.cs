using System.Collections.Immutable;
using System.Numerics;
using System.Text;

namespace Hone;

/// <summary>Reads a text that is exactly one Python literal: numbers, quoted text, tuples, lists, sets, dictionaries, True, False, None.</summary>
internal static class PythonLiterals
{
    private const int MaximumDepth = 64;

    /// <summary>True when the whole text is a literal. <c>1, 2</c> without parentheses is a tuple.</summary>
    public static bool TryParse(string text, out object? value)
    {
        var reader = new Reader(text);
        if (reader.TryReadItems('\0', 0, [], out var items, out var hasComma) && items.Length > 0)
        {
            value = hasComma ? items : items[0];
            return true;
        }

        value = null;
        return false;
    }

    private ref struct Reader(string text)
    {
        private int position;

        // Items up to the closing character; '\0' stands for the end of the text. Those given have been read already.
        public bool TryReadItems(char close, int depth, scoped ReadOnlySpan<object?> given, out ImmutableArray<object?> items, out bool hasComma)
        {
            var builder = ImmutableArray.CreateBuilder<object?>();
            builder.AddRange(given);
            (items, hasComma) = ([], false);
            while (!TryClose(close))
            {
                if (builder.Count > 0)
                {
                    if (!Take(','))
                        return false;
                    hasComma = true;
                    if (TryClose(close))
                        break;
                }

                if (depth > MaximumDepth || !TryRead(depth, out var item))
                    return false;
                builder.Add(item);
            }

            items = builder.ToImmutable();
            return true;
        }

        private bool TryRead(int depth, out object? value)
        {
            value = null;
            switch (Peek())
            {
                case '(':
                    position++;
                    if (!TryReadItems(')', depth + 1, [], out var tuple, out var isTuple))
                        return false;
                    value = isTuple || tuple.Length == 0 ? tuple : tuple[0];
                    return true;
                case '[':
                    position++;
                    if (!TryReadItems(']', depth + 1, [], out var list, out _))
                        return false;
                    value = list;
                    return true;
                case '{':
                    position++;
                    return TryReadBraces(depth + 1, out value);
                case '\'' or '"':
                    return TryReadText(out value);
                default:
                    return TryReadWord(out value) || TryReadNumber(out value);
            }
        }

        private bool TryReadBraces(int depth, out object? value)
        {
            value = FieldMap.Empty;
            if (Take('}'))
                return true;
            if (depth > MaximumDepth || !TryRead(depth, out var first))
                return false;
            if (!Take(':'))
            {
                var isSet = TryReadItems('}', depth, [first], out var items, out _);
                value = items;
                return isSet;
            }

            var entries = new List<KeyValuePair<string, object?>>();
            for (var key = first; ;)
            {
                if (depth > MaximumDepth || !TryRead(depth, out var item))
                    return false;
                entries.Add(new(key is null ? "None" : JsonText.Scalar(key), item));
                if (!Take(','))
                    break;
                if (Peek() == '}')
                    break;
                if (!TryRead(depth, out key) || !Take(':'))
                    return false;
            }

            value = FieldMap.Create(entries);
            return Take('}');
        }

        private bool TryReadText(out object? value)
        {
            var quote = text[position++];
            var content = new StringBuilder();
            while (position < text.Length && text[position] != quote)
            {
                var c = text[position++];
                if (c is '\n' or '\r')
                    break;
                if (c == '\\' && position < text.Length)
                {
                    c = text[position++] switch
                    {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        var other => other,
                    };
                }

                content.Append(c);
            }

            value = content.ToString();
            return position < text.Length && text[position++] == quote;
        }

        private bool TryReadWord(out object? value)
        {
            value = null;
            foreach (var word in (ReadOnlySpan<string>)["True", "False", "None"])
            {
                var end = position + word.Length;
                if (string.CompareOrdinal(text, position, word, 0, word.Length) != 0 || (end < text.Length && char.IsLetterOrDigit(text[end])))
                    continue;
                position = end;
                value = word == "None" ? null : word == "True";
                return true;
            }

            return false;
        }

        // Python lets a sign stand apart from its digits: `- 42`.
        private bool TryReadNumber(out object? value)
        {
            value = null;
            var sign = 1;
            while (Peek() is '-' or '+')
                sign = text[position++] == '-' ? -sign : sign;
            Peek();
            var start = position;
            while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] is '.' or '_'
                || (text[position] is '-' or '+' && position > start && text[position - 1] is 'e' or 'E')))
                position++;
            var digits = text[start..position];
            if (digits.Length == 0 || !(char.IsAsciiDigit(digits[0]) || digits[0] == '.'))
                return false;
            return TryReadPrefixed(digits, sign, out value) || TryReadDecimal(digits, sign, out value);
        }

        private static bool TryReadPrefixed(string digits, int sign, out object? value)
        {
            value = null;
            if (digits.Length < 3 || digits[0] != '0')
                return false;
            var bits = digits[1] switch
            {
                'x' or 'X' => 4,
                'o' or 'O' => 3,
                'b' or 'B' => 1,
                _ => 0,
            };
            long number = 0;
            foreach (var c in digits.AsSpan(2))
            {
                var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : int.MaxValue;
                if (bits == 0 || digit >= 1 << bits || number > long.MaxValue >> 5)
                    return false;
                number = (number << bits) | (uint)digit;
            }

            value = sign * number;
            return true;
        }

        private static bool TryReadDecimal(string digits, int sign, out object? value)
        {
            value = null;
            var isInteger = digits.AsSpan().IndexOfAnyExcept("0123456789_") < 0;
            if (isInteger && digits.Length > 1 && digits[0] == '0')
                return false;
            if (isInteger ? !ScalarReader.TryInteger(digits, out value) : !ScalarReader.TryNumber(digits, out value))
                return false;
            value = value switch
            {
                long number => sign * number,
                BigInteger number => sign * number,
                double number => sign * number,
                _ => value,
            };
            return true;
        }

        private bool TryClose(char close)
        {
            var next = Peek();
            if (close == '\0')
                return position >= text.Length;
            if (next != close)
                return false;
            position++;
            return true;
        }

        private bool Take(char expected)
        {
            if (Peek() != expected)
                return false;
            position++;
            return true;
        }

        private char Peek()
        {
            while (position < text.Length && char.IsWhiteSpace(text[position]))
                position++;
            return position < text.Length ? text[position] : '\0';
        }
    }
}
