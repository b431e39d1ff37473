using System.Collections.Immutable;

namespace Hone.Tests.Evaluation;

public sealed class TextMetricsTests
{
    [Theory]
    [InlineData("The Eiffel-Tower!", "eiffeltower")]
    [InlineData("  a  an THE  ", "")]
    [InlineData("theatre", "theatre")]
    [InlineData("naïve", "nai\u0308ve")]
    [InlineData("İstanbul", "i\u0307stanbul")]
    [InlineData("ΣΊΣΥΦΟΣ", "σι\u0301συφος")]
    [InlineData("thé end", "\u0301 end")]
    [InlineData("“quoted”", "“quoted”")]
    [InlineData("$5.00", "500")]
    [InlineData("한국", "\u1112\u1161\u11AB\u1100\u116E\u11A8")]
    public void Normalize_Text_FollowsTheRules(string text, string expected) => Assert.Equal(expected, TextMetrics.Normalize(text));

    [Theory]
    [InlineData("naïve Café", true, false, true, "naive cafe")]
    [InlineData("“quoted” – ¿sí?", false, true, true, "quoted si\u0301")]
    [InlineData("“Ça va…”", true, true, true, "ca va")]
    [InlineData("東京。", false, true, true, "東京")]
    [InlineData("5€ – 10°", false, true, true, "5€ 10°")]
    [InlineData("𐄀a", false, true, false, "a")]
    [InlineData("𝒳 the\u0301", true, false, true, "𝒳")]
    [InlineData("a la casa", false, false, false, "a la casa")]
    public void Normalize_WithOptions_FoldsAndDeletesWhatIsAskedFor(string text, bool fold, bool unicode, bool articles, string expected) =>
        Assert.Equal(expected, TextMetrics.Normalize(text, new() { FoldAccents = fold, UnicodePunctuation = unicode, DropArticles = articles }));

    [Fact]
    public void Metrics_WithANormalization_CompareByIt()
    {
        var folded = TextNormalization.International;
        Assert.False(TextMetrics.ExactMatch("«Málaga»", "Malaga"));
        Assert.True(TextMetrics.ExactMatch("«Málaga»", ["Malaga"], folded));
        Assert.Equal((0.5, 1), (TextMetrics.F1("São Paulo", "Sao Paulo"), TextMetrics.F1("São Paulo", ["Sao Paulo"], folded)));
        Assert.Equal((0.5, 1), (TextMetrics.Precision("São Paulo", "Sao Paulo"), TextMetrics.Precision("São Paulo", ["Sao Paulo"], folded)));
        Assert.False(TextMetrics.PassageMatch(["Vive à São-Paulo."], ["a Sao"]));
        Assert.True(TextMetrics.PassageMatch(["Vive à São Paulo."], ["a Sao"], folded));
        Assert.Equal((0, 1), (TextMetrics.HotPotF1("«Nó»", "no"), TextMetrics.HotPotF1("«Nó»", ["no"], folded)));
        Assert.Equal((0.5, 1), (TextMetrics.HotPotF1("São Paulo", "Sao Paulo"), TextMetrics.HotPotF1("São Paulo", ["Sao Paulo"], folded)));
        var (example, prediction) = (FieldMap.Of(("answer", "Málaga")), FieldMap.Of(("answer", "«malaga»"), ("context", ImmutableArray.Create<object?>("Nací en «Malaga»."))));
        Assert.False(TextMetrics.AnswerExactMatch(example, prediction));
        Assert.True(TextMetrics.AnswerExactMatch(example, prediction, 1, folded));
        Assert.True(TextMetrics.AnswerExactMatch(example, FieldMap.Of(("answer", "en malaga")), 0.6, folded));
        Assert.False(TextMetrics.AnswerPassageMatch(example, prediction));
        Assert.True(TextMetrics.AnswerPassageMatch(example, prediction, folded));
        Assert.Equal(TextMetrics.Normalize("The “naïve” a."), TextMetrics.Normalize("The “naïve” a.", TextNormalization.Default));
    }

    [Theory]
    [InlineData("Eiffel Tower is in Paris", "Paris", 0.33333333333333337, 0.33333333333333337, 0.2)]
    [InlineData("no way", "no", 0.6666666666666666, 0, 0.5)]
    [InlineData("", "", 0, 0, 0)]
    [InlineData("a b b c", "b b", 0.8, 0.8, 0.6666666666666666)]
    public void Scores_Pair_AreExact(string prediction, string answer, double f1, double hotPot, double precision)
    {
        Assert.Equal(f1, TextMetrics.F1(prediction, answer));
        Assert.Equal(hotPot, TextMetrics.HotPotF1(prediction, answer));
        Assert.Equal(precision, TextMetrics.Precision(prediction, answer));
    }

