using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Scenario GEPA-13, budgets, stopping and what is left behind.</summary>
public sealed class GepaResumeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-gepa-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // GEPA-13: the reference really makes 108 evaluations while it reports 100.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Gepa13_A_search_goes_on_where_its_budget_ended(int parallelism)
    {
        var (whole, unbroken) = await Run(new() { MaxMetricCalls = 100, TargetScore = null, PerfectScore = null, MaxParallelism = 1 });
        var lab = GepaWorld.Keywords();
        var options = new GepaOptions { MaxMetricCalls = 20, PerfectScore = null, RunDirectory = Path.Combine(folder, "run"), Resume = true, MaxParallelism = parallelism };
        var (_, first) = await Run(options, lab);
        var (_, second) = await Run(options with { MaxMetricCalls = 100 }, lab);
        Assert.True(first.MetricCalls <= 20);
        Assert.InRange(second.MetricCalls, 80, 100);
        Assert.Equal(GepaWorld.Evidence(unbroken), GepaWorld.Evidence(second));
        Assert.Equal(whole.Calls.Count, lab.Calls.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Gepa13_Cut_anywhere_nothing_is_paid_twice(int parallelism)
    {
        foreach (var sampling in (GepaSampling[])[GepaSampling.Single, GepaSampling.Independent(2)])
        {
            var basis = new GepaOptions { MaxMetricCalls = 150, Sampling = sampling, MaxParallelism = parallelism };
            var (whole, unbroken) = await Conflicting(basis, null);
            for (var seed = 1; !unbroken.Candidates.Any(candidate => candidate.Parents.Length == 2) && seed < 40; seed++)
                (whole, unbroken) = await Conflicting(basis = basis with { Seed = seed }, null);
            Assert.Contains(unbroken.Candidates, candidate => candidate.Parents.Length == 2);
            var lab = GepaWorld.Pair();
            var directory = Path.Combine(folder, $"{sampling.Parents}");
            GepaResult<FieldMap, FieldMap>? result = null;

            for (var cut = 1; cut <= 50; cut++)
            {
                var options = basis with { RunDirectory = directory, Resume = true, Budget = new() { MaxProgramRuns = cut } };
                result = (await Conflicting(options, lab)).Result;
                Assert.True(result.ProgramRuns <= cut);
            }

            result = (await Conflicting(basis with { RunDirectory = directory, Resume = true }, lab)).Result;
            Assert.Equal(GepaWorld.Evidence(unbroken), GepaWorld.Evidence(result));
            Assert.Equal(whole.Calls.Count, lab.Calls.Count);
        }
    }

    // Cut by calls, so that reflections are cut, too.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Gepa13_Cut_after_every_call_nothing_is_paid_twice(int parallelism)
    {
        var basis = new GepaOptions { MaxMetricCalls = 100, MaxParallelism = parallelism };
        var (whole, unbroken) = await Run(basis);
        var lab = GepaWorld.Keywords();
        var options = basis with { RunDirectory = Path.Combine(folder, "calls"), Resume = true };
        for (var cut = 1; cut < whole.Calls.Count; cut++)
        {
            await Run(options with { Budget = new() { MaxCalls = cut } }, lab);
            Assert.Equal(cut, lab.Calls.Count);
        }

        Assert.Equal(GepaWorld.Evidence(unbroken), GepaWorld.Evidence((await Run(options, lab)).Result));
        Assert.Equal(whole.Calls.Count, lab.Calls.Count);
    }

    //
    [Fact]
    public async Task No_budget_is_ever_exceeded_and_more_never_makes_worse()
    {
        var best = double.NegativeInfinity;
        for (var budget = 1; budget <= 80; budget++)
        {
            var (lab, result) = await Run(new() { MaxMetricCalls = budget });
            Assert.True(result.MetricCalls <= budget);
            Assert.True(result.ProgramRuns <= result.MetricCalls);
            Assert.Equal(result.ProgramRuns, lab.Calls.Count(call => call.Role == "task"));
            if (result.BestScore is { } score)
                Assert.True(score >= best);
            best = result.BestScore ?? best;
            Assert.Equal(budget < 8, result.Candidates.IsEmpty);
        }

        for (var budget = 0; budget <= 60; budget++)
        {
            var (lab, result) = await Run(new() { MaxMetricCalls = 100, Budget = new() { MaxCalls = budget } });
            Assert.True(lab.Calls.Count <= budget);
            Assert.NotNull(result.Program);
        }
    }

    [Fact]
    public async Task A_replay_makes_no_call_and_gives_the_same_result()
    {
        var options = new GepaOptions { MaxMetricCalls = 100, RunDirectory = Path.Combine(folder, "replay"), Resume = true, Time = new FakeTimeProvider() };
        var (_, first) = await Run(options);
        var written = await File.ReadAllTextAsync(Path.Combine(folder, "replay", "result.json"), GepaWorld.Token);
        var lab = new Lab(_ => throw new InvalidOperationException("No call is needed."));
        var (_, second) = await Run(options, lab);
        Assert.Empty(lab.Calls);
        Assert.Equal(GepaWorld.Evidence(first), GepaWorld.Evidence(second));
        Assert.Equal(written, await File.ReadAllTextAsync(Path.Combine(folder, "replay", "result.json"), GepaWorld.Token));
        Assert.Contains("\"parents\": [\n        0\n      ]", written.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("\"iteration\": \"1\"", written, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HoneException>(() => Run(options with { MinibatchSize = 4 }));
    }

    [Fact]
    public async Task What_a_run_costs_is_estimated_from_above()
    {
        foreach (var options in (GepaOptions[])
        [
            new() { MaxMetricCalls = 60 }, new() { MaxMetricCalls = 100, ComponentSelector = ComponentSelectors.All },
            new() { MaxMetricCalls = 150, Sampling = new(2, 2) }, new() { MaxFullEvaluations = 3, MinibatchSize = 6, Reflection = ReflectionMode.MapReduce },
            new() { Auto = GepaBudgetSize.Light },
        ])
        {
            var lab = GepaWorld.Keywords(_ => "useless");
            var (train, validation) = (GepaWorld.Words(GepaWorld.EightWords), GepaWorld.Words(GepaWorld.EightWords[..6]));
            var optimizer = new Gepa<FieldMap, FieldMap>(GepaWorld.Named, options);
            var estimate = optimizer.Estimate(lab.One(), train, validation);
            var result = await optimizer.CompileAsync(lab.One(), train, validation, GepaWorld.Token);
            Assert.True(result.ProgramRuns <= estimate.ProgramRuns);
            Assert.True(GepaWorld.Reflections(lab) <= estimate.ProposalCalls, $"{GepaWorld.Reflections(lab)} of {estimate.ProposalCalls}");
        }
    }

    //
    [Fact]
    public async Task A_stop_returns_the_best_so_far()
    {
        using var stop = new CancellationTokenSource();
        var lab = GepaWorld.Keywords(call =>
        {
            if (call.Text("current_instruction") != "base")
                stop.Cancel();
            return GepaWorld.Learn(call);
        });
        var (_, result) = await Run(new() { MaxMetricCalls = 300, Stop = stop.Token }, lab);
        Assert.Equal(StopReason.Requested, result.StopReason);
        Assert.True(result.Candidates.Length > 1);
        Assert.True(result.BestScore > result.BaselineScore);
    }

    [Theory]
    [InlineData("proposals", 1)]
    [InlineData("candidates", 2)]
    [InlineData("score", 2)]
    public async Task Stop_conditions_end_the_search(string kind, int candidates)
    {
        var condition = kind switch
        {
            "proposals" => StopConditions.Proposals(0),
            "candidates" => StopConditions.Candidates(2),
            _ => StopConditions.Score(0.1),
        };
        var (_, result) = await Run(new() { MaxMetricCalls = 300, StopWhen = condition });
        Assert.Equal(candidates, result.Candidates.Length);
        Assert.Equal(kind == "score" ? StopReason.TargetReached : StopReason.Completed, result.StopReason);
    }

    [Fact]
    public async Task Without_a_better_candidate_for_long_the_search_ends()
    {
        var (_, result) = await Run(new() { MaxMetricCalls = 300, StopWhen = StopConditions.NoImprovement(3) }, GepaWorld.Keywords(_ => "useless"));
        Assert.Equal((StopReason.NoImprovement, 3), (result.StopReason, result.Iterations));
    }

    [Fact]
    public async Task A_result_says_what_each_candidate_is_best_at()
    {
        var (_, result) = await Run(new() { MaxMetricCalls = 120 });
        Assert.Equal(8, result.BestByExample.Length);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(result.Candidates.Max(candidate => candidate.Scores[i]), result.HighestScores[i]);
            Assert.All(result.BestByExample[i], candidate => Assert.Equal(result.HighestScores[i], result.Candidates[candidate].Scores[i]));
        }

        Assert.Equal(result.Candidates.Length, result.DiscoveredAt.Length);
        Assert.Equal(result.DiscoveredAt.Order(), result.DiscoveredAt);
        Assert.All(result.Candidates.Skip(1), candidate => Assert.All(candidate.Parents, parent => Assert.True(parent < candidate.Index)));
        Assert.Empty(result.BestOutputs);
    }

    private static async Task<(Lab Lab, GepaResult<FieldMap, FieldMap> Result)> Run(GepaOptions options, Lab? lab = null)
    {
        lab ??= GepaWorld.Keywords();
        var train = GepaWorld.Words([.. GepaWorld.EightWords, .. GepaWorld.EightWords, .. GepaWorld.EightWords]);
        return (lab, await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, options).CompileAsync(lab.One(), train, GepaWorld.Words(GepaWorld.EightWords), GepaWorld.Token));
    }

    // A search with merges: see GEPA-8.
    private static async Task<(Lab Lab, GepaResult<FieldMap, FieldMap> Result)> Conflicting(GepaOptions options, Lab? lab)
    {
        lab ??= GepaWorld.Pair();
        var metric = Metric.From<FieldMap, FieldMap>((example, output) =>
        {
            var (p1, p2) = (true.Equals(output["p1"]), true.Equals(output["p2"]));
            var kind = ((string)example.Input["question"]!)[0];
            var solved = kind switch { 'A' => p1, 'B' => p2, 'C' => !p1, _ => !p2 };
            return new Score(solved ? 1 : 0) { Feedback = solved ? "fine" : kind == 'A' ? "NEED:ALPHA" : kind == 'B' ? "NEED:BETA" : "no idea" };
        });
        return (lab, await new Gepa<FieldMap, FieldMap>(metric, options).CompileAsync(
            GepaWorld.PairOn(lab), GepaWorld.Words("A1", "A2", "A3", "B1", "B2", "B3"), GepaWorld.Words("A1", "A2", "B1", "B2", "C1", "D1"), GepaWorld.Token));
    }
}
