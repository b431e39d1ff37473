using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

/// <summary>The signs of a collapse, each on figures made up for it.</summary>
public sealed class CollapseOptionsTests
{
    /// <summary>Answers that could be read and cannot any more: half of the rollouts, as a mean of three steps, where it had been a quarter at most.</summary>
    [Theory]
    [InlineData(new[] { 0, 1, 0, 9, 9, 9 }, true)]
    [InlineData(new[] { 0, 1, 0, 9, 9, 0 }, true)]
    [InlineData(new[] { 0, 1, 0, 5, 5, 5 }, false)]
    [InlineData(new[] { 9, 9, 9, 9, 9, 9 }, false)]
    [InlineData(new[] { 9, 9 }, false)]
    public void Find_UnreadableAnswers_CollapseWhereTheyHadBeenFew(int[] unreadable, bool isCollapse)
    {
        var sign = new CollapseOptions().Find([.. unreadable.Select((count, step) => Step(step) with { UnreadableRollouts = count })]);
        Assert.Equal(isCollapse, sign is not null);
        if (isCollapse)
            Assert.Contains("unreadable answer", sign, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.05, true)]
    [InlineData(0.15, false)]
    [InlineData(double.NaN, false)]
    public void Find_Entropy_CollapsesBelowTheLeast(double entropy, bool isCollapse)
    {
        GrpoStepReport[] steps = [.. Enumerable.Range(0, 4).Select(step => Step(step) with { Entropy = step == 0 ? 2 : entropy })];
        Assert.Equal(isCollapse, new CollapseOptions { MinEntropy = 0.1 }.Find(steps)?.Contains("entropy", StringComparison.Ordinal) == true);
        Assert.Null(new CollapseOptions().Find(steps));
    }

    [Theory]
    [InlineData(0.35, true)]
    [InlineData(0.45, false)]
    public void Find_Reward_CollapsesBelowTheBestMeanBefore(double last, bool isCollapse)
    {
        GrpoStepReport[] steps = [.. Enumerable.Range(0, 8).Select(step => Step(step) with { RewardMean = step < 4 ? 0.7 : last })];
        Assert.Equal(isCollapse, new CollapseOptions { MaxRewardDrop = 0.3 }.Find(steps) is not null);
        Assert.Null(new CollapseOptions().Find(steps));
    }

    // Ten rollouts a step.
    private static GrpoStepReport Step(int step) => new() { Step = step, RolloutsGenerated = 20, RolloutsKept = 10, Entropy = 1 };
}
