using System.Text;

namespace Hone;

/// <summary>
/// Reads the outermost tags of an answer in XML as it arrives. Text is told decoded, nested tags as they are written. Whether tags of one name
/// balance inside a field is only known at the end; then the whole answer sets it right.
/// </summary>
internal sealed class XmlStreamReader(Signature signature) : FieldStreamReader
{
    private const int LongestTag = 200;

    private readonly ThinkFilter preamble = new();
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly StringBuilder held = new();
    private FieldTextReader? current;
    private string? open;
    private string? sectionEnd;

    public override void Append(string text, ICollection<FieldChunk> chunks)
    {
        foreach (var c in preamble.Take(text))
            Take(c, chunks);
        current?.Flush(chunks, isLast: false);
    }

    public override void Complete(ICollection<FieldChunk> chunks)
    {
        foreach (var c in preamble.Finish())
            Take(c, chunks);
        current?.Flush(chunks, isLast: false);
    }

    internal override bool TryRead(SignatureField field, string told, out object? value)
    {
        var ignored = default(CoercionFailure);
        var element = new XmlElementText(field.Name, null, told, IsEmpty: false);
        var raw = XmlValues.IsNested(field.Type) ? XmlValues.Read(element, field.Type)
            : XmlValues.TryAlternative(element, field.Type, out var nested) ? nested
            : told;
        return ValueCoercer.TryCoerce(raw, field.Type, out value, ref ignored);
    }

    private void Take(char c, ICollection<FieldChunk> chunks)
    {
        if (sectionEnd is not null)
        {
            TakeSection(c);
            return;
        }

        if (held.Length == 0 && c != '<')
        {
            current?.Append(c);
            return;
        }

        if (c == '<' && held.Length > 0)
            Release();
        held.Append(c);
        if (StartsSection())
            return;
        if (c == '>')
            TakeTag(chunks);
        else if (held.Length > LongestTag || !MayBeTag())
            Release();
    }

    // Comments and plain data hide tags; as content they are kept as written.
    private bool StartsSection()
    {
        sectionEnd = held.Equals("<!--") ? "-->" : held.Equals(XmlScanner.DataStart) ? XmlScanner.DataEnd : null;
        if (sectionEnd is not null)
            Release();
        return sectionEnd is not null;
    }

    private void TakeSection(char c)
    {
        current?.Append(c);
        held.Append(c);
        var length = held.Length;
        if (length >= 3 && held[length - 1] == '>' && held[length - 2] == sectionEnd![1] && held[length - 3] == sectionEnd[0])
            (sectionEnd, held.Length) = (null, 0);
        else if (length > 3)
            held.Remove(0, 1);
    }

    private bool MayBeTag()
    {
        if (held.Length < 2)
            return true;
        var first = held[1];
        if (first == '!')
            return "<!--".StartsWith(held.ToString(), StringComparison.Ordinal) || XmlScanner.DataStart.StartsWith(held.ToString(), StringComparison.Ordinal);
        return first == '/' || char.IsLetter(first) || first == '_';
    }

    private void TakeTag(ICollection<FieldChunk> chunks)
    {
        var tag = held.ToString();
        var isClosing = tag[1] == '/';
        var name = tag[(isClosing ? 2 : 1)..^1].TrimEnd('/').Split(' ', '\n', '\t', '\r')[0];
        if (open is null && !isClosing)
        {
            held.Clear();
            Open(name, tag.EndsWith("/>", StringComparison.Ordinal), chunks);
        }
        else if (isClosing && name == open)
        {
            held.Clear();
            current?.Flush(chunks, isLast: true);
            (current, open) = (null, null);
        }
        else
        {
            Release();
        }
    }

    private void Open(string name, bool isEmpty, ICollection<FieldChunk> chunks)
    {
        var field = signature.Outputs.FirstOrDefault(output => output.Name == name);
        if (!isEmpty)
            open = name;
        if (field is null || !seen.Add(name))
            return;
        var reader = new FieldTextReader(name, text => XmlValues.IsNested(field.Type) ? new PlainDecoder(text) : new XmlDecoder(text));
        if (isEmpty)
            reader.Flush(chunks, isLast: true);
        else
            current = reader;
    }

    private void Release()
    {
        foreach (var c in held.ToString())
            current?.Append(c);
        held.Clear();
    }

    private sealed class PlainDecoder(StringBuilder output) : IFieldTextDecoder
    {
        public void Append(char c) => output.Append(c);

        public void Finish()
        {
            // Nothing is held back.
        }
    }
}
