using System.Text;

namespace Hone;

/// <summary>A position in a signature string, shared by the field and type parsers; every error knows where it happened.</summary>
internal sealed class SignatureCursor(string text)
{
    public string Text => text;

    public int Position { get; private set; }

    public bool AtEnd
    {
        get
        {
            SkipWhiteSpace();
            return Position >= text.Length;
        }
    }

    public char Peek()
    {
        SkipWhiteSpace();
        return Position < text.Length ? text[Position] : '\0';
    }

    public bool TryTake(char expected)
    {
        if (Peek() != expected)
            return false;
        Position++;
        return true;
    }

    public bool TryTake(string expected)
    {
        SkipWhiteSpace();
        if (string.CompareOrdinal(text, Position, expected, 0, expected.Length) != 0)
            return false;
        Position += expected.Length;
        return true;
    }

    public void Expect(char expected, string why)
    {
        if (!TryTake(expected))
            throw Error($"expected '{expected}' {why}, found {Found()}.");
    }

    /// <summary>An identifier, or null when the next character cannot start one.</summary>
    public string? TakeIdentifier()
    {
        SkipWhiteSpace();
        var start = Position;
        if (start >= text.Length || !(char.IsLetter(text[start]) || text[start] == '_'))
            return null;
        while (Position < text.Length && (char.IsLetterOrDigit(text[Position]) || text[Position] == '_'))
            Position++;
        return text[start..Position];
    }

    /// <summary>An optionally signed number without spaces, as text; null when there is none.</summary>
    public string? TakeNumber()
    {
        SkipWhiteSpace();
        var start = Position;
        var end = start;
        if (end < text.Length && text[end] is '-' or '+')
            end++;
        if (end >= text.Length || !char.IsAsciiDigit(text[end]))
            return null;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or '_' || IsExponentSign(end)))
            end++;
        Position = end;
        return text[start..end];
    }

    /// <summary>The text before the next occurrence of a character, or before the end.</summary>
    public string TakeUntil(char end)
    {
        var start = Position;
        while (Position < text.Length && text[Position] != end)
            Position++;
        return text[start..Position];
    }

    /// <summary>A quoted text with backslash escapes; the opening quote is the next character.</summary>
    public string TakeQuoted()
    {
        var quote = Peek();
        var start = Position++;
        var value = new StringBuilder();
        while (Position < text.Length && text[Position] != quote)
        {
            var c = text[Position++];
            if (c == '\\' && Position < text.Length)
                c = Unescape(text[Position++]);
            value.Append(c);
        }

        if (Position >= text.Length)
            throw ErrorAt(start, $"the text that starts here has no closing {quote}.");
        Position++;
        return value.ToString();
    }

    public string Found() => AtEnd ? "the end" : $"'{text[Position]}'";

    public SignatureFormatException Error(string reason)
    {
        SkipWhiteSpace();
        return new(text, Position, reason);
    }

    public SignatureFormatException ErrorAt(int position, string reason) => new(text, position, reason);

    private bool IsExponentSign(int index) => text[index] is '-' or '+' && text[index - 1] is 'e' or 'E';

    private static char Unescape(char c) => c switch
    {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        _ => c,
    };

    private void SkipWhiteSpace()
    {
        while (Position < text.Length && char.IsWhiteSpace(text[Position]))
            Position++;
    }
}
