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

    [Fact]
    public async Task What_happens_is_told_in_order()
    {
        var (lab, log) = (GepaWorld.Keywords(), new EventLog());
        var examples = GepaWorld.Words("A", "B", "C");
        await new Gepa<FieldMap, FieldMap>(GepaWorld.Named, new() { MaxMetricCalls = 12, Progress = log }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal(
            [
                nameof(OptimizerStarted), nameof(OptimizerWarning), nameof(CandidateScored), nameof(ParetoFrontChanged), nameof(GepaIterationStarted),
                nameof(GepaMinibatchSampled), nameof(GepaRecordsBuilt), nameof(TextProposed), nameof(CandidateSampled), nameof(ProposalJudged),
                nameof(CandidateScored), nameof(OptimizerFinished),
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
