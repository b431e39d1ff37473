using System.Collections.Immutable;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Choices that a caller can replace, limits by role, and what is told on the way.</summary>
public sealed class GepaStrategyTests
{
    [Fact]
    public async Task Strategies_of_ones_own_are_asked()
    {
        var (lab, log) = (GepaWorld.Pair(), new EventLog());
        var options = new GepaOptions
        {
            MaxMetricCalls = 80,
            ParentSelector = new First(),
            ComponentSelector = new Only("p2"),
            Acceptance = new Never(),
            Progress = log,
        };
        var result = await Run(lab, options);
        Assert.Single(result.Candidates);
        Assert.All(log.Of<GepaMinibatchSampled>(), sampled => Assert.Equal(0, sampled.Parent));
        Assert.All(log.Of<GepaRecordsBuilt>(), built => Assert.Equal("p2", built.Data.Component));
        Assert.All(log.Of<ProposalJudged>(), judged => Assert.Equal("not today", judged.Reason));
        Assert.NotEmpty(log.Of<ProposalJudged>());
        Assert.Contains("p1, p2", (await Assert.ThrowsAsync<HoneException>(() => Run(lab, options with { ComponentSelector = new Only("p3") }))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HoneException>(() => Run(lab, options with { ParentSelector = new First(7) }));
    }

    [Theory]
    [InlineData(null, 4)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public async Task Only_the_best_changes_of_an_iteration_are_scored_when_asked_for(int? most, int expected)
    {
        var log = new EventLog();
        var lab = GepaWorld.Keywords();
        var result = await new Gepa<FieldMap, FieldMap>(
            GepaWorld.Named, new() { MaxMetricCalls = 100, Sampling = new(1, 4), Selection = new(most), StopWhen = StopConditions.Candidates(2), Progress = log })
            .CompileAsync(lab.One(), GepaWorld.Words(GepaWorld.EightWords), GepaWorld.Words(GepaWorld.EightWords), GepaWorld.Token);
        Assert.InRange(result.Candidates.Length - 1, 1, expected);
        Assert.Equal(result.Candidates.Length - 1, log.Of<ProposalJudged>().Count(judged => judged.IsAccepted));
    }

    [Fact]
    public async Task Reflection_has_a_limit_of_its_own()
    {
        for (var most = 0; most < 4; most++)
        {
            var lab = GepaWorld.Keywords(_ => "useless");
            var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new()
            {
                MaxMetricCalls = 200,
                Budget = new() { ByRole = ImmutableSortedDictionary<string, CallBudgetLimits>.Empty.Add("reflection", new() { MaxCalls = most }) },
            }).CompileAsync(lab.One(), GepaWorld.Words("A", "B", "C"), GepaWorld.Words("D"), GepaWorld.Token);
            Assert.Equal((StopReason.CallBudget, most), (result.StopReason, GepaWorld.Reflections(lab)));
        }
    }

    // A minibatch of one is easily misled; further examples are not.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Further_examples_confirm_what_a_minibatch_accepts(int parallelism)
    {
        // The change helps with A alone and spoils every other example.
        Lab NewLab() => new(call => call.Role == "reflection" ? GepaWorld.Reply("NARROW") : Lab.Answer(call.Has("NARROW") == (call.Question == "A") ? "ok" : "no"));
        var (plain, log) = (new EventLog(), new EventLog());
        var train = GepaWorld.Words("A", "B", "C", "D", "E");
        var options = new GepaOptions { MaxMetricCalls = 60, MinibatchSize = 1, MaxParallelism = parallelism, PerfectScore = null };
        var without = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, options with { Progress = plain }).CompileAsync(NewLab().One(), train, GepaWorld.Words("F", "G"), GepaWorld.Token);
        Assert.Contains(plain.Of<ProposalJudged>(), judged => judged.IsAccepted);
        Assert.Equal(2, without.Candidates.Length);

        var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, options with { Progress = log, ConfirmationExamples = 3 }).CompileAsync(NewLab().One(), train, GepaWorld.Words("F", "G"), GepaWorld.Token);
        Assert.Single(result.Candidates);
        Assert.Contains(log.Of<ProposalJudged>(), judged => judged.Reason.Contains("with 3 further examples", StringComparison.Ordinal));
        Assert.True(result.MetricCalls <= 60);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GepaOptions { ConfirmationExamples = -1 });
    }

    // What is surely worse is dropped after a part of the validation set; what is better is scored on all of it.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task A_change_that_is_surely_worse_is_dropped_early(int parallelism)
    {
        Lab NewLab() => new(call => call.Role == "reflection" ? GepaWorld.Reply(call.Sample % 4 == 0 ? "GOOD" : "NARROW")
            : Lab.Answer(call.Has("GOOD") || (call.Has("NARROW") ? call.Question[0] == 'T' : call.Question[0] == 'V') ? "ok" : "no"));
        string[] words = [.. Enumerable.Range(0, 20).Select(i => i < 14 ? $"V{i}" : $"X{i}")];
        var log = new EventLog();
        var options = new GepaOptions { MaxMetricCalls = 120, ValidationSlice = 5, MaxParallelism = parallelism, Progress = log };
        var lab = NewLab();
        var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, options).CompileAsync(lab.One(), GepaWorld.Words("T1", "T2", "T3", "T4"), GepaWorld.Words(words), GepaWorld.Token);
        var droppedAfter = Assert.Single(log.Of<GepaCandidateDropped>().Select(dropped => dropped.Examples).Distinct());
        Assert.Equal(5, droppedAfter);
        Assert.All(log.Of<GepaCandidateDropped>(), dropped => Assert.True(dropped.Score < dropped.Best));
        Assert.Equal(["GOOD"], result.Candidates.Skip(1).Select(candidate => candidate.State["ans"].Instructions));
        Assert.All(result.Candidates, candidate => Assert.Equal(20, candidate.Scores.Length));
        Assert.Equal(1, result.BestScore);
        Assert.Equal(5, lab.Calls.Count(call => call.Has("NARROW") && call.Question[0] is 'V' or 'X'));
        Assert.Equal(result.DiscoveredAt.Order(), result.DiscoveredAt);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GepaOptions { ValidationSlice = 4 });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_text_keeps_its_placeholders_when_asked_to(bool keeps)
    {
        var log = new EventLog();
        var lab = new Lab(call => call.Role == "reflection" ? GepaWorld.Reply(call.Sample % 2 == 0 ? "ALPHA" : "ALPHA for {city}") : Lab.Answer(call.Has("ALPHA") ? "ok" : "no"));
        var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 30, KeepPlaceholders = keeps, Progress = log })
            .CompileAsync(lab.One("base for {city}, {\"json\": 1}"), GepaWorld.Words("A"), GepaWorld.Words("B"), GepaWorld.Token);

        // The first proposal lacks it and is asked for once more.
        Assert.Equal(keeps ? "ALPHA for {city}" : "ALPHA", result.Program.State["ans"].Instructions);
        Assert.Equal(keeps ? 2 : 1, GepaWorld.Reflections(lab));

        lab = new Lab(call => call.Role == "reflection" ? GepaWorld.Reply("ALPHA") : Lab.Answer(call.Has("ALPHA") ? "ok" : "no"));
        result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 12, KeepPlaceholders = keeps, Progress = log })
            .CompileAsync(lab.One("base for {city}"), GepaWorld.Words("A"), GepaWorld.Words("B"), GepaWorld.Token);
        Assert.Equal(keeps ? 1 : 2, result.Candidates.Length);
        Assert.Equal(keeps, log.Of<TextProposed>().Any(proposed => proposed.Error?.Contains("lacks the placeholder {city}", StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task A_front_says_who_is_best_at_nothing_any_more()
    {
        var log = new EventLog();
        var examples = GepaWorld.Words("A", "B", "C");
        await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 40, Progress = log, PerfectScore = null }).CompileAsync(GepaWorld.Keywords().One(), examples, examples, GepaWorld.Token);
        Assert.Empty(log.Of<ParetoFrontChanged>()[0].Displaced);
        Assert.Equal([0], log.Of<ParetoFrontChanged>()[1].Displaced);
        var started = log.Of<GepaIterationStarted>().Select(happened => happened.Iteration);
        Assert.Equal(started, log.Of<GepaIterationFinished>().Select(happened => happened.Iteration));
        Assert.Equal((2, 1), (log.Of<GepaIterationFinished>()[^1].Candidates, log.Of<GepaIterationFinished>()[^1].Best));
    }

    [Fact]
    public async Task What_happens_is_told_in_order()
    {
        var (lab, log) = (GepaWorld.Keywords(), new EventLog());
        var examples = GepaWorld.Words("A", "B", "C");
        await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 12, Progress = log }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal(
            [
                nameof(OptimizerStarted), nameof(OptimizerWarning), nameof(WorkStarted), nameof(CandidateScored), nameof(ParetoFrontChanged),
                nameof(GepaIterationStarted), nameof(GepaMinibatchSampled), nameof(WorkStarted), nameof(GepaRecordsBuilt), nameof(WorkStarted), nameof(TextProposed),
                nameof(WorkStarted), nameof(CandidateSampled), nameof(ProposalJudged), nameof(WorkStarted), nameof(CandidateScored), nameof(OptimizerFinished),
            ],
            log.Of<OptimizerEvent>().Where(happened => happened is not (OptimizerProgress or OptimizerSpent)).Select(happened => happened.GetType().Name));
        Assert.Equal((3, 9), (log.Of<GepaIterationStarted>()[0].MetricCalls, log.Of<GepaIterationStarted>()[0].Remaining));
    }

    [Fact]
    public async Task A_perfect_minibatch_is_skipped_and_a_small_budget_is_told()
    {
        var (lab, log) = (GepaWorld.Keywords(), new EventLog());
        var result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 30, Progress = log })
            .CompileAsync(lab.One("base A"), GepaWorld.Words("A"), GepaWorld.Words("B"), GepaWorld.Token);
        Assert.NotEmpty(log.Of<GepaTaskSkipped>());
        Assert.Equal(0, GepaWorld.Reflections(lab));
        Assert.Equal(2, result.ProgramRuns);

        result = await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 4 })
            .CompileAsync(lab.One(), GepaWorld.Words("A"), GepaWorld.Words("B"), GepaWorld.Token);
        Assert.Contains(result.Warnings, warning => warning.Contains("does not pay for one iteration", StringComparison.Ordinal));
    }

    private static Task<GepaResult<FieldMap, FieldMap>> Run(Lab lab, GepaOptions options) => new Gepa<FieldMap, FieldMap>(
        Metric.From<FieldMap, FieldMap>((_, output) => new Score(true.Equals(output["p2"]) ? 1 : 0) { Feedback = "NEED:BETA" }), options)
        .CompileAsync(GepaWorld.PairOn(lab), GepaWorld.Words("a", "b", "c"), GepaWorld.Words("d", "e"), GepaWorld.Token);

    private sealed class First(int candidate = 0) : IParentSelector
    {
        public string Name => "first";

        public int Select(GepaPool pool, Random random) => candidate;
    }

    private sealed class Only(string component) : IComponentSelector
    {
        public string Name => component;

        public ImmutableArray<string> Select(ComponentChoice choice, Random random)
        {
            Assert.Equal(3, choice.Scores.Length);
            return [component];
        }
    }

    private sealed class Never : IAcceptanceCriterion
    {
        public string Name => "never";

        public string? Reject(ProposalScores scores) => "not today";
    }
}
