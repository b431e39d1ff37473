using Hone.Testing;
using Microsoft.Extensions.Time.Testing;

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
    public async Task EvaluateAsync_MetricCancelsItself_IsAFailureOfTheExample()
    {
        var metric = Metric.From<FieldMap, FieldMap>((_, _) => throw new TaskCanceledException("the judge gave up"));
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => Answer("yes")));
        var result = await Evaluator.Create(metric).EvaluateAsync(program, Examples(2), Token);
        Assert.Equal(2, result.FailureCount);
        Assert.Equal("The metric failed on example row-0: the judge gave up", result.Rows[0].Error!.Message);
    }

    [Theory]
    [InlineData(true, "a score that is not a number")]
    [InlineData(false, "null")]
    public async Task EvaluateAsync_MetricReturnsNoScore_NamesTheExample(bool isNaN, string what)
    {
        Metric<FieldMap, FieldMap> metric = (_, _, _) => ValueTask.FromResult(isNaN ? new Score(double.NaN) : null!);
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => Answer("yes")));
        var result = await Evaluator.Create(metric).EvaluateAsync(program, Examples(1), Token);
        Assert.Equal($"The metric failed on example row-0: it returned {what}", result.Rows[0].Error!.Message);
        Assert.Equal(0, result.Mean);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task EvaluateAsync_MoreErrorsThanAllowed_StopsWithTheCausesAndKeepsWhatIsDone(int allowed)
    {
        var model = ScriptedChatClient.By((_, call) => call % 2 == 0 ? Answer("yes") : "garbage");
        var program = Predict.Parse("question -> answer").WithModel(model).WithRecovery(RecoveryPolicy.None);
        var error = await Assert.ThrowsAsync<EvaluationStoppedException<FieldMap, FieldMap>>(() =>
            Evaluator.Create(Exact, new() { MaxErrors = allowed, MaxParallelism = 1 }).EvaluateAsync(program, Examples(100), Token));
        Assert.Equal(allowed + 1, error.InnerExceptions.Count);
        Assert.All(error.InnerExceptions, cause => Assert.IsType<AdapterParseException>(cause));
        Assert.Equal(2 * (allowed + 1), error.Finished.Rows.Length);
        Assert.Equal(allowed + 1, error.Finished.Scores.Count(score => score == 1));
        Assert.Contains($"{98 - (2 * allowed)} of 100 were left out", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(error.InnerExceptions[0].Message, error.Message, StringComparison.Ordinal); // Once: the others are among the inner exceptions.
    }

    [Fact]
    public async Task ContinueAsync_AfterAStop_RunsOnlyWhatIsNotDone()
    {
        var model = ScriptedChatClient.By((_, call) => call == 3 ? "garbage" : Answer("yes"));
        var program = Predict.Parse("question -> answer").WithModel(model).WithRecovery(RecoveryPolicy.None);
        var evaluator = Evaluator.Create(Exact, new() { MaxErrors = 0, MaxParallelism = 1 });
        var examples = Examples(10);
        var stopped = await Assert.ThrowsAsync<EvaluationStoppedException<FieldMap, FieldMap>>(() => evaluator.EvaluateAsync(program, examples, Token));
        var result = await evaluator.ContinueAsync(program, examples, stopped.Finished, Token);
        Assert.Equal((10, 1.0, 0), (result.Rows.Length, result.Mean, result.FailureCount));
        Assert.Equal(11, model.Requests.Count);
        var whole = await evaluator.ContinueAsync(program, examples, result, Token);
        Assert.Equal((10, 11), (whole.Rows.Length, model.Requests.Count));
        await Assert.ThrowsAsync<HoneException>(() => evaluator.ContinueAsync(program, [.. Examples(10).Reverse()], stopped.Finished, Token));
    }

    [Fact]
    public async Task EvaluateAsync_Progress_CountsTellsTheMeanAndFailures()
    {
        var told = new List<EvaluationProgress>();
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, call) => call switch { 0 => "garbage", 2 => Answer("no"), _ => Answer("yes") }))
            .WithRecovery(RecoveryPolicy.None);
        await Evaluator.Create(Exact, new() { MaxParallelism = 1, Progress = new SynchronousProgress<EvaluationProgress>(told.Add) })
            .EvaluateAsync(program, Examples(3), Token);
        Assert.Equal([(1, 1, null), (2, 1, 1.0), (3, 1, 0.5)], told.Select(each => (each.Completed, each.Errors, each.Mean)));
        Assert.Equal("3 of 3 examples, mean 0.500, 1 failed", told[^1].ToString());
    }

    [Fact]
    public async Task EvaluateAsync_ExampleTakesTooLong_IsAFailureAndIsNotStartedAgain()
    {
        var time = new FakeTimeProvider();
        var started = new TaskCompletionSource();
        var model = ScriptedChatClient.ByAsync(async (_, call, token) =>
        {
            if (call == 1)
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, token);
            }

            return ScriptedChatClient.Respond(Answer("yes"));
        });
        var program = Predict.Parse("question -> answer").WithModel(model);
        var run = Evaluator.Create(Exact, new() { MaxParallelism = 1, ExampleTimeout = TimeSpan.FromSeconds(5), Time = time }).EvaluateAsync(program, Examples(3), Token);
        await started.Task;
        time.Advance(TimeSpan.FromSeconds(6));
        var result = await run;
        Assert.Equal([1.0, 0, 1.0], result.Scores);
        Assert.Contains("row-1 took longer than 00:00:05", Assert.IsType<TimeoutException>(result.Rows[1].Error).Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(6), result.Rows[1].Duration);
        Assert.Equal(3, model.Requests.Count);
    }

    /// <summary>What a run asked before its time was up is paid for, whether traces are kept or not.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EvaluateAsync_ExampleTakesTooLong_ItsCallsCount(bool keepTraces)
    {
        var time = new FakeTimeProvider();
        var started = new TaskCompletionSource();
        var model = ScriptedChatClient.ByAsync(async (_, call, token) =>
        {
            if (call == 1)
            {
                started.SetResult();
                await Task.Delay(Timeout.Infinite, token);
            }

            return ScriptedChatClient.Respond(Answer("yes and more"));
        });
        var run = Evaluator.Create(Exact, new() { ExampleTimeout = TimeSpan.FromSeconds(5), Time = time, KeepTraces = keepTraces })
            .EvaluateAsync(new Twice().WithModel(model), Examples(1), Token);
        await started.Task;
        time.Advance(TimeSpan.FromSeconds(6));
        var row = (await run).Rows[0];

        Assert.IsType<TimeoutException>(row.Error);
        Assert.Equal(1, row.Usage.Calls);
        Assert.True(row.Usage.OutputTokens > 0);
        Assert.Equal(keepTraces ? 1 : 0, row.Trace.Calls.Length);
    }

    /// <summary>A model that never gives its thread back holds up nothing but itself.</summary>
    [Fact]
    public async Task EvaluateAsync_ExampleBlocksItsThread_IsLeftBehind()
    {
        var time = new FakeTimeProvider();
        using var release = new ManualResetEventSlim();
        var hasEnded = false;
        var model = ScriptedChatClient.By((_, call) =>
        {
            if (call == 1)
            {
                time.Advance(TimeSpan.FromSeconds(6));
                release.Wait(TimeSpan.FromSeconds(20), Token);
                Volatile.Write(ref hasEnded, true);
            }

            return Answer("yes");
        });
        var program = Predict.Parse("question -> answer").WithModel(model);
        var result = await Evaluator.Create(Exact, new() { MaxParallelism = 1, ExampleTimeout = TimeSpan.FromSeconds(5), Time = time }).EvaluateAsync(program, Examples(3), Token);
        var isLeftBehind = !Volatile.Read(ref hasEnded);
        release.Set();

        Assert.True(isLeftBehind);
        Assert.Equal([1.0, 0, 1.0], result.Scores);
        Assert.IsType<TimeoutException>(result.Rows[1].Error);
    }

    [Fact]
    public async Task EvaluateAsync_TellsTheProgramsObservers_AndIsTheParentOfItsRuns()
    {
        var observer = new Watcher();
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => Answer("yes"))).WithObserver(observer);
        await Evaluator.Create(Exact).EvaluateAsync(program, Examples(3), Token);

        var evaluation = Assert.Single(observer.Started, call => call.Kind == CallKind.Evaluation);
        Assert.Null(evaluation.ParentId);
        var runs = observer.Started.Where(call => call.Kind == CallKind.Program).ToList();
        Assert.Equal(3, runs.Count);
        Assert.All(runs, run => Assert.Equal(evaluation.Id, run.ParentId));
        Assert.Equal(CallKind.Evaluation, observer.Ended[^1].Kind);

        // One that watches both from outside and with the program is told once of the evaluation.
        using var scope = HoneScope.Use(new ScopeOptions { Observer = observer });
        await Evaluator.Create(Exact).EvaluateAsync(program, Examples(1), Token);
        Assert.Equal(2, observer.Started.Count(call => call.Kind == CallKind.Evaluation));
    }

    [Fact]
    public async Task EvaluateAsync_EmptySet_IsRefused() => await Assert.ThrowsAsync<HoneException>(() =>
        Evaluator.Create(Exact).EvaluateAsync(Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence()), [], Token));

    [Fact]
    public async Task EvaluateAsync_Cancelled_KeepsWhatIsDone()
    {
        using var cancel = new CancellationTokenSource();
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.ByAsync(async (_, call, token) =>
        {
            if (call < 2)
                return ScriptedChatClient.Respond(Answer("yes"));
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedChatClient.Respond("");
        }));
        var error = await Assert.ThrowsAsync<EvaluationCanceledException<FieldMap, FieldMap>>(() =>
            Evaluator.Create(Exact, new() { MaxParallelism = 1 }).EvaluateAsync(program, Examples(5), cancel.Token));
        Assert.Equal([0, 1], error.Finished.Rows.Select(row => row.Index));
        Assert.Equal(cancel.Token, error.CancellationToken);
    }

    [Fact]
    public async Task EvaluateAsync_CancelledBeforeAnything_HasNoRowsAndNoMean()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<EvaluationCanceledException<FieldMap, FieldMap>>(() =>
            Evaluator.Create(Exact).EvaluateAsync(program, Examples(5), new CancellationToken(canceled: true)));
        Assert.Empty(error.Finished.Rows);
        Assert.Equal(double.NaN, error.Finished.Mean);
    }

    [Fact]
    public async Task StreamAsync_GivesRowsAsTheyFinish_AndStopsWithTheLoop()
    {
        var model = ScriptedChatClient.By((_, _) => Answer("yes"));
        var program = Predict.Parse("question -> answer").WithModel(model);
        var evaluator = Evaluator.Create(Exact, new() { MaxParallelism = 2 });
        var indices = new List<int>();
        await foreach (var row in evaluator.StreamAsync(program, Examples(20), Token))
            indices.Add(row.Index);
        Assert.Equal(Enumerable.Range(0, 20), indices.Order());

        // Whoever leaves the loop wants no more: what is asked is cancelled, and what was not asked never is.
        var left = ScriptedChatClient.ByAsync(async (_, call, token) =>
        {
            if (call > 0)
                await Task.Delay(Timeout.Infinite, token);
            return ScriptedChatClient.Respond(Answer("yes"));
        });
        await foreach (var row in evaluator.StreamAsync(Predict.Parse("question -> answer").WithModel(left), Examples(20), Token))
            break;
        Assert.InRange(left.Requests.Count, 1, 3);
    }

    [Fact]
    public async Task StreamAsync_OverTheErrorBudget_GivesTheRowsAndThenThrows()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => "garbage")).WithRecovery(RecoveryPolicy.None);
        var rows = 0;
        await Assert.ThrowsAsync<EvaluationStoppedException<FieldMap, FieldMap>>(async () =>
        {
            await foreach (var row in Evaluator.Create(Exact, new() { MaxErrors = 1, MaxParallelism = 1 }).StreamAsync(program, Examples(9), Token))
                rows++;
        });
        Assert.Equal(2, rows);
    }

    [Fact]
    public void Options_ThatNothingCouldComeOf_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluatorOptions { ExampleTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EvaluatorOptions { FailureScore = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new JudgeOptions { Threshold = double.NaN });
        Assert.Equal(0.66, new JudgeOptions().Threshold);
    }

    [Fact]
    public async Task CompareAsync_TwoPrograms_PairsTheirScores()
    {
        var weak = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((request, _) => Answer(Number(request) % 2 == 0 ? "yes" : "no")));
        var strong = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((request, _) => Answer(Number(request) == 0 ? "no" : "yes")));
        var comparison = await Evaluator.Create(Exact).CompareAsync(weak, strong, Examples(40), Token);
        Assert.Equal((0.5, 0.975), (comparison.Scores.Baseline, comparison.Scores.Candidate));
        Assert.True(comparison.Scores.IsSignificant);
        Assert.Equal(20, comparison.Gains.Count());
        Assert.Equal("row-0", Assert.Single(comparison.Losses).Candidate.Name);
        Assert.StartsWith("0.500 -> 0.975, gain +0.475 [+", comparison.ToString(), StringComparison.Ordinal);
        var same = await Evaluator.Create(Exact).CompareAsync(weak, weak, Examples(4), Token);
        Assert.False(same.Scores.IsSignificant);
        Assert.EndsWith("0 better and 0 worse of 4; not significant", same.ToString(), StringComparison.Ordinal);
    }

    private static int Number(ScriptedRequest request) => int.Parse(request.LastText.Split('\n')[1]);

    private static Example<FieldMap, FieldMap>[] Examples(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{i}")), FieldMap.Of(("answer", "yes"))) { Id = $"row-{i}" })];

    private static string Answer(string value) => $"[[ ## answer ## ]]\n{value}\n\n[[ ## completed ## ]]";

    private sealed class Twice : Module<FieldMap, FieldMap>
    {
        private readonly Predict first = Predict.Parse("question -> answer");
        private readonly Predict second = Predict.Parse("question -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            await first.CallAsync(input, cancellationToken);
            return await second.CallAsync(input, cancellationToken);
        }
    }

    private sealed class Watcher : IHoneObserver
    {
        private readonly Lock gate = new();

        public List<CallStarted> Started { get; } = [];

        public List<CallEnded> Ended { get; } = [];

        public void OnStarted(CallStarted call)
        {
            lock (gate)
                Started.Add(call);
        }

        public void OnEnded(CallEnded call)
        {
            lock (gate)
                Ended.Add(call);
        }
    }
}
