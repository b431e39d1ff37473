using System.Collections.Immutable;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Scenarios GEPA-1 to GEPA-6, 8, 9, 11 and 15: whole searches with known outcomes.</summary>
public sealed class GepaTests
{
    private static readonly string[] Three = ["ALPHA", "BETA", "GAMMA"];

    public static TheoryData<int> Parallelisms => [1, 4, 32];

    public static TheoryData<int> Seeds(int count) => [.. Enumerable.Range(0, count)];

    // GEPA-1. The reference makes 12 runs; here the training set is the validation set and each of six programs on examples is run once.
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa01_One_reflection_learns_three_words(int parallelism)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var (lab, examples) = (GepaWorld.Keywords(), GepaWorld.Words(Three));
            var program = lab.One();
            var before = program.State;
            var result = await Gepa(new() { MaxMetricCalls = 12, Seed = seed, MaxParallelism = parallelism }).CompileAsync(program, examples, examples, GepaWorld.Token);
            Assert.Equal(["base", "base ALPHA BETA GAMMA"], result.Candidates.Select(candidate => candidate.State["ans"].Instructions ?? "base"));
            Assert.Equal([0, 1], GepaWorld.Means(result));
            Assert.Equal("[] [0]", GepaWorld.Parents(result));
            Assert.Equal([0, 9], result.DiscoveredAt);
            Assert.Equal((12, 6, 1), (result.MetricCalls, result.ProgramRuns, GepaWorld.Reflections(lab)));
            Assert.Equal(before, program.State);
            Assert.Equal(7, lab.Calls.Count);
        }
    }

    // GEPA-2
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa02_Texts_are_changed_in_turn_or_all_at_once(int parallelism)
    {
        var lab = GepaWorld.Pair();
        var examples = GepaWorld.Words("q");
        var turns = await Half(new() { MaxMetricCalls = 15, MaxParallelism = parallelism }).CompileAsync(GepaWorld.PairOn(lab), examples, examples, GepaWorld.Token);
        Assert.Equal([0, 0.5, 1], GepaWorld.Means(turns));
        Assert.Equal("[] [0] [1]", GepaWorld.Parents(turns));
        Assert.Equal(["p1", "p2"], turns.Candidates.Skip(1).Select(candidate => candidate.Notes["components"]));
        Assert.Equal([0, 7, 14], turns.DiscoveredAt);
        Assert.Equal((15, 2), (turns.MetricCalls, GepaWorld.Reflections(lab)));

        lab = GepaWorld.Pair();
        var all = await Half(new() { MaxMetricCalls = 8, ComponentSelector = ComponentSelectors.All, MaxParallelism = parallelism })
            .CompileAsync(GepaWorld.PairOn(lab), examples, examples, GepaWorld.Token);
        Assert.Equal([0, 1], GepaWorld.Means(all));
        Assert.Equal((8, 2), (all.MetricCalls, GepaWorld.Reflections(lab)));
        Assert.Equal(("one ALPHA", "two BETA"), (all.Program.State["p1"].Instructions, all.Program.State["p2"].Instructions));
    }

    // GEPA-3: the reference spends 15 of 10. Here an iteration begins only when it can be finished: 3 + 6, and the last 1 stays.
    [Theory]
    [InlineData(10, 3, 0)]
    [InlineData(12, 9, 1)]
    [InlineData(18, 15, 2)]
    public async Task Gepa03_Useless_proposals_are_rejected_within_the_budget(int budget, int spent, int reflections)
    {
        var (lab, examples) = (GepaWorld.Keywords(_ => "useless"), GepaWorld.Words(Three));
        var log = new EventLog();
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            Gepa(new() { MaxMetricCalls = budget, Progress = log, MaxParallelism = n }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token));
        Assert.Equal(0, result.BestIndex);
        Assert.Single(result.Candidates);
        Assert.Equal((spent, reflections), (result.MetricCalls, GepaWorld.Reflections(lab)));
        Assert.All(log.Of<ProposalJudged>(), judged => Assert.False(judged.IsAccepted));
        Assert.Equal(StopReason.Completed, result.StopReason);
    }

    [Fact]
    public async Task A_budget_that_does_not_pay_for_the_baseline_is_warned_of()
    {
        var (lab, examples) = (GepaWorld.Keywords(), GepaWorld.Words(Three));
        var result = await Gepa(new() { MaxMetricCalls = 2 }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal((StopReason.ProgramRunBudget, 0), (result.StopReason, lab.Calls.Count));
        Assert.Contains("The budget of 2 evaluations does not pay for one pass over the 3 validation examples.", result.Warnings);
    }

    // GEPA-4: the reference spends 21 of 20.
    [Fact]
    public async Task Gepa04_A_perfect_program_is_left_alone()
    {
        var (lab, examples) = (GepaWorld.Keywords(), GepaWorld.Words(Three));
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            Gepa(new() { MaxMetricCalls = 20, MaxParallelism = n }).CompileAsync(lab.One("ALPHA BETA GAMMA"), examples, examples, GepaWorld.Token));
        Assert.Equal((3, 3, 0), (result.MetricCalls, result.ProgramRuns, GepaWorld.Reflections(lab)));
        Assert.Equal(StopReason.TargetReached, result.StopReason);
    }

    // GEPA-5: the reference burns the whole budget in silence.
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa05_A_reflecting_model_that_stays_away_ends_the_search(int parallelism)
    {
        var examples = GepaWorld.Words(Three);
        var lab = GepaWorld.Keywords(_ => throw new InvalidOperationException("no such route"));
        var result = await Gepa(new() { MaxMetricCalls = 300, MaxFailedProposals = 4, MaxParallelism = parallelism }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal((StopReason.Outage, 0, 4), (result.StopReason, result.BestIndex, GepaWorld.Reflections(lab)));
        Assert.Contains("no such route", result.Error, StringComparison.Ordinal);

        lab = GepaWorld.Keywords(_ => throw new LMServerException("overloaded"));
        result = await Gepa(new() { MaxMetricCalls = 300, OutageRetries = 0, MaxParallelism = parallelism }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal((StopReason.Outage, 0, 1), (result.StopReason, result.BestIndex, GepaWorld.Reflections(lab)));
    }

    // GEPA-6
    [Theory]
    [MemberData(nameof(Seeds), 30)]
    public async Task Gepa06_Eight_words_are_learned_with_every_seed(int seed)
    {
        var (lab, result) = await EightWords(new() { MaxMetricCalls = 400, Seed = seed }, isEverywhere: true);
        Assert.Equal(1, result.BestScore);
        Assert.InRange(GepaWorld.Reflections(lab), 3, 8);
    }

    [Fact]
    public async Task Evidence_does_not_depend_on_parallelism_and_a_second_run_makes_the_same_calls()
    {
        var evidence = new List<string>();
        foreach (var sampling in (GepaSampling[])[GepaSampling.Single, new(2, 2)])
        {
            evidence.Clear();
            foreach (var parallelism in (int[])[1, 1, 4, 32])
            {
                var (lab, result) = await EightWords(new() { MaxMetricCalls = 300, MaxParallelism = parallelism, Sampling = sampling });
                var calls = lab.Calls.Select(call => $"{call.Role} {call.Path} {call.Instructions} {call.Inputs} {call.Sample}").Order(StringComparer.Ordinal);
                evidence.Add(GepaWorld.Evidence(result) + string.Join('\n', calls));
            }

            Assert.Single(evidence.Distinct());
        }
    }

    // GEPA-8
    [Theory]
    [MemberData(nameof(Seeds), 10)]
    public async Task Gepa08_Merging_joins_what_two_lines_have_learned(int seed)
    {
        var (result, _) = await Conflicting(seed, shift: 0);
        Assert.Equal(2 / 3.0, result.BestScore!.Value, 9);
        Assert.Contains("ALPHA", result.Program.State["p1"].Instructions, StringComparison.Ordinal);
        Assert.Contains("BETA", result.Program.State["p2"].Instructions, StringComparison.Ordinal);
        Assert.True(result.MetricCalls <= 150);
    }

    // GEPA-9: the reference throws with every seed.
    [Theory]
    [MemberData(nameof(Seeds), 10)]
    public async Task Gepa09_Negative_scores_can_be_merged(int seed)
    {
        var (result, log) = await Conflicting(seed, shift: -1);
        Assert.Equal(-1 / 3.0, result.BestScore!.Value, 9);
        Assert.Equal(log.Of<GepaMergeAttempted>().Length, log.Of<ProposalJudged>().Count(judged => judged.Origin.StartsWith("merge", StringComparison.Ordinal)));
    }

    // The reference has a candidate with two parents in every run; where it repeats a text that reflection had found already, there is none here.
    [Fact]
    public async Task Merging_happens_and_can_be_switched_off()
    {
        var merged = 0;
        for (var seed = 0; seed < 10; seed++)
            merged += (await Conflicting(seed, 0)).Result.Candidates.Count(candidate => candidate.Parents.Length == 2);
        Assert.True(merged >= 1, $"{merged} merges in 10 runs");
        foreach (var options in (GepaOptions[])[new() { MaxMetricCalls = 150, MaxMerges = 0 }, new() { MaxMetricCalls = 150, UseMerge = false }])
            Assert.DoesNotContain((await Conflicting(1, 0, options)).Result.Candidates, candidate => candidate.Parents.Length == 2);
        Assert.Equal(2 / 3.0, (await Conflicting(1, 0, new() { MaxMetricCalls = 150, MaxMerges = null })).Result.BestScore!.Value, 9);
    }

    // Where a merge is due and the budget does not pay for it, it may still pay for a change. With these seeds that happens.
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task No_iteration_that_the_budget_pays_for_is_left_out(int seed)
    {
        for (var budget = 28; budget <= 38; budget++)
        {
            var (result, _) = await Conflicting(seed, 0, new() { MaxMetricCalls = budget, MinibatchSize = 1 });
            Assert.InRange(budget - result.MetricCalls, 0, (2 * 1) + 6 - 1);
        }
    }

    // GEPA-11
    [Theory]
    [InlineData(FrontType.Objective)]
    [InlineData(FrontType.Hybrid)]
    [InlineData(FrontType.Cartesian)]
    public async Task Gepa11_Objectives_choose_parents_and_the_score_chooses_the_result(FrontType front)
    {
        var (lab, examples) = (GepaWorld.Keywords(), GepaWorld.Words(Three));
        var metric = Metric.From<FieldMap, FieldMap>((example, output) =>
        {
            var solved = Equals(output["answer"], "ok") ? 1 : 0;
            return new Score(solved)
            {
                Feedback = $"NEED:{example.Input["question"]}",
                Parts = ImmutableSortedDictionary<string, double>.Empty.Add("q", solved).Add("c", 1 - solved),
            };
        });
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new Gepa<FieldMap, FieldMap>(metric, new() { MaxMetricCalls = 40, Front = front, MaxParallelism = n }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token));
        Assert.Equal([1], result.BestByObjective["q"]);
        Assert.Equal([0], result.BestByObjective["c"]);
        Assert.Equal((1, 1), (result.ObjectiveFront["q"], result.ObjectiveFront["c"]));
        Assert.Equal(1, result.BestScore);
        var error = await Assert.ThrowsAsync<HoneException>(
            () => Gepa(new() { MaxMetricCalls = 40, Front = front }).CompileAsync(lab.One(), examples, examples, GepaWorld.Token));
        Assert.Contains("Parts", error.Message, StringComparison.Ordinal);
    }

    // GEPA-15
    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Gepa15_Equal_proposals_are_scored_once(int parallelism)
    {
        var (lab, examples) = (GepaWorld.Keywords(), GepaWorld.Words(Three));
        var log = new EventLog();
        var result = await Gepa(new() { MaxMetricCalls = 40, Sampling = GepaSampling.SameParent(3), MaxParallelism = parallelism, Progress = log })
            .CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal([true, false, false], log.Of<ProposalJudged>().Select(judged => judged.IsAccepted));
        Assert.All(log.Of<ProposalJudged>().Skip(1), judged => Assert.Contains("duplicate", judged.Reason, StringComparison.Ordinal));
        Assert.Equal((2, 3), (result.Candidates.Length, GepaWorld.Reflections(lab)));
    }

    // D20: in the reference equal texts enter again in a later iteration.
    [Fact]
    public async Task A_text_that_is_known_never_enters_again()
    {
        var (lab, examples) = (GepaWorld.Keywords(_ => "base ALPHA"), GepaWorld.Words(Three));
        var log = new EventLog();
        var result = await Gepa(new() { MaxMetricCalls = 60, Acceptance = AcceptanceCriteria.ImprovementOrEqual, Progress = log })
            .CompileAsync(lab.One(), examples, examples, GepaWorld.Token);
        Assert.Equal(2, result.Candidates.Length);
        Assert.True(log.Of<ProposalJudged>().Count(judged => judged.Reason.Contains("duplicate", StringComparison.Ordinal)) > 3);
    }

    private static Gepa<FieldMap, FieldMap> Gepa(GepaOptions options) => new(GepaWorld.Named, options);

    private static Gepa<FieldMap, FieldMap> Half(GepaOptions options) => new(
        Metric.From<FieldMap, FieldMap>((_, output) => new Score((true.Equals(output["p1"]) ? 0.5 : 0) + (true.Equals(output["p2"]) ? 0.5 : 0))
        {
            PredictorFeedback = ImmutableSortedDictionary<string, string>.Empty
                .Add("p1", true.Equals(output["p1"]) ? "fine" : "NEED:ALPHA").Add("p2", true.Equals(output["p2"]) ? "fine" : "NEED:BETA"),
        }),
        options);

    private static async Task<(Lab Lab, GepaResult<FieldMap, FieldMap> Result)> EightWords(GepaOptions options, bool isEverywhere = false)
    {
        var lab = GepaWorld.Keywords();
        var train = GepaWorld.Words([.. GepaWorld.EightWords, .. GepaWorld.EightWords, .. GepaWorld.EightWords]);
        return (lab, isEverywhere ? await lab.AtEveryParallelismAsync((lab, n) => RunAsync(lab, options with { MaxParallelism = n })) : await RunAsync(lab, options));

        Task<GepaResult<FieldMap, FieldMap>> RunAsync(Lab lab, GepaOptions options) => Gepa(options).CompileAsync(lab.One(), train, GepaWorld.Words(GepaWorld.EightWords), GepaWorld.Token);
    }

    // A needs ALPHA in p1 and C its absence, B needs BETA in p2 and D its absence.
    private static async Task<(GepaResult<FieldMap, FieldMap> Result, EventLog Log)> Conflicting(int seed, double shift, GepaOptions? options = null)
    {
        var log = new EventLog();
        var metric = Metric.From<FieldMap, FieldMap>((example, output) =>
        {
            var (p1, p2) = (true.Equals(output["p1"]), true.Equals(output["p2"]));
            var kind = ((string)example.Input["question"]!)[0];
            var solved = kind switch { 'A' => p1, 'B' => p2, 'C' => !p1, _ => !p2 };
            return new Score((solved ? 1 : 0) + shift)
            {
                PredictorFeedback = ImmutableSortedDictionary<string, string>.Empty
                    .Add("p1", kind == 'A' && !solved ? "NEED:ALPHA" : "nothing to say").Add("p2", kind == 'B' && !solved ? "NEED:BETA" : "nothing to say"),
            };
        });
        var lab = GepaWorld.Pair();
        options = (options ?? new() { MaxMetricCalls = 150 }) with { Seed = seed, Progress = log, PerfectScore = 1 + shift };
        var result = await lab.AtEveryParallelismAsync((lab, n) => RunAsync(lab, options with { MaxParallelism = n, Progress = n == 1 ? log : null }));
        return (result, log);

        Task<GepaResult<FieldMap, FieldMap>> RunAsync(Lab lab, GepaOptions options) => new Gepa<FieldMap, FieldMap>(metric, options).CompileAsync(
            GepaWorld.PairOn(lab), GepaWorld.Words("A1", "A2", "A3", "B1", "B2", "B3"), GepaWorld.Words("A1", "A2", "B1", "B2", "C1", "D1"), GepaWorld.Token);
    }
}
