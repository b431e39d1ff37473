namespace Hone.Tests.Runtime;

public sealed class MetricTests
{
    private static readonly Example<string, string> One = new("q", "a");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_EveryKindOfFunction_GivesAScore()
    {
        Assert.Equal(1, await ValueOf(Metric.From<string, string>((example, output) => example.Expected == output)));
        Assert.Equal(0.5, await ValueOf(Metric.From<string, string>((_, _) => 0.5)));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>((_, _) => 1)));
        Assert.Equal(0.25, await ValueOf(Metric.From<string, string>((_, _) => new Score(0.25) { Feedback = "low" })));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>(Same)));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>(Length)));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>(SameAsync)));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>(LengthAsync)));
        Assert.Equal(1, await ValueOf(Metric.From<string, string>(async (example, output, token) =>
        {
            await Task.Yield();
            return example.Expected == output;
        })));
        Assert.Equal(0, await ValueOf(Metric.FromPrediction<string, string>((_, prediction) => prediction.Trace.Calls.Length)));
    }

    [Fact]
    public async Task Combine_Metrics_IsTheirWeightedMeanWithParts()
    {
        var inner = Metric.From<string, string>((_, _) => new Score(0.5) { Parts = new Score(0).Parts.Add("recall", 0.25), Feedback = "half" });
        var metric = Metric.Combine(("exact", Metric.From<string, string>(Same), 3), ("judged", inner, 1));
        var score = await metric(One, new("a", Trace.Empty), Token);
        Assert.Equal(0.875, score.Value);
        Assert.Equal(["exact=1", "judged=0.5", "judged.recall=0.25"], score.Parts.Select(part => FormattableString.Invariant($"{part.Key}={part.Value}")));
        Assert.Equal("judged: half", score.Feedback);
    }

    [Fact]
    public void Combine_WithoutWeightsOrWithOneNameTwice_IsRefused()
    {
        var metric = Metric.From<string, string>(Same);
        Assert.Throws<HoneException>(() => Metric.Combine<string, string>());
        Assert.Throws<HoneException>(() => Metric.Combine(("a", metric, 0)));
        Assert.Throws<HoneException>(() => Metric.Combine(("a", metric, 2), ("b", metric, -1)));
        Assert.Contains("'a'", Assert.Throws<HoneException>(() => Metric.Combine(("a", metric, 1), ("a", metric, 1))).Message, StringComparison.Ordinal);
    }

    private static bool Same(Example<string, string> example, string output) => example.Expected == output;

    private static double Length(Example<string, string> example, string output) => output.Length;

    private static Task<bool> SameAsync(Example<string, string> example, string output, CancellationToken token) => Task.FromResult(example.Expected == output);

    private static Task<double> LengthAsync(Example<string, string> example, string output, CancellationToken token) => Task.FromResult((double)output.Length);

    private static async Task<double> ValueOf(Metric<string, string> metric) => (await metric(One, new("a", Trace.Empty), Token)).Value;
}
