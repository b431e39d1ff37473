using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Search;

/// <summary>What every optimizer of prompts gets from the engine: budgets, journal, stopping, outages (scenarios ).</summary>
public sealed class SearchRunTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-search-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Right for more questions the more demos there are: every candidate scores differently.
    private static Lab NewLab() => new(call => Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question));

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(64)]
    public async Task A_budget_of_program_runs_is_never_exceeded_and_more_of_it_is_never_worse(int parallelism)
    {
        var all = (int)(await CompileAsync(NewLab(), Settings())).ProgramRuns;
        var best = double.NegativeInfinity;
        for (var runs = 0; runs <= all; runs++)
        {
            var lab = NewLab();
            var result = await CompileAsync(lab, Settings() with { MaxParallelism = parallelism, Budget = new() { MaxProgramRuns = runs } });
            Assert.InRange(lab.Calls.Count, 0, runs);
            Assert.Equal(runs < all ? StopReason.ProgramRunBudget : StopReason.Completed, result.StopReason);
            var score = result.BestScore ?? double.NegativeInfinity;
            Assert.True(score >= best, $"{runs} runs give {score}, fewer gave {best}");
            best = score;
        }

        Assert.InRange(best, 0.5, 1);
    }

    [Fact]
    public async Task A_budget_of_calls_is_never_exceeded_and_its_result_does_not_depend_on_parallelism()
    {
        var full = NewLab();
        await CompileAsync(full, Settings());
        var best = double.NegativeInfinity;
        for (var calls = 0; calls <= full.Calls.Count; calls++)
        {
            var evidence = new HashSet<string>();
            foreach (var parallelism in new[] { 1, 8, 64 })
            {
                var lab = NewLab();
                var result = await CompileAsync(lab, Settings() with { MaxParallelism = parallelism, Budget = new() { MaxCalls = calls } });
                Assert.InRange(lab.Calls.Count, 0, calls);
                evidence.Add(Lab.Evidence(result));
                var score = result.BestScore ?? double.NegativeInfinity;
                Assert.True(score >= best);
                best = score;
            }

            Assert.Single(evidence);
        }
    }

    [Theory]
    [InlineData(600)]
    [InlineData(3_000)]
    [InlineData(20_000)]
    public async Task A_budget_of_tokens_is_never_exceeded(int tokens)
    {
        var lab = NewLab();
        var program = lab.One().WithModel(lab.Model with { Options = new() { MaxOutputTokens = 16 } });
        var result = await Optimizer(Settings() with { MaxParallelism = 64, Budget = new() { MaxTokens = tokens } })
            .CompileAsync(program, Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.InRange(result.UsageByRole.Values.Sum(usage => usage.TotalTokens), 0, tokens);
        Assert.True(result.StopReason is StopReason.TokenBudget or StopReason.Completed);
    }

    [Fact]
    public async Task A_role_has_a_budget_of_its_own()
    {
        var lab = NewLab();
        var limits = OptimizationBudgetOf("task", new() { MaxCalls = 9 });
        var result = await CompileAsync(lab, Settings() with { Budget = limits });
        Assert.Equal(9, lab.Calls.Count);
        Assert.Equal(StopReason.CallBudget, result.StopReason);
        Assert.Equal(3, result.Candidates.Length);
    }

    [Fact]
    public async Task A_program_that_swallows_the_refusal_does_not_hide_it()
    {
        var lab = NewLab();
        var program = new Swallowing().WithModel(lab.Model);
        var result = await Optimizer(Settings() with { Budget = new() { MaxCalls = 9 } }).CompileAsync(program, Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.Equal(StopReason.CallBudget, result.StopReason);
        Assert.DoesNotContain(result.Candidates, candidate => candidate.Scores.Contains(-1));
    }

    [Fact]
    public async Task A_finished_run_is_reproduced_without_a_call()
    {
        var lab = NewLab();
        var first = await CompileAsync(lab, Settings() with { RunDirectory = directory });
        var written = await File.ReadAllBytesAsync(Path.Combine(directory, "result.json"), Token);
        var silent = new Lab(_ => throw new InvalidOperationException("There must be no call."));
        var again = await CompileAsync(silent, Settings() with { RunDirectory = directory, Resume = true });
        Assert.Empty(silent.Calls);
        Assert.Equal(Lab.Evidence(first), Lab.Evidence(again));
        Assert.Equal(written, await File.ReadAllBytesAsync(Path.Combine(directory, "result.json"), Token));
        Assert.Equal(first.Candidates.Length, Directory.GetFiles(Path.Combine(directory, "candidates")).Length);
        Assert.Contains(first.Verdict, await File.ReadAllTextAsync(Path.Combine(directory, "report.html"), Token), StringComparison.Ordinal);
        var best = await lab.One().LoadStateAsync(Path.Combine(directory, "best.json"), Token);
        Assert.Equal(first.Program.State, best.State);
    }

    [Fact]
    public async Task A_run_cut_after_any_unit_goes_on_and_pays_nothing_twice()
    {
        var whole = NewLab();
        var expected = Lab.Evidence(await CompileAsync(whole, Settings() with { RunDirectory = directory }));
        var lines = await File.ReadAllLinesAsync(Path.Combine(directory, "journal.jsonl"), Token);
        for (var cut = 0; cut < lines.Length; cut += 3)
        {
            // Half a line at the end: what a crash leaves.
            await File.WriteAllTextAsync(Path.Combine(directory, "journal.jsonl"), string.Concat(lines[..cut].Select(line => line + "\n")) + lines[cut][..(lines[cut].Length / 2)], Token);
            var lab = NewLab();
            var resumed = await CompileAsync(lab, Settings() with { RunDirectory = directory, Resume = true });
            Assert.Equal(expected, Lab.Evidence(resumed));
            Assert.Equal(whole.Calls.Count - lines[..cut].Count(line => line.StartsWith("{\"unit\"", StringComparison.Ordinal)), lab.Calls.Count);
        }
    }

    [Fact]
    public async Task A_larger_budget_continues_a_run_where_a_smaller_one_ended_it()
    {
        var whole = NewLab();
        var expected = Lab.Evidence(await CompileAsync(whole, Settings()));
        var calls = 0;
        OptimizationResult<FieldMap, FieldMap>? last = null;
        for (var runs = 5; last?.StopReason != StopReason.Completed; runs += 7)
        {
            var lab = NewLab();
            last = await CompileAsync(lab, Settings() with { RunDirectory = directory, Resume = true, Budget = new() { MaxProgramRuns = runs } });
            calls += lab.Calls.Count;
        }

        Assert.Equal(expected, Lab.Evidence(last));
        Assert.Equal(whole.Calls.Count, calls);
    }

    [Fact]
    public async Task Other_settings_or_data_do_not_resume_a_run()
    {
        await CompileAsync(NewLab(), Settings() with { RunDirectory = directory });
        await Assert.ThrowsAsync<HoneException>(() => CompileAsync(NewLab(), Settings() with { RunDirectory = directory }));
        var error = await Assert.ThrowsAsync<HoneException>(() => CompileAsync(NewLab(), Settings() with { RunDirectory = directory, Resume = true, Seed = 7 }));
        Assert.Contains("other options", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<HoneException>(() =>
            Optimizer(Settings() with { RunDirectory = directory, Resume = true }).CompileAsync(NewLab().One(), Lab.Examples(5), Lab.Examples(7, "v"), Token));
        Assert.Contains("other data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_returns_the_best_so_far_and_cancelling_throws()
    {
        foreach (var isStop in new[] { true, false })
        {
            using var source = new CancellationTokenSource();
            var count = 0;
            var lab = new Lab(call =>
            {
                if (Interlocked.Increment(ref count) == 20)
                    source.Cancel();
                return Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question);
            });
            var options = Settings() with { MaxParallelism = 1 };
            if (isStop)
            {
                var result = await Optimizer(options with { Stop = source.Token }).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
                Assert.Equal(StopReason.Requested, result.StopReason);
                Assert.Equal(result.Candidates.Max(candidate => candidate.Score), result.BestScore);
                Assert.Equal(20, result.ProgramRuns); // Those of the wave that were not begun are not among them.
            }
            else
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Optimizer(options).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), source.Token));
            }

            Assert.Equal(20, count);
        }
    }

    [Fact]
    public async Task A_file_named_stop_ends_the_run()
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "stop"), "", Token);
        var lab = NewLab();
        var result = await CompileAsync(lab, Settings() with { RunDirectory = directory });
        Assert.Equal(StopReason.Requested, result.StopReason);
        Assert.Empty(lab.Calls);
    }

    [Fact]
    public async Task An_outage_is_waited_for_and_is_never_a_score()
    {
        var time = new FakeTimeProvider();
        var failures = 2;
        var lab = new Lab(call => call.Question == "v3" && Interlocked.Decrement(ref failures) >= 0
            ? throw new LMServerException("overloaded")
            : Lab.AnswerIf(true, call.Question));
        var result = await Advancing(time, CompileAsync(lab, Settings() with { Time = time, MaxParallelism = 1 }));
        Assert.Equal(1, result.BaselineScore);
        Assert.Equal(2, result.Warnings.Length);

        failures = int.MaxValue;
        result = await Advancing(time, CompileAsync(lab, Settings() with { Time = time }));
        Assert.Equal(StopReason.Outage, result.StopReason);
        Assert.Contains("overloaded", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Candidates);
    }

    [Fact]
    public async Task Wrong_credentials_end_the_run_with_their_error()
    {
        var lab = new Lab(_ => throw new LMAuthException("no such key"));
        await Assert.ThrowsAsync<LMAuthException>(() => CompileAsync(lab, Settings()));
    }

    [Fact]
    public async Task A_program_that_fails_everywhere_is_an_error_and_not_a_score()
    {
        var lab = new Lab(_ => throw new InvalidOperationException("broken"));
        var error = await Assert.ThrowsAsync<HoneException>(() => CompileAsync(lab, Settings()));
        Assert.Contains("broken", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_metric_that_throws_names_the_example()
    {
        var lab = NewLab();
        Metric<FieldMap, FieldMap> metric = (example, prediction, _) => example.Id == "v2" ? throw new FormatException("not a number") : ValueTask.FromResult<Score>(0.5);
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(metric, Settings()).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.Equal("The metric failed on example v2: not a number", Assert.Single(result.Warnings));
    }

    [Fact]
    public async Task The_estimate_covers_what_is_spent()
    {
        var lab = NewLab();
        var optimizer = Optimizer(Settings());
        var estimate = optimizer.Estimate(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"));
        var result = await optimizer.CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.InRange(result.ProgramRuns, 1, estimate.ProgramRuns);
        Assert.InRange(lab.Calls.Count, 1, estimate.Calls);
    }

    [Fact]
    public async Task A_test_set_is_compared_but_chooses_nothing()
    {
        var lab = NewLab();
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, Settings())
        {
            Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
            Test = Lab.Examples(3, "t"),
        }
            .CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.Equal((0, 1), (result.Test!.Baseline, result.Test.Candidate));
    }

    [Fact]
    public async Task Without_a_validation_set_a_part_of_the_training_set_chooses()
    {
        var lab = NewLab();
        var result = await Optimizer(Settings()).CompileAsync(lab.One(), Lab.Examples(8), cancellationToken: Token);
        Assert.Equal(4, result.Candidates[0].Scores.Length);
        Assert.Contains(result.Warnings, warning => warning.Contains("4 of the 8", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Listeners_hear_everything_in_order_and_disturb_nothing()
    {
        var heard = new List<OptimizerEvent>();
        var tracker = new Recorder();
        var result = await CompileAsync(NewLab(), Settings() with { Progress = new Listener(heard), Trackers = [new Broken(), tracker] });
        Assert.IsType<OptimizerStarted>(heard[0]);
        Assert.IsType<OptimizerFinished>(heard[^1]);
        Assert.Equal(result.Candidates.Length, heard.OfType<CandidateScored>().Count());
        Assert.Equal(heard.Where(happened => happened is not OptimizerProgress), tracker.Heard);
    }

    private static BootstrapRandomSearchOptions Settings() => new() { Candidates = 4, MaxLabeledDemos = 0, MaxBootstrappedDemos = 6, MaxErrors = 1000 };

    private static BootstrapRandomSearch<FieldMap, FieldMap> Optimizer(BootstrapRandomSearchOptions options) =>
        new(Lab.Exact, options) { Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true) };

    private static Task<OptimizationResult<FieldMap, FieldMap>> CompileAsync(Lab lab, BootstrapRandomSearchOptions options) =>
        Optimizer(options).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);

    // The wait before a further attempt is over as soon as somebody waits.
    private static async Task<T> Advancing<T>(FakeTimeProvider time, Task<T> work)
    {
        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        return await work;
    }

    private static OptimizationBudget OptimizationBudgetOf(string role, CallBudgetLimits limits) => new() { ByRole = new OptimizationBudget().ByRole.Add(role, limits) };

    private sealed class Swallowing : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = Predict.Parse("question -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            try
            {
                return await ans.CallAsync(input, cancellationToken);
            }
            catch (HoneException)
            {
                return Lab.Answer("swallowed");
            }
        }
    }

    private sealed class Listener(List<OptimizerEvent> heard) : IProgress<OptimizerEvent>
    {
        public void Report(OptimizerEvent value)
        {
            lock (heard)
                heard.Add(value);
        }
    }

    private sealed class Recorder : IOptimizationTracker
    {
        public List<OptimizerEvent> Heard { get; } = [];

        public ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default)
        {
            Heard.Add(happened);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Broken : IOptimizationTracker
    {
        public ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default) => throw new InvalidOperationException("no room");
    }

    [Fact]
    public async Task LoadAsync_NoFinishedRun_NamesTheFile()
    {
        var directory = Directory.CreateTempSubdirectory("hone-result-").FullName;
        var program = new Lab(call => Lab.Answer("x")).One();
        var error = await Assert.ThrowsAsync<HoneException>(() => OptimizationResult.LoadAsync(directory, program, TestContext.Current.CancellationToken));
        Assert.Contains("result.json", error.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(directory, "result.json"), "{}", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, "best.json"), program.SaveState(), TestContext.Current.CancellationToken);
        error = await Assert.ThrowsAsync<HoneException>(() => OptimizationResult.LoadAsync(directory, program, TestContext.Current.CancellationToken));
        Assert.Contains("not a result", error.Message, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }
}
