using Lucene.Net.Analysis;
using Lucene.Net.Analysis.Core;
using Lucene.Net.Analysis.TokenAttributes;
using Lucene.Net.Analysis.Util;
using Lucene.Net.Tartarus.Snowball.Ext;

namespace Hone.Retrieval;

/// <summary>
/// Text to terms in one pass, with a memory: what a word becomes (lower case, no stop word, its stem by Snowball's English rules) is worked out once, since texts say the
/// same words again and again, and the stemmer calls its rules by reflection. A chain of Lucene's filters goes over every word five times. One instance belongs to one
/// thread, as all token streams do.
/// </summary>
internal sealed class EnglishTokenizer : Tokenizer
{
    private const int MinimumLength = 2;
    private const int MaximumLength = 255; // longer runs are cut there, as Lucene's tokenizers do
    private const int MostWords = 1 << 16;
    private const int LongestKept = 32; // longer runs are seldom words

    private readonly bool removeStopWords;
    private readonly EnglishStemmer? stemmer;
    private readonly ICharTermAttribute term;
    private readonly CharacterUtils characters = CharacterUtils.GetInstance(EnglishTextAnalyzer.Version);
    private readonly Dictionary<string, string?> terms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?>.AlternateLookup<ReadOnlySpan<char>> known;
    private readonly char[] text = new char[4096];
    private readonly char[] run = new char[MaximumLength + 1]; // the last sign may be a pair
    private int next;
    private int end;

    public EnglishTokenizer(TextReader input, bool removeStopWords, bool stem) : base(input)
    {
        this.removeStopWords = removeStopWords;
        stemmer = stem ? new() : null;
        term = AddAttribute<ICharTermAttribute>();
        known = terms.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override bool IncrementToken()
    {
        ClearAttributes();
        while (ReadRun() is > 0 and var length)
        {
            var word = run.AsSpan(0, length);
            if (!known.TryGetValue(word, out var found))
                found = Learn(word);
            if (found is null)
                continue;
            if (found.Length > term.Buffer.Length)
                term.ResizeBuffer(found.Length);
            found.CopyTo(term.Buffer);
            term.Length = found.Length;
            return true;
        }

        return false;
    }

    public override void Reset()
    {
        base.Reset();
        (next, end) = (0, 0);
    }

    // What becomes of a word; null when it is no term.
    private string? Learn(ReadOnlySpan<char> word)
    {
        var found = TermOf(word);
        if (word.Length > LongestKept)
            return found;
        if (terms.Count >= MostWords)
            terms.Clear();
        known[word] = found;
        return found;
    }

    private string? TermOf(ReadOnlySpan<char> word)
    {
        var lower = word.ToArray();
        characters.ToLower(lower, 0, lower.Length);
        if (lower.Length is < MinimumLength or > MaximumLength || (removeStopWords && StopAnalyzer.ENGLISH_STOP_WORDS_SET.Contains(lower, 0, lower.Length)))
            return null;
        if (stemmer is null)
            return new(lower);
        stemmer.SetCurrent(lower, lower.Length);
        stemmer.Stem();
        return new(stemmer.CurrentBuffer, 0, stemmer.CurrentBufferLength);
    }

    // The next run of letters, digits and underscores; 0 at the end of the text.
    private int ReadRun()
    {
        var length = 0;
        while (length < MaximumLength && (next < end || Fill()))
        {
            var sign = text[next];
            var size = sign < 128 || !IsPair() ? 1 : 2;
            if (sign < 128 ? sign == '_' || char.IsAsciiLetterOrDigit(sign) : IsWordRune(size))
            {
                for (var i = 0; i < size; i++)
                    run[length++] = text[next + i];
            }
            else if (length > 0)
            {
                next += size;
                return length;
            }

            next += size;
        }

        return length;
    }

    private bool IsPair() => char.IsHighSurrogate(text[next]) && (next + 1 < end || Fill()) && char.IsLowSurrogate(text[next + 1]);

    private bool IsWordRune(int size) => System.Text.Rune.DecodeFromUtf16(text.AsSpan(next, size), out var rune, out _) == System.Buffers.OperationStatus.Done
        && (System.Text.Rune.IsLetterOrDigit(rune) || System.Text.Rune.IsNumber(rune));

    // Reads on; what is not yet taken stays, at the beginning.
    private bool Fill()
    {
        var kept = end - next;
        Array.Copy(text, next, text, 0, kept);
        var read = m_input.Read(text, kept, text.Length - kept);
        (next, end) = (0, kept + Math.Max(0, read));
        return read > 0;
    }
}
