using Lucene.Net.Analysis;
using Lucene.Net.Analysis.TokenAttributes;
using Lucene.Net.Util;

namespace Hone.Retrieval;

/// <summary>
/// Text to terms: runs of at least two letters, digits or underscores, in lower case, without stop words, stemmed. The same rules as the BM25
/// of DSPy's multi-hop tutorial, so that scores can be compared.
/// </summary>
internal sealed class EnglishTextAnalyzer(bool removeStopWords, bool stem) : Analyzer
{
    public const LuceneVersion Version = LuceneVersion.LUCENE_48;

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

    protected override TokenStreamComponents CreateComponents(string fieldName, TextReader reader) => new(new EnglishTokenizer(reader, removeStopWords, stem));
}
