using Hone.Optimizers;

namespace Hone.Tests.Optimizers.MiproV2;

/// <summary>Scenario MIPRO-5.</summary>
public sealed class MiproBudgetTests
{
    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    [InlineData(7, 5)]
    [InlineData(100, 80)]
    [InlineData(2000, 1000)]
    public void Four_of_five_examples_choose_without_a_validation_set(int examples, int expected) => Assert.Equal(expected, MiproBudget.SelectionOf(examples));

    [Theory]
    [InlineData(MiproAuto.Light, 6, 100, 3, 6, new[] { 9, 10, 15, 20, 31 })]
    [InlineData(MiproAuto.Medium, 12, 300, 6, 12, new[] { 18, 18, 21, 28, 43 })]
    [InlineData(MiproAuto.Heavy, 18, 1000, 9, 18, new[] { 27, 27, 27, 33, 50 })]
    public void For_Auto_IsTheTable(MiproAuto auto, int sets, int limit, int instructions, int zeroShot, int[] trials)
    {
        Assert.Equal(limit, MiproBudget.SelectionLimit(auto));
        Assert.Equal((instructions, sets), (MiproBudget.For(auto, 1, isZeroShot: false).Instructions, MiproBudget.For(auto, 1, isZeroShot: false).DemoSets));
        Assert.Equal(zeroShot, MiproBudget.For(auto, 1, isZeroShot: true).Instructions);
        Assert.Equal(trials, new[] { 1, 2, 3, 4, 6 }.Select(variables => MiproBudget.For(auto, variables, isZeroShot: true).Trials));
        Assert.Equal(trials.Where((_, i) => i is 1 or 3 or 4), new[] { 1, 2, 3 }.Select(predictors => MiproBudget.For(auto, predictors, isZeroShot: false).Trials));
    }

    [Theory]
    [InlineData(10, 13)]
    [InlineData(7, 10)]
    [InlineData(3, 5)]
    public void LogLength_OfTrials_HasTheFullEvaluations(int trials, int expected) => Assert.Equal(expected, MiproBudget.LogLength(trials, 5));

    [Fact]
    public void Options_ThatContradictEachOther_AreRefused()
    {
        var lab = new Lab(_ => Lab.Answer("never"));
        Assert.Contains("either", Refusal(new() { Trials = 3 }), StringComparison.Ordinal);
        Assert.Contains("either", Refusal(new() { Candidates = 3 }), StringComparison.Ordinal);
        Assert.Contains("Candidates", Refusal(new() { Auto = null, Trials = 3 }), StringComparison.Ordinal);
        Assert.Contains("about 10 for one predictor and 20 for two", Refusal(new() { Auto = null, Candidates = 6 }), StringComparison.Ordinal);
        var own = new MiproV2Options { Auto = null, Candidates = 3, Trials = 3 };
        Assert.Contains("MinibatchSize is 35, but there are only 10", Assert.Throws<HoneException>(() => new MiproV2<FieldMap, FieldMap>(Lab.Exact, own)
            .Estimate(lab.One(), Lab.Examples(4), Lab.Examples(10, "v"))).Message, StringComparison.Ordinal);
        Assert.Contains("at least 2", Assert.Throws<HoneException>(() => new MiproV2<FieldMap, FieldMap>(Lab.Exact).Estimate(lab.One(), Lab.Examples(1))).Message, StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => new MiproV2<FieldMap, FieldMap>(Lab.Exact).Estimate(lab.One(), [], Lab.Examples(3)));
        Assert.Throws<HoneException>(() => new MiproV2<FieldMap, FieldMap>(Lab.Exact).Estimate(lab.One(), Lab.Examples(3), []));
        Assert.Equal(9, new MiproV2Options().Seed);
        Assert.Equal(0, new MiproV2Options { Seed = 0 }.Seed);
    }

    [Fact]
    public void Estimate_OfALightRun_CountsASelectionOfAtMost100()
    {
        var lab = new Lab(_ => Lab.Answer("never"));
        var estimate = new MiproV2<FieldMap, FieldMap>(Lab.Exact).Estimate(lab.One(), Lab.Examples(20), Lab.Examples(250, "v"));

        // 20 attempts, the program as it came, 10 trials on 35, 2 full evaluations.
        Assert.Equal(20 + 100 + (10 * 35) + 200, estimate.ProgramRuns);

        // Two looks at the data and their summary, the program, its module, two instructions and as many again.
        Assert.Equal(3 + 2 + 4, estimate.ProposalCalls);
    }

    private static string Refusal(MiproV2Options options) => Assert.Throws<HoneException>(() => new MiproV2<FieldMap, FieldMap>(Lab.Exact, options)).Message;
}
