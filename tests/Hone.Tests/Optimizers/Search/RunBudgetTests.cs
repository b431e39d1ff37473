using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Search;

/// <summary>What a run may spend over all of its resumptions, what it is estimated to, and what is set aside for the test set.</summary>
public sealed class RunBudgetTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-budget-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void Negative_limits_are_refused()
    {
        Assert.Contains("MaxCalls must not be negative", Assert.Throws<ArgumentOutOfRangeException>(() => new OptimizationBudget { MaxCalls = -5 }).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new OptimizationBudget { MaxCost = -0.01m });
        Assert.Throws<ArgumentOutOfRangeException>(() => new OptimizationBudget { MaxDuration = TimeSpan.FromSeconds(-1) });
        Assert.Equal(0, new OptimizationBudget { MaxProgramRuns = 0 }.MaxProgramRuns);
    }

    // A program of two steps can be cut between them: the first call is paid, and the run is not known.
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Calls_of_a_run_that_a_budget_cut_in_half_count_when_it_goes_on(int parallelism)
    {
        var (unbroken, whole) = await CompileAsync(Two(), null, parallelism, null);
        for (var most = 1; most < whole; most += 6)
        {
            var folder = Path.Combine(directory, $"{most}");
            var first = await CompileAsync(Two(), folder, parallelism, most);
            Assert.InRange(first.Calls, 1, most);
            var same = await CompileAsync(Two(), folder, parallelism, most);
            Assert.InRange(first.Calls + same.Calls, 1, most);

            // A larger budget covers all that was ever paid.
            var more = await CompileAsync(Two(), folder, parallelism, most + 9);
            Assert.InRange(first.Calls + same.Calls + more.Calls, 1, most + 9);
            var rest = await CompileAsync(Two(), folder, parallelism, null);
            Assert.Equal(Lab.Evidence(unbroken), Lab.Evidence(rest.Result));
            Assert.InRange(first.Calls + same.Calls + more.Calls + rest.Calls, whole, whole + (3 * parallelism));
        }
    }

    /// <summary>A test that would take most of the budget has what is left: a search is not kept from searching.</summary>
    [Fact]
    public async Task A_large_test_set_leaves_a_small_budget_to_the_search()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length >= call.Question[^1] - '0', call.Question));
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 9, MaxErrors = 100, Budget = new() { MaxCalls = 20 } })
        {
            Test = Lab.Examples(9, "t"),
        }
            .CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
        Assert.Equal(StopReason.CallBudget, result.StopReason);
        Assert.Null(result.Test);
        Assert.InRange(lab.Calls.Count(call => call.Question[0] != 't'), 14, 20);
    }

    [Fact]
    public async Task The_test_set_is_scored_although_the_budget_is_spent()
    {
        foreach (var budget in new OptimizationBudget[] { new() { MaxProgramRuns = 40 }, new() { MaxCalls = 40 }, Role("task", 40) })
        {
            var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length >= call.Question[^1] - '0', call.Question));
            var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 9, MaxLabeledDemos = 0, MaxBootstrappedDemos = 6, MaxErrors = 100, Budget = budget })
            {
                Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
                Test = Lab.Examples(5, "t"),
            }
                .CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
            Assert.True(result.StopReason is StopReason.ProgramRunBudget or StopReason.CallBudget);
            Assert.NotNull(result.Test);
            Assert.InRange(lab.Calls.Count, 1, 40);
            Assert.Equal(5, lab.Calls.Where(call => call.Question[0] == 't').Select(call => call.Question).Distinct().Count());
        }

        static OptimizationBudget Role(string role, int calls) => new() { ByRole = new OptimizationBudget().ByRole.Add(role, new() { MaxCalls = calls }) };
    }

    [Fact]
    public async Task An_estimate_covers_the_test_set_and_tells_roles_apart()
    {
        var lab = new Lab(call => call.Role == "prompt" ? FieldMap.Of(("proposed_instructions", "say ALPHA"), ("observations", "none"), ("description", "none")) : Lab.AnswerIf(call.Has("ALPHA"), call.Question));
        var teacher = lab.One().WithModel(lab.Model with { Role = "teacher" });
        var optimizer = new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { Auto = null, Candidates = 2, Trials = 3, Minibatch = false, MaxErrors = 100 })
        {
            Teacher = teacher,
            Test = Lab.Examples(4, "t"),
        };
        var estimate = optimizer.Estimate(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"));
        Assert.Equal(8, estimate.TestRuns);
        Assert.Equal(["prompt", "task", "teacher"], estimate.CallsByRole.Keys);
        Assert.Equal(estimate.Calls, estimate.CallsByRole.Values.Sum());
        Assert.Equal(4, estimate.CallsByRole["teacher"]);
        Assert.Contains("teacher 4", estimate.ToString(), StringComparison.Ordinal);
        var result = await optimizer.CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.InRange(result.ProgramRuns, 1, estimate.ProgramRuns);
        foreach (var (role, usage) in result.UsageByRole)
            Assert.InRange(usage.Calls, 1, estimate.CallsByRole[role]);

        var agent = new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { CallsPerRun = 7 }).Estimate(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"));
        Assert.Equal((7, 42), (agent.CallsPerRun, agent.Calls));
    }

    // Every call takes a second.
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public async Task Time_is_limited_over_all_resumptions_and_the_best_so_far_is_returned(int parallelism)
    {
        var time = new FakeTimeProvider();
        var calls = 0;
        OptimizationResult<FieldMap, FieldMap>? last = null;
        for (var seconds = 10; last?.StopReason is null or StopReason.TimeBudget; seconds += 15)
        {
            var lab = Ticking();
            last = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, Options() with { RunDirectory = directory, Resume = true, Budget = new() { MaxDuration = TimeSpan.FromSeconds(seconds) } })
                .CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(5, "v"), Token);
            calls += lab.Calls.Count;

            // What has begun in time is waited for: it is paid.
            Assert.InRange(calls, 1, seconds + parallelism);
            Assert.True(last.BestScore is null || last.BestScore >= last.BaselineScore);
        }

        var whole = Ticking();
        var expected = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, Options()).CompileAsync(whole.One(), Lab.Examples(6), Lab.Examples(5, "v"), Token);
        Assert.Equal(Lab.Evidence(expected), Lab.Evidence(last));
        Assert.Equal(whole.Calls.Count, calls);

        Lab Ticking() => new(call =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Lab.AnswerIf(call.Demos.Length >= call.Question[^1] - '0', call.Question);
        });

        BootstrapRandomSearchOptions Options() => new() { Candidates = 5, PerfectScore = null, Time = time, MaxParallelism = parallelism };
    }

    // The first step takes all of it: what it has found by then is scored and returned.
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public async Task The_budget_of_a_sequence_ends_its_steps(int parallelism)
    {
        for (var most = 0; most <= 80; most += 8)
        {
            var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length >= call.Question[^1] - '0', call.Question));
            var step = new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 9, PerfectScore = null, MaxParallelism = parallelism });
            var result = await new BetterTogether<FieldMap, FieldMap>(
                Lab.Exact,
                new Dictionary<string, IOptimizer<FieldMap, FieldMap>> { ["p"] = step },
                new() { Strategy = "p -> p", PerfectScore = null, MaxParallelism = parallelism, Budget = new() { MaxCalls = most } }).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(5, "v"), Token);
            Assert.InRange(lab.Calls.Count, 0, most);
            Assert.Equal(StopReason.CallBudget, result.StopReason);

            // From two passes over the validation set and a few runs on, the step has something to show, and there is enough left to score it.
            if (most >= 32)
                Assert.True(result.BestScore > result.BaselineScore, $"{most} calls: {result.BestScore}");
        }
    }

    private static Lab Two() => new(call => call.Path == "hint" ? FieldMap.Of(("hint", "h")) : Lab.AnswerIf(call.Demos.Length > 1, call.Question));

    private static async Task<(OptimizationResult<FieldMap, FieldMap> Result, int Calls)> CompileAsync(Lab lab, string? folder, int parallelism, int? most)
    {
        var options = new BootstrapRandomSearchOptions
        {
            Candidates = 2,
            MaxLabeledDemos = 0,
            MaxErrors = 100,
            MaxParallelism = parallelism,
            RunDirectory = folder,
            Resume = folder is not null,
            Budget = new() { MaxCalls = most },
        };
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, options) { Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true) }
            .CompileAsync(lab.Two(), Lab.Examples(4), Lab.Examples(4, "v"), Token);
        return (result, lab.Calls.Count);
    }
}
