using System.Text;

namespace Hone;

/// <summary>Undoes what a format does to text inside a value, a character at a time.</summary>
internal interface IFieldTextDecoder
{
    void Append(char c);

    /// <summary>The text ends here: what was held back is part of it.</summary>
    void Finish();
}

/// <summary>The text of one field as it arrives: trimmed, line ends made one, decoded. Blanks are held back until something follows them.</summary>
internal sealed class FieldTextReader
{
    private readonly string name;
    private readonly StringBuilder blanks = new();
    private readonly StringBuilder ready = new();
    private readonly IFieldTextDecoder decoder;
    private bool hasStarted;

    public FieldTextReader(string name, Func<StringBuilder, IFieldTextDecoder> decoder)
    {
        this.name = name;
        this.decoder = decoder(ready);
    }

    public void Append(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            Append(c);
    }

    public void Append(char c)
    {
        if (char.IsWhiteSpace(c))
        {
            if (hasStarted)
                blanks.Append(c);
            return;
        }

        hasStarted = true;
        if (blanks.Length > 0)
        {
            foreach (var blank in blanks.Replace("\r\n", "\n").Replace('\r', '\n').ToString())
                decoder.Append(blank);
            blanks.Clear();
        }

        decoder.Append(c);
    }

    /// <summary>Adds what is certain.</summary>
    public void Flush(ICollection<FieldChunk> chunks, bool isLast)
    {
        if (isLast)
            decoder.Finish();

        // Half of a character that takes two stays until the other half comes.
        var length = !isLast && ready.Length > 0 && char.IsHighSurrogate(ready[^1]) ? ready.Length - 1 : ready.Length;
        if (length > 0 || isLast)
            chunks.Add(new(name, ready.ToString(0, length), isLast));
        ready.Remove(0, length);
    }
}
