using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>
/// Reads the outputs of one JSON object as it arrives. Text is told unescaped, other values as they are written. Prose, fences and a reasoning block
/// before the object are passed over. What is not quite JSON is told as far as it can be read; the whole answer sets it right.
/// </summary>
internal sealed class JsonStreamReader(Signature signature) : FieldStreamReader
{
    private readonly StringBuilder token = new();
    private readonly StringBuilder ready = new();
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> quoted = new(StringComparer.Ordinal);
    private readonly ThinkFilter preamble = new();
    private State state = State.BeforeObject;
    private string? field;
    private int depth;
    private bool inString;
    private bool isEscaped;
    private int hexDigits = -1;
    private int hexValue;

    private enum State
    {
        BeforeObject,
        BeforeKey,
        Key,
        BeforeColon,
        BeforeValue,
        Text,
        Raw,
        Done,
    }

    public override void Append(string text, ICollection<FieldChunk> chunks)
    {
        foreach (var c in preamble.Take(text))
            Take(c, chunks);
        Flush(chunks, isLast: false);
    }

    public override void Complete(ICollection<FieldChunk> chunks)
    {
        foreach (var c in preamble.Finish())
            Take(c, chunks);
        Flush(chunks, isLast: false);
    }

    // What stood in quotes is text, whatever it looks like.
    internal override bool TryRead(SignatureField field, string told, out object? value)
    {
        var ignored = default(CoercionFailure);
        var raw = !quoted.Contains(field.Name) && JsonRepair.Parse(told) is { Found: true } read ? read.Value : told;
        return ValueCoercer.TryCoerceJson(raw, field.Type, out value, ref ignored);
    }

    private void Take(char c, ICollection<FieldChunk> chunks)
    {
        switch (state)
        {
            case State.BeforeObject:
                state = c == '{' ? State.BeforeKey : state;
                break;
            case State.BeforeKey:
                state = c switch
                {
                    '"' => State.Key,
                    '}' => State.Done,
                    _ => state,
                };
                break;
            case State.Key:
                TakeKey(c);
                break;
            case State.BeforeColon:
                state = c == ':' ? State.BeforeValue : state;
                break;
            case State.BeforeValue when !char.IsWhiteSpace(c):
                StartValue(c, chunks);
                break;
            case State.Text:
                TakeText(c, chunks);
                break;
            case State.Raw:
                TakeRaw(c, chunks);
                break;
            default:
                break;
        }
    }

    private void TakeKey(char c)
    {
        if (TakeStringChar(c, token))
            return;
        var name = token.ToString();
        token.Clear();
        field = signature.Outputs.Any(output => output.Name == name) && seen.Add(name) ? name : null;
        state = State.BeforeColon;
    }

    private void StartValue(char c, ICollection<FieldChunk> chunks)
    {
        (depth, inString, isEscaped) = (0, false, false);
        if (c == '"')
        {
            state = State.Text;
            if (field is not null)
                quoted.Add(field);
            return;
        }

        state = State.Raw;
        TakeRaw(c, chunks);
    }

    private void TakeText(char c, ICollection<FieldChunk> chunks)
    {
        if (TakeStringChar(c, ready))
            return;
        EndValue(chunks);
        state = State.BeforeKey;
    }

    // One character of a JSON string; false at its closing quote.
    private bool TakeStringChar(char c, StringBuilder target)
    {
        if (hexDigits >= 0)
        {
            TakeHex(c, target);
            return true;
        }

        if (isEscaped)
        {
            isEscaped = false;
            if (c == 'u')
                (hexDigits, hexValue) = (0, 0);
            else
                target.Append(Unescape(c));
            return true;
        }

        if (c == '"')
            return false;
        isEscaped = c == '\\';
        if (!isEscaped)
            target.Append(c);
        return true;
    }

    private void TakeHex(char c, StringBuilder target)
    {
        hexValue = (hexValue << 4) + (int.TryParse([c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var digit) ? digit : 0);
        if (++hexDigits < 4)
            return;
        target.Append((char)hexValue);
        hexDigits = -1;
    }

    private void TakeRaw(char c, ICollection<FieldChunk> chunks)
    {
        if (inString)
        {
            inString = isEscaped || c != '"';
            isEscaped = !isEscaped && c == '\\';
        }
        else if (depth == 0 && c is ',' or '}')
        {
            // Blanks behind a value are no part of it.
            token.Clear();
            EndValue(chunks);
            state = c == '}' ? State.Done : State.BeforeKey;
            return;
        }
        else
        {
            inString = c == '"';
            depth += c is '{' or '[' ? 1 : c is '}' or ']' ? -1 : 0;
        }

        token.Append(c);
        if (!char.IsWhiteSpace(c) && field is not null)
        {
            ready.Append(token);
            token.Clear();
        }
    }

    private void EndValue(ICollection<FieldChunk> chunks)
    {
        Flush(chunks, isLast: true);
        token.Clear();
        field = null;
    }

    private void Flush(ICollection<FieldChunk> chunks, bool isLast)
    {
        if (state is not (State.Text or State.Raw))
            return;

        // Half of a character that takes two stays until the other half comes.
        var length = !isLast && ready.Length > 0 && char.IsHighSurrogate(ready[^1]) ? ready.Length - 1 : ready.Length;
        if (field is not null && (length > 0 || isLast))
            chunks.Add(new(field, ready.ToString(0, length), isLast));
        ready.Remove(0, length);
    }

    private static char Unescape(char c) => c switch
    {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\b',
        'f' => '\f',
        _ => c,
    };
}
