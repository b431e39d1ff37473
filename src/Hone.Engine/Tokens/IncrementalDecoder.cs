using System.Text;

namespace Hone.Engine;

/// <summary>
/// Turns ids that arrive one by one into text, holding back bytes of a character until it is whole. Not thread-safe.
/// </summary>
public sealed class IncrementalDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _characters = new char[64];

    internal IncrementalDecoder(Tokenizer tokenizer, bool skipSpecial)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
    }

    /// <summary>The text that became certain with this id; empty while a character is incomplete.</summary>
    public string Append(int id) => _skipSpecial && _tokenizer.IsSpecial(id) ? "" : Convert(_tokenizer.BytesOf(id), flush: false);

    /// <summary>What is left at the end: U+FFFD for an incomplete character, else nothing. The decoder can then be used anew.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        // A held-back start of a character may turn into a replacement of its own, hence the two more.
        if (_characters.Length < bytes.Length + 2) _characters = new char[bytes.Length * 2 + 2];
        var count = _decoder.GetChars(bytes, _characters, flush);
        return count == 0 ? "" : new string(_characters, 0, count);
    }
}
