namespace Hone.Tests.Evaluation;

public sealed class CorpusMetricsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("The answer is 18.", 18)]
    [InlineData("$1,200.50", 1200)]
    [InlineData("-5 degrees", -5)]
    [InlineData("5-3", 3)]
    [InlineData("12\n13", 12)]
    [InlineData("none", null)]
    public void LastInteger_Text_IsOfTheFirstLine(string text, int? expected) => Assert.Equal(expected, (int?)CorpusMetrics.LastInteger(text));

    [Theory]
    [InlineData(@"\dfrac12", @"\frac{1}{2}")]
    [InlineData(@"$\boxed{12\text{ cm}}$", "12")]
    [InlineData(@"10,000", "10000")]
    [InlineData(@"\left( 1, 2 \right)", "(1,2)")]
    [InlineData(@"\text{Monday}", "Monday")]
    [InlineData(@"50\%", "50")]
    [InlineData(@".5", "0.5")]
    [InlineData(@"90^\circ", "90")]
    public void PlainMath_SameValue_IsTheSameText(string left, string right) => Assert.Equal(CorpusMetrics.PlainMath(right), CorpusMetrics.PlainMath(left));

    [Fact]
    public async Task Metrics_OfSets_ScoreTheirFields()
    {
        Assert.Equal(1, await ScoreAsync(CorpusMetrics.Gsm8k, ("answer", "18"), ("answer", "It is 18 dollars")));
        Assert.Equal(0, await ScoreAsync(CorpusMetrics.Gsm8k, ("answer", "18"), ("answer", "unknown")));
        Assert.Equal(1, await ScoreAsync(CorpusMetrics.Gsm8k, ("answer", "18"), ("answer", 18L)));
        Assert.Equal(1, await ScoreAsync(CorpusMetrics.Math, ("answer", @"\frac{3}{4}"), ("answer", @"Thus \boxed{\tfrac34}")));
        Assert.Equal(1, await ScoreAsync(CorpusMetrics.HotPotQA, ("answer", "The Beatles"), ("answer", "beatles")));
        Assert.Equal(1, await ScoreAsync(CorpusMetrics.Banking77, ("category", "card_arrival"), ("category", " Card arrival")));
        Assert.Equal(0.5, await ScoreAsync(CorpusMetrics.Hover, ("titles", ClrValues.List(["A", "B"])), ("titles", ClrValues.List(["b", "C"]))));
    }

    private static async Task<double> ScoreAsync(Metric<FieldMap, FieldMap> metric, (string, object?) expected, (string, object?) output) =>
        (await metric(new(FieldMap.Empty, FieldMap.Of(expected)), new(FieldMap.Of(output), Trace.Empty), Token)).Value;
}