    [Fact]
    public void ExactMatch_SeveralAnswers_AnyCounts()
    {
        Assert.True(TextMetrics.ExactMatch("The Paris", "Lyon", "paris"));
        Assert.Throws<HoneException>(() => TextMetrics.ExactMatch("x", Array.Empty<string>()));
    }

    [Fact]
    public void AnswerExactMatch_Fields_AreCompared()
    {
        var example = FieldMap.Of(("answer", ImmutableArray.Create<object?>("Paris", "Lyon")));

        Assert.True(TextMetrics.AnswerExactMatch(example, FieldMap.Of(("answer", "paris"))));
        Assert.True(TextMetrics.AnswerExactMatch(example, FieldMap.Of(("answer", "Paris France")), 0.66));
        Assert.Throws<HoneException>(() => TextMetrics.AnswerExactMatch(FieldMap.Of(("answer", 5L)), FieldMap.Of(("answer", "5"))));
    }

    /// <summary>Of several references the best counts; none at all is an error, not a score.</summary>
    [Fact]
    public void Scores_SeveralAnswers_TheBestCounts_AndNoneIsRefused()
    {
        string[] none = [];
        Assert.Equal((0.8, 1, 1), (TextMetrics.F1("a b b c", "x", "b b"), TextMetrics.HotPotF1("yes", "no", "Yes."), TextMetrics.Precision("the cat", "dog", "cat cat")));
        Assert.Throws<HoneException>(() => TextMetrics.F1("x", none));
        Assert.Throws<HoneException>(() => TextMetrics.HotPotF1("x", none));
        Assert.Throws<HoneException>(() => TextMetrics.Precision("x", none));
        Assert.Throws<HoneException>(() => TextMetrics.AnswerExactMatch(FieldMap.Of(("answer", ImmutableArray<object?>.Empty)), FieldMap.Of(("answer", "x"))));
    }

    /// <summary>D34: an answer of which nothing is left would be in every passage; it is in none, and somebody is told.</summary>
    [Fact]
    public void D34_AnswerThatNormalizesToNothing_MatchesNothing_WithAWarning()
    {
        var log = new ListLogger();
        var told = TextNormalization.Default with { Logger = log };

        Assert.False(TextMetrics.PassageMatch(["The Louvre is in Paris."], ["the"], told));
        Assert.Equal("The answer 'the' normalises to nothing, so no passage can contain it: this example can only score 0 by it.", Assert.Single(log.Warnings));
        Assert.True(TextMetrics.AnswerPassageMatch(FieldMap.Of(("answer", ClrValues.List(["!", "Paris"]))), FieldMap.Of(("context", "The Louvre is in Paris.")), told));
        Assert.Equal(2, log.Warnings.Count);
    }

    [Fact]
    public void PassageMatch_SeveralPassagesAndAnswers_AnyPairCounts()
    {
        Assert.True(TextMetrics.PassageMatch(["Nothing.", "It is in Lyon, France."], ["the", "Lyon France"]));
        Assert.False(TextMetrics.PassageMatch(["Nothing.", "Lyon is in France."], ["the", "Lyon France"]));
        Assert.False(TextMetrics.PassageMatch([], ["Lyon"]));
        Assert.False(TextMetrics.PassageMatch(["Lyon"], []));
        var context = ClrValues.List(["Nothing.", "It is in Lyon."]);
        Assert.True(TextMetrics.AnswerPassageMatch(FieldMap.Of(("answer", ClrValues.List(["Paris", "Lyon"]))), FieldMap.Of(("context", context))));
        Assert.Throws<HoneException>(() => TextMetrics.AnswerPassageMatch(FieldMap.Of(("answer", "Lyon")), FieldMap.Of(("context", 5L))));
    }

    [Theory]
    [InlineData("Eiffel Tower", "The Eiffel Tower is in Paris.", true)]
    [InlineData("ing", "running", false)]
    [InlineData("café", "a café", true)]
    [InlineData("the", "anything", false)]
    public void PassageMatch_Tokens_AreConsecutive(string answer, string passage, bool expected) =>
        Assert.Equal(expected, TextMetrics.PassageMatch([passage], [answer]));
}
