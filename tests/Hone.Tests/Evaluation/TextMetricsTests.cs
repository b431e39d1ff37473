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

    [Theory]
    [InlineData("Eiffel Tower", "The Eiffel Tower is in Paris.", true)]
    [InlineData("ing", "running", false)]
    [InlineData("café", "a café", true)]
    [InlineData("the", "anything", false)]
    public void PassageMatch_Tokens_AreConsecutive(string answer, string passage, bool expected) =>
        Assert.Equal(expected, TextMetrics.PassageMatch([passage], [answer]));
}
