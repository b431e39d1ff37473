using Hone.Optimizers;
using Hone.Tests.Optimizers.Search;

namespace Hone.Tests.Optimizers.InferRules;

/// <summary>Scenarios INF-1 to INF-3.</summary>
public sealed class InferRulesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task CompileAsync_OneSetOfRulesHelps_ItIsTheResult(int parallelism)
    {
        var lab = World();
        var student = lab.One();
        var result = await new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 3, MaxParallelism = parallelism })
            .CompileAsync(student, Lab.Examples(4), Lab.Examples(4, "v"), Token);
        Assert.Equal("base\n\nKeep strictly to the following rules:\nRULE-B", result.Program.Predictors[0].Value.Instructions);
        Assert.Equal("base", student.Predictors[0].Value.Instructions);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(["the program as it came", "harvested demos", "rules 1", "rules 2", "rules 3"], result.Candidates.Select(candidate => candidate.Origin));
        Assert.Equal([1], result.Candidates[2].Parents);
        var call = lab.Calls.First(call => call.Role == "prompt");
        Assert.Equal((1f, "10"), (call.Temperature, call.Text("number_of_rules")));
        Assert.Contains("Inputs\nquestion: q4\n---\nOutputs\nanswer: a4", call.Text("examples"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompileAsync_QuestionTooLong_IsAskedWithFewerExamples(bool isNamed)
    {
        var lab = new Lab(call =>
        {
            if (call.Role != "prompt")
                return Lab.AnswerIf(call.Has("RULE"), call.Question);

            // Not every server says that the length is what it refuses.
            return Shown(call) <= 2 ? Rules("RULE") : throw (isNamed ? new ContextWindowExceededException("too long") : new LMInvalidRequestException("bad request"));
        });
        var optimizer = new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 3 });
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 3, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(2, "v"), Token));
        Assert.Equal(1, result.BestScore);
        Assert.Equal([6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2], lab.Calls.Where(call => call.Role == "prompt").Select(Shown).OrderDescending());
        Assert.True(lab.Calls.Count(call => call.Role == "prompt") <= optimizer.Estimate(lab.One(), Lab.Examples(6), Lab.Examples(2, "v")).ProposalCalls);
    }

    [Fact]
    public async Task CompileAsync_OneExampleTooLong_WarnsAndReturnsTheDemos()
    {
        var lab = new Lab(call => call.Role == "prompt" ? throw new ContextWindowExceededException("too long") : Lab.AnswerIf(call.ShowsDemoOf("q2"), call.Question));
        var result = await new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 2 }).CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(2, "v"), Token);
        Assert.Equal((1, StopReason.TargetReached), (result.BestIndex, result.StopReason));
        var never = await new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 2, PerfectScore = null }).CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(2, "v"), Token);
        Assert.Equal((1, 2), (never.BestIndex, never.Warnings.Count(warning => warning.Contains("too long", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task CompileAsync_EveryQuestionRefused_IsAnOutage()
    {
        var lab = new Lab(call => call.Role == "prompt" ? throw new LMInvalidRequestException("no such option") : Lab.AnswerIf(call.ShowsDemoOf("q2"), call.Question));
        var result = await lab.AtEveryParallelismAsync((lab, n) => new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 6, PerfectScore = null, MaxParallelism = n })
            .CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(2, "v"), Token));
        Assert.Equal((1, StopReason.Outage), (result.BestIndex, result.StopReason));
        Assert.Contains("no such option", result.Error, StringComparison.Ordinal);
        Assert.Equal(6 * 3, lab.Calls.Count(call => call.Role == "prompt"));
    }

    [Fact]
    public async Task CompileAsync_NoRuleHelps_ReturnsTheProgramWithoutRules()
    {
        var lab = new Lab(call => call.Role == "prompt" ? Rules("useless") : Lab.AnswerIf(!call.Has("useless") && (call.ShowsDemoOf("q1") && call.Question == "v1"), call.Question));
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 3, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(2, "v"), Token));
        Assert.Equal((1, 0.5), (result.BestIndex, result.BestScore));
        Assert.Equal("base", result.Program.Predictors[0].Value.Instructions);
    }

    [Fact]
    public async Task CompileAsync_SampledExamples_DifferBetweenCandidates()
    {
        var lab = new Lab(call => call.Role == "prompt" ? Rules($"rule {call.Sample}") : Lab.Answer("wrong"));
        await new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 8, ExamplesPerCandidate = 4, MaxErrors = 100 })
            .CompileAsync(lab.One(), Lab.Examples(30), Lab.Examples(2, "v"), Token);
        var shown = lab.Calls.Where(call => call.Role == "prompt").ToArray();
        Assert.All(shown, call => Assert.Equal(4, Shown(call)));
        Assert.Equal(8, shown.Select(call => call.Text("examples")).Distinct().Count());
    }

    [Fact]
    public async Task CompileAsync_AnyParallelismOrInterruption_GivesTheSameEvidence()
    {
        var check = new Durability(
            World,
            setup => new InferRules<FieldMap, FieldMap>(Lab.Exact, new()
            {
                Candidates = 3,
                PerfectScore = null,
                MaxParallelism = setup.Parallelism,
                RunDirectory = setup.Directory,
                Resume = setup.Resume,
                Budget = setup.Budget,
            }),
            lab => lab.One(),
            Lab.Examples(4),
            Lab.Examples(5, "v"));
        await check.CheckAsync();
        await check.CheckResumptionAsync();
        await check.CheckBudgetsAsync();
    }

    private static int Shown(LabCall call) => call.Text("examples").Split("<example>").Length - 1;

    private static FieldMap Rules(string text) => FieldMap.Of(("reasoning", "thought"), ("rules", text));

    private static Lab World() => new(call => call.Role == "prompt"
        ? Rules($"RULE-{"ABC"[(int)(call.Sample % SampleIds.Series) - 1]}")
        : Lab.AnswerIf(call.Has("RULE-B"), call.Question));
}
