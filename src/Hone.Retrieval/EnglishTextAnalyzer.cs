using Lucene.Net.Analysis;
using Lucene.Net.Analysis.Core;
using Lucene.Net.Analysis.Miscellaneous;
using Lucene.Net.Analysis.TokenAttributes;
using Lucene.Net.Analysis.Util;
using Lucene.Net.Util;

namespace Hone.Retrieval;

/// <summary>
/// Text to terms: runs of at least two letters, digits or underscores, in lower case, without stop words, stemmed. The same rules as the BM25
/// of DSPy's multi-hop tutorial, so that scores can be compared.
/// </summary>
internal sealed class EnglishTextAnalyzer(bool removeStopWords, bool stem) : Analyzer
{
    public const LuceneVersion Version = LuceneVersion.LUCENE_48;
    private const int MinimumTermLength = 2;
    private const int MaximumTermLength = 255; // CharTokenizer splits longer runs

    /// <summary>The terms of a text in order, repetitions included. Thread-safe.</summary>
    public List<string> Terms(string text)
    {
        var terms = new List<string>();
        using var stream = GetTokenStream(string.Empty, text);
        var term = stream.GetAttribute<ICharTermAttribute>();
        stream.Reset();
        while (stream.IncrementToken())
            terms.Add(new(term.Buffer, 0, term.Length));
        stream.End();
        return terms;
    }

    protected override TokenStreamComponents CreateComponents(string fieldName, TextReader reader)
    {
        var source = new WordTokenizer(reader);
        TokenStream stream = new LowerCaseFilter(Version, source);
        stream = new LengthFilter(Version, stream, MinimumTermLength, MaximumTermLength);
        if (removeStopWords)
            stream = new StopFilter(Version, stream, StopAnalyzer.ENGLISH_STOP_WORDS_SET);
        if (stem)
            stream = new StemFilter(stream);
        return new(source, stream);
    }

    private sealed class WordTokenizer(TextReader reader) : CharTokenizer(Version, reader)
    {
        protected override bool IsTokenChar(int c) => c == '_' || (c < 128 ? char.IsAsciiLetterOrDigit((char)c) : IsWordRune(c));

        private static bool IsWordRune(int c) => System.Text.Rune.TryCreate(c, out var rune)
            && (System.Text.Rune.IsLetterOrDigit(rune) || System.Text.Rune.IsNumber(rune));
    }
}
