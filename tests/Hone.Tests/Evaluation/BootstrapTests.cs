namespace Hone.Tests.Evaluation;

public sealed class BootstrapTests
{
    [Fact]
    public void OfMean_NormalScores_HasAboutTheTextbookWidth()
    {
        var random = new Random(1);
        double[] scores = [.. Enumerable.Range(0, 400).Select(_ => random.NextDouble() < 0.5 ? 1.0 : 0.0)];
        var interval = Bootstrap.OfMean(scores);
        var width = 2 * 1.96 * 0.5 / Math.Sqrt(400);
        Assert.InRange(interval.High - interval.Low, width * 0.9, width * 1.1);
        Assert.InRange(scores.Average(), interval.Low, interval.High);
    }

    [Fact]
    public void Compare_SameNoiseOnBothSides_IsRemovedByPairing()
    {
        var random = new Random(2);
        double[] before = [.. Enumerable.Range(0, 50).Select(_ => random.NextDouble())];
        double[] after = [.. before.Select(score => score + 0.05)];
        var comparison = Bootstrap.Compare(before, after);
        Assert.Equal(0.05, comparison.Gain, 1e-9);
        Assert.True(comparison.IsSignificant);
        Assert.Equal(0.05, comparison.Interval.Low, 1e-9);
    }

    [Fact]
    public void Compare_NoDifference_IsNotSignificant() => Assert.False(Bootstrap.Compare([0, 1, 0, 1], [1, 0, 1, 0]).IsSignificant);

    [Fact]
    public void Compare_SameSeed_SameInterval() => Assert.Equal(Bootstrap.Compare([0, 1, 2, 5], [1, 1, 4, 4], 3), Bootstrap.Compare([0, 1, 2, 5], [1, 1, 4, 4], 3));

    [Fact]
    public void Compare_DifferentLengths_IsRefused() => Assert.Throws<HoneException>(() => Bootstrap.Compare([1, 2], [1]));

    [Fact]
    public void OfMean_AroundAThousandScores_BothMethodsAgree()
    {
        var random = new Random(5);
        var scores = Enumerable.Range(0, 1001).Select(_ => random.NextDouble() < 0.3 ? 1.0 : 0.0).ToArray();
        var normal = Bootstrap.OfMean(scores);
        var resampled = Bootstrap.OfMean(scores[..1000]);
        Assert.Equal(resampled.Low, normal.Low, 0.003);
        Assert.Equal(resampled.High, normal.High, 0.003);
    }

    [Fact]
    public void CompareRuns_OneRun_IsThePairedComparison_ButForItsDraws()
    {
        double[] before = [.. Enumerable.Range(0, 60).Select(i => i % 2 / 2.0)], after = [.. Enumerable.Range(0, 60).Select(i => i % 3 / 2.0)];
        var (one, many) = (Bootstrap.Compare(before, after), Bootstrap.CompareRuns([(before, after)]));
        Assert.Equal(one.Gain, many.Gain, 12);
        Assert.Equal(one.Interval.Low, many.Interval.Low, 0.02);
        Assert.Equal(one.Interval.High, many.Interval.High, 0.02);
    }

    [Fact]
    public void CompareRuns_RunsThatDisagree_AreLessSureThanEachAlone()
    {
        double[] zeros = new double[100], small = [.. Enumerable.Repeat(0.1, 100)], large = [.. Enumerable.Repeat(0.5, 100)];
        var comparison = Bootstrap.CompareRuns([(zeros, small), (zeros, large), (zeros, zeros)]);
        Assert.Equal(0.2, comparison.Gain, 9);
        Assert.True(comparison.Interval.Low < 0.05 && comparison.Interval.High > 0.4, $"{comparison.Interval}");
        Assert.False(comparison.IsSignificant);
    }

    [Fact]
    public void CompareRuns_WithoutRuns_SaysSo() =>
        Assert.Contains("at least one run", Assert.Throws<HoneException>(() => Bootstrap.CompareRuns([])).Message, StringComparison.Ordinal);
}
