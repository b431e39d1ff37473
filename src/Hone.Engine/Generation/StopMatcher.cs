using System.Text;

namespace Hone.Engine;

/// <summary>
/// Watches the bytes of a completion for stop sequences. Works on UTF-8, in which a sequence can only match whole characters. Keeps as many bytes
/// as the longest sequence needs; allocates nothing after construction.
/// </summary>
internal sealed class StopMatcher
{
    private readonly byte[][] _sequences;
    private readonly byte[] _tail;
    private int _length;

    public StopMatcher(IEnumerable<string> sequences)
    {
        _sequences = [.. sequences.Where(text => text.Length > 0).Select(Encoding.UTF8.GetBytes)];
        _tail = new byte[Math.Max(1, _sequences.Select(sequence => sequence.Length).DefaultIfEmpty(0).Max())];
    }

    /// <summary>Adds a token's bytes; true once a sequence is complete.</summary>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (_length == _tail.Length)
            {
                Buffer.BlockCopy(_tail, 1, _tail, 0, _tail.Length - 1);
                _length--;
            }
            _tail[_length++] = value;
            foreach (var sequence in _sequences)
                if (_tail.AsSpan(0, _length).EndsWith(sequence)) return true;
        }
        return false;
    }

    /// <summary>Where the first stop sequence starts in a text; -1 when there is none.</summary>
    public static int FirstIn(string text, IEnumerable<string> sequences)
    {
        var first = -1;
        foreach (var sequence in sequences)
        {
            var at = sequence.Length == 0 ? -1 : text.IndexOf(sequence, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first)) first = at;
        }
        return first;
    }

    /// <summary>How many characters at the end of a text could be the beginning of a stop sequence.</summary>
    public static int Undecided(string text, IEnumerable<string> sequences)
    {
        var longest = 0;
        foreach (var sequence in sequences)
            for (var length = Math.Min(sequence.Length - 1, text.Length); length > longest; length--)
                if (text.AsSpan(text.Length - length).SequenceEqual(sequence.AsSpan(0, length))) longest = length;
        return longest;
    }
}
