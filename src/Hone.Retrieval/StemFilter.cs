using Lucene.Net.Analysis;
using Lucene.Net.Analysis.TokenAttributes;
using Lucene.Net.Tartarus.Snowball.Ext;

namespace Hone.Retrieval;

/// <summary>
/// Snowball's English stemmer with a memory: its rules are called by reflection, microseconds a word, and texts say the same words again and again. One instance
/// belongs to one thread, as all token streams do.
/// </summary>
internal sealed class StemFilter : TokenFilter
{
    private const int MostWords = 1 << 16;
    private const int LongestWord = 32; // longer runs are seldom words

    private readonly EnglishStemmer stemmer = new();
    private readonly ICharTermAttribute term;
    private readonly Dictionary<string, string> stems = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> known;

    public StemFilter(TokenStream input) : base(input)
    {
        term = AddAttribute<ICharTermAttribute>();
        known = stems.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public override bool IncrementToken()
    {
        if (!m_input.IncrementToken())
            return false;
        var word = term.Buffer.AsSpan(0, term.Length);
        if (!known.TryGetValue(word, out var stem))
        {
            stemmer.SetCurrent(term.Buffer, term.Length);
            stemmer.Stem();
            stem = new(stemmer.CurrentBuffer, 0, stemmer.CurrentBufferLength);
            if (stems.Count >= MostWords)
                stems.Clear();
            if (word.Length <= LongestWord)
                known[word] = stem;
        }

        if (stem.Length > term.Buffer.Length)
            term.ResizeBuffer(stem.Length);
        stem.CopyTo(term.Buffer);
        term.Length = stem.Length;
        return true;
    }
}
