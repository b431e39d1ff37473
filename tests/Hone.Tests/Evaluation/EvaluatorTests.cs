using Hone.Testing;

namespace Hone.Tests.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly Metric<FieldMap, FieldMap> Exact = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task EvaluateAsync_AnyParallelism_KeepsTheOrderOfTheSet(int parallelism)
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.ByAsync(async (request, _, token) =>
        {
            await Task.Yield();
            var number = int.Parse(request.LastText.Split('\n')[1]);
            return ScriptedChatClient.Respond(Answer(number % 3 == 0 ? "yes" : "no"));
        }));
        var result = await Evaluator.Create(Exact, new() { MaxParallelism = parallelism }).EvaluateAsync(program, Examples(30), Token);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => i % 3 == 0 ? 1.0 : 0), result.Scores);
        Assert.Equal(1 / 3.0, result.Mean, 1e-12);
        Assert.True(result.Interval.Low < result.Mean && result.Mean < result.Interval.High);
    }

    [Fact]
    public async Task EvaluateAsync_TracesNotKept_KeepsTheirSums()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, call) => call == 1 ? "garbage" : Answer("yes")))
            .WithRecovery(RecoveryPolicy.None);
        var kept = await Evaluator.Create(Exact, new() { MaxParallelism = 1 }).EvaluateAsync(program, Examples(3), Token);
        var sums = await Evaluator.Create(Exact, new() { MaxParallelism = 1, KeepTraces = false }).EvaluateAsync(
            Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, call) => call == 1 ? "garbage" : Answer("yes"))).WithRecovery(RecoveryPolicy.None),
            Examples(3),
            Token);
        Assert.Equal(1, sums.FormatFailureCount);
        Assert.Equal(kept.Usage, sums.Usage);
        Assert.Equal(3, sums.Usage.Calls);
        Assert.All(sums.Rows, row => Assert.Empty(row.Trace.Calls));
        Assert.All(kept.Rows, row => Assert.Single(row.Trace.Calls));
    }

    [Fact]
    public async Task EvaluateAsync_FailedRuns_ScoreTheFailureScoreAndKeepTheirTrace()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, call) => call == 1 ? "garbage" : Answer("yes"))).WithRecovery(RecoveryPolicy.None);
        var result = await Evaluator.Create(Exact, new() { MaxParallelism = 1, FailureScore = -1 }).EvaluateAsync(program, Examples(3), Token);
        Assert.Equal([1.0, -1.0, 1.0], result.Scores);
        Assert.Equal((1, 1), (result.FailureCount, result.FormatFailureCount));
        Assert.IsType<AdapterParseException>(result.Rows[1].Error);
        Assert.Equal("garbage", result.Rows[1].Trace.Calls[0].Text);
    }

    [Fact]
    public async Task EvaluateAsync_MetricThrows_NamesTheExample()
    {
        var metric = Metric.From<FieldMap, FieldMap>((_, _) => throw new FormatException("bad number"));
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => Answer("yes")));
        var result = await Evaluator.Create(metric).EvaluateAsync(program, Examples(2), Token);
        Assert.Equal("The metric failed on example row-1: bad number", result.Rows[1].Error!.Message);
    }

    [Fact]
    public async Task EvaluateAsync_MoreErrorsThanAllowed_StopsWithTheCauses()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => "garbage")).WithRecovery(RecoveryPolicy.None);
        var error = await Assert.ThrowsAsync<AggregateException>(() =>
            Evaluator.Create(Exact, new() { MaxErrors = 2, MaxParallelism = 1 }).EvaluateAsync(program, Examples(10), Token));
        Assert.All(error.InnerExceptions, cause => Assert.IsType<AdapterParseException>(cause));
    }

    [Fact]
    public async Task EvaluateAsync_EmptySet_IsRefused() => await Assert.ThrowsAsync<HoneException>(() =>
        Evaluator.Create(Exact).EvaluateAsync(Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence()), [], Token));

    [Fact]
    public async Task EvaluateAsync_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.ByAsync(async (_, call, token) =>
        {
            if (call == 2)
                await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedChatClient.Respond("");
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Evaluator.Create(Exact).EvaluateAsync(program, Examples(5), cancel.Token));
    }

    private static Example<FieldMap, FieldMap>[] Examples(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{i}")), FieldMap.Of(("answer", "yes"))) { Id = $"row-{i}" })];

    private static string Answer(string value) => $"[[ ## answer ## ]]\n{value}\n\n[[ ## completed ## ]]";
}
