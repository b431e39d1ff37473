using Hone.Optimizers;
using Hone.Tests.Optimizers.Search;

namespace Hone.Tests.Optimizers.FewShot;

/// <summary>Scenario OPT-1.</summary>
public sealed class DemoSearchTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(32, 4)]
    public async Task CompileAsync_OneDemoIsRight_IsFoundInAsManyTrialsAsThereAreDemos(int parallelism, int atOnce)
    {
        var lab = World();
        var result = await Optimizer(new(parallelism), atOnce, perfect: 1).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(["q3"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
        Assert.Equal(1, result.BestScore);
        Assert.InRange(result.Candidates.Length, 2, 5);
        Assert.InRange(lab.Calls.Count(call => call.Question.StartsWith('v')), 6, 15);
    }

    [Fact]
    public async Task CompileAsync_PredictorWithoutDemos_IsLeftOut()
    {
        var lab = new Lab(call => call.Path == "hint" ? FieldMap.Of(("hint", "h")) : Lab.Answer("wrong"));
        var options = new BootstrapDemoSearchOptions { MaxLabeledDemos = 0 };
        var result = await new BootstrapDemoSearch<FieldMap, FieldMap>(Lab.Exact, options).CompileAsync(lab.Two(), Lab.Examples(3), Lab.Examples(3, "v"), Token);
        Assert.Single(result.Candidates);
        Assert.Contains(result.Warnings, warning => warning.Contains("No predictor has a demo", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task CompileAsync_AnyParallelismOrInterruption_GivesTheSameEvidence(int atOnce)
    {
        var check = new Durability(World, setup => Optimizer(setup, atOnce, perfect: null), lab => lab.One(), Lab.Examples(4), Lab.Examples(3, "v"));
        await check.CheckAsync();
        await check.CheckResumptionAsync();
        await check.CheckBudgetsAsync();
    }

    private static Lab World() => new(call => Lab.AnswerIf(call.Question[0] == 'q' || (call.ShowsDemoOf("q3") && call.Demos.Length == 1), call.Question));

    private static BootstrapDemoSearch<FieldMap, FieldMap> Optimizer(LabSetup setup, int atOnce, double? perfect) => new(Lab.Exact, new()
    {
        Trials = 8,
        TrialsAtOnce = atOnce,
        PerfectScore = perfect,
        MaxParallelism = setup.Parallelism,
        RunDirectory = setup.Directory,
        Resume = setup.Resume,
        Budget = setup.Budget,
    });
}
