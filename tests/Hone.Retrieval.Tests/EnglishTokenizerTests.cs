using System.Text;
using CsCheck;
using Lucene.Net.Analysis;
using Lucene.Net.Analysis.Core;
using Lucene.Net.Analysis.Miscellaneous;
using Lucene.Net.Analysis.Snowball;
using Lucene.Net.Analysis.TokenAttributes;
using Lucene.Net.Analysis.Util;
using Lucene.Net.Tartarus.Snowball.Ext;
using Lucene.Net.Util;

namespace Hone.Retrieval.Tests;

/// <summary>One pass with a memory finds what Lucene's chain of filters finds: tokenizer, lower case, length, stop words, Snowball.</summary>
public sealed class EnglishTokenizerTests
{
    private static readonly string[] Words =
    [
        "The", "running", "RUNNERS", "nationally", "naïve", "İstanbul", "ΣΊΣΥΦΟΣ", "𝒳𝒴z", "𐐀𐐁", "x", "a_b", "it's", "½", "東京", "e\u0301a", "\ud835", "\udcb3q", "the", "generously", "42nd", "skis", "İ",
    ];

    private static readonly string[] Gaps = [" ", "-", ", ", "", "\n", "—"];

    private static readonly Gen<string> Texts = Gen.Select(
        Gen.OneOf(Gen.Int[0, Words.Length - 1].Select(i => Words[i]), Gen.String[0, 12], Gen.Char['a', 'f'].Array[250, 520].Select(signs => new string(signs))),
        Gen.Int[0, Gaps.Length - 1]).Select((word, gap) => word + Gaps[gap]).Array[0, 60].Select(string.Concat);

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void Terms_AnyText_AreThoseOfLucenesChain(bool removeStopWords, bool stem)
    {
        using var ours = new EnglishTextAnalyzer(removeStopWords, stem);
        using var chain = new Chain(removeStopWords, stem);
        Texts.Sample(text => Assert.Equal(TermsOf(chain, text), ours.Terms(text)), iter: 400);
    }

    /// <summary>Words, and pairs of surrogates, across the end of what is read at once; more words than are kept.</summary>
    [Fact]
    public void Terms_LongTexts_AreThoseOfLucenesChain()
    {
        using var ours = new EnglishTextAnalyzer(removeStopWords: true, stem: true);
        using var chain = new Chain(removeStopWords: true, stem: true);
        for (var shift = 0; shift < 6; shift++)
        {
            var text = new StringBuilder(new string('x', shift)).Append(' ');
            for (var i = 0; i < 1500; i++)
                text.Append("𝒳𝒴").Append(i % 7 == 0 ? " the walking " : "");
            Assert.Equal(TermsOf(chain, text.ToString()), ours.Terms(text.ToString()));
        }

        var many = string.Join(' ', Enumerable.Range(0, 70_000).Select(i => $"word{i}s"));
        Assert.Equal(TermsOf(chain, many), ours.Terms(many));
        Assert.Equal(TermsOf(chain, many), ours.Terms(many));
    }

    private static List<string> TermsOf(Analyzer analyzer, string text)
    {
        var terms = new List<string>();
        using var stream = analyzer.GetTokenStream("", text);
        var term = stream.GetAttribute<ICharTermAttribute>();
        stream.Reset();
        while (stream.IncrementToken())
            terms.Add(term.ToString()!);
        stream.End();
        return terms;
    }

    private sealed class Chain(bool removeStopWords, bool stem) : Analyzer
    {
        private const LuceneVersion Version = LuceneVersion.LUCENE_48;

        protected override TokenStreamComponents CreateComponents(string fieldName, TextReader reader)
        {
            var source = new Runs(reader);
            TokenStream stream = new LengthFilter(Version, new LowerCaseFilter(Version, source), 2, 255);
            if (removeStopWords)
                stream = new StopFilter(Version, stream, StopAnalyzer.ENGLISH_STOP_WORDS_SET);
            return new(source, stem ? new SnowballFilter(stream, new EnglishStemmer()) : stream);
        }

        private sealed class Runs(TextReader reader) : CharTokenizer(Version, reader)
        {
            protected override bool IsTokenChar(int c) => c == '_' || (Rune.TryCreate(c, out var rune) && (Rune.IsLetterOrDigit(rune) || Rune.IsNumber(rune)));
        }
    }
}
