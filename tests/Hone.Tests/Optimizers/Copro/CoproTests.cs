using Hone.Optimizers;
using Hone.Tests.Optimizers.Search;

namespace Hone.Tests.Optimizers.Copro;

/// <summary>Scenarios COPRO-1 to COPRO-4.</summary>
public sealed class CoproTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task CompileAsync_ProposalsThatKnowTheScores_ReachTheBest(int parallelism)
    {
        var lab = AlphaBeta();
        var events = new EventLog();
        var result = await new Copro<FieldMap, FieldMap>(Lab.Exact, new()
        {
            Breadth = 3,
            Depth = 2,
            PerfectScore = null,
            MaxParallelism = parallelism,
            TrackStatistics = true,
            Progress = events,
        })
            .CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token);
        Assert.Equal("ALPHA BETA", result.Program.Predictors[0].Value.Instructions);
        Assert.Equal(1, result.BestScore);
        Assert.Equal("1", result.Candidates[result.BestIndex].Notes["round"]);
        Assert.Equal([1, 0.5, 0.5, 0.5, 0, 0], result.Candidates.Select(candidate => candidate.Score!.Value).OrderDescending());
        Assert.Equal(24, lab.Calls.Count(call => call.Role == "task"));

        var prompts = lab.Calls.Where(call => call.Role == "prompt").ToArray();
        Assert.Equal([1, 2, 1, 2, 3], prompts.OrderBy(call => call.Inputs.ContainsKey("attempts")).ThenBy(call => call.Sample).Select(call => call.Sample % SampleIds.Series));
        Assert.All(prompts, call => Assert.Equal(1.4f, call.Temperature));
        var attempts = prompts.First(call => call.Inputs.ContainsKey("attempts")).Text("attempts");
        Assert.Equal(3, attempts.Split("<instructions>").Length - 1);
        Assert.EndsWith("say ALPHA\n</instructions>\nScore: 0.5", attempts, StringComparison.Ordinal);

        var statistics = events.Of<InstructionStatistics>();
        Assert.Equal((0.5, 0), (statistics[0].Latest.Max, statistics[0].Latest.Min));
        Assert.Equal(1.0 / 6, statistics[0].Latest.Mean, 1e-9);
        Assert.Equal(Math.Sqrt(1.0 / 18), statistics[0].Latest.Deviation, 1e-9);
        Assert.Equal((1, 1), (statistics[1].Round, statistics[1].Best.Max));
        Assert.Equal(2.5 / 6, statistics[1].Best.Mean, 1e-9);
    }

    [Fact]
    public async Task CompileAsync_TwoPredictors_ScoresAllTextsAgain()
    {
        var lab = new Lab(call => call.Role == "prompt" ? Reply($"text {call.Sample % SampleIds.Series}") : call.Path == "hint" ? FieldMap.Of(("hint", "h")) : Lab.Answer("wrong"));
        var optimizer = new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 2, Depth = 2 });
        var estimate = optimizer.Estimate(lab.Two(), Lab.Examples(4));
        Assert.Equal(12 * 4, estimate.ProgramRuns);
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 2, Depth = 2, MaxParallelism = n }).CompileAsync(lab.Two(), Lab.Examples(4), cancellationToken: Token));

        // Twelve evaluations of five programs: as it came, and either predictor with one of two texts. Those of equal programs are made once.
        Assert.Equal((5, 20), (result.Candidates.Length, result.ProgramRuns));
    }

    [Fact]
    public void Breadth_One_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new CoproOptions { Breadth = 1 });

    [Fact]
    public async Task CompileAsync_NothingBetter_ReturnsTheInstructionsAsTheyCame()
    {
        var lab = new Lab(call => call.Role == "prompt" ? Reply($"idea {call.Sample}") : Lab.AnswerIf(call.Question == "q1", call.Question));
        var student = lab.One();
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 3, Depth = 2, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Equal(0, result.BestIndex);
        Assert.Equal(student.State, result.Program.State);
    }

    [Fact]
    public async Task CompileAsync_Racing_GivesUpWhatCannotWinAndFindsTheSame()
    {
        var world = new Lab(call => call.Role == "prompt"
            ? Reply(call.Sample % SampleIds.Series == 2 ? "ALPHA" : $"useless {call.Sample % SampleIds.Series}")
            : Lab.AnswerIf(call.Has("ALPHA") || (!call.Has("useless") && call.Question != "q8"), call.Question));
        var whole = await Run(world, false, 1);
        var raced = await world.AtEveryParallelismAsync((lab, n) => Run(lab, true, n));
        Assert.Equal(whole.Program.State, raced.Program.State);
        Assert.Equal((7.0 / 8, 1, 1), (raced.BaselineScore, raced.BestScore, whole.BestScore));
        Assert.Equal((40, 8 + (4 * 2) + 6), (whole.ProgramRuns, raced.ProgramRuns));
        Assert.Equal(2, raced.Candidates.Length);
        Assert.Throws<HoneException>(() => new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Racing = true, PerfectScore = null }));

        static Task<OptimizationResult<FieldMap, FieldMap>> Run(Lab lab, bool races, int parallelism) =>
            new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 5, Depth = 1, Racing = races, MaxParallelism = parallelism }).CompileAsync(lab.One(), Lab.Examples(8), cancellationToken: Token);
    }

    [Fact]
    public async Task CompileAsync_RepeatedAndQuotedProposals_AreOneCandidate()
    {
        var lab = new Lab(call => call.Role == "prompt" ? Reply(call.Sample % 2 == 0 ? "\"same\"" : "**Proposed instruction:** same") : Lab.Answer("wrong"));
        var result = await new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 6, Depth = 1 }).CompileAsync(lab.One(), Lab.Examples(3), cancellationToken: Token);
        Assert.Equal(2, result.Candidates.Length);
        Assert.Equal("same", result.Candidates[1].State["ans"].Instructions);
        Assert.Equal(6, result.ProgramRuns);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CompileAsync_AnyParallelismOrInterruption_GivesTheSameEvidence(bool isTwo)
    {
        var check = new Durability(
            isTwo ? TwoWorld : AlphaBeta,
            setup => new Copro<FieldMap, FieldMap>(Lab.Exact, new()
            {
                Breadth = 3,
                Depth = 3,
                PerfectScore = null,
                MaxParallelism = setup.Parallelism,
                RunDirectory = setup.Directory,
                Resume = setup.Resume,
                Budget = setup.Budget,
            }),
            lab => isTwo ? lab.Two() : lab.One(),
            Lab.Examples(4),
            Lab.Examples(5, "v"));
        await check.CheckAsync();
        await check.CheckResumptionAsync(hasSingleCalls: !isTwo);
        await check.CheckBudgetsAsync();
    }

    private static FieldMap Reply(string text) => FieldMap.Of(("proposed_instructions", text));

    private static Lab AlphaBeta() => new(call =>
    {
        var number = (int)(call.Sample % SampleIds.Series);
        if (call.Role == "prompt")
            return Reply(call.Inputs.ContainsKey("attempts") ? new[] { "ALPHA BETA", "ALPHA", "BETA" }[number - 1] : new[] { "say ALPHA", "say nothing" }[number - 1]);
        return Lab.AnswerIf(call.Question[1..] is "1" or "2" ? call.Has("ALPHA") : call.Has("BETA"), call.Question);
    });

    private static Lab TwoWorld() => new(call =>
    {
        if (call.Role == "prompt")
            return Reply($"{(call.Inputs.ContainsKey("attempts") ? "later" : "first")} {call.Sample % SampleIds.Series}");
        return call.Path == "hint"
            ? FieldMap.Of(("hint", call.Has("later 2") ? "good" : "bad"))
            : Lab.AnswerIf(call.Text("hint") == "good" ? call.Has("1") : call.Question[1..] == "1", call.Question);
    });
}
