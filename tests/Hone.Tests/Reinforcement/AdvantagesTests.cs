using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement;

/// <summary>Vectors T1 and T2 of the RL specification.</summary>
public sealed class AdvantagesTests
{
    [Theory]
    [InlineData(AdvantageScaling.None, new[] { .875, -.125, .375, -1.125 })]
    [InlineData(AdvantageScaling.Group, new[] { 1.024575, -.146368, .439104, -1.317311 })]
    public void Compute_OneGroup_MatchesTheRecordedValues(AdvantageScaling scaling, double[] expected) =>
        AssertClose(expected, Advantages.Compute([[1, 0, .5, -1]], scaling)[0]);

    [Fact]
    public void Compute_BatchScaling_SharesOneDeviation()
    {
        var advantages = Advantages.Compute([[1, 0, 0, 0], [1, 1, 1, 0]], AdvantageScaling.Batch);
        AssertClose([1.402859, -.46762, -.46762, -.46762], advantages[0]);
        AssertClose([.46762, .46762, .46762, -1.402859], advantages[1]);
    }

    [Theory]
    [InlineData(AdvantageScaling.None)]
    [InlineData(AdvantageScaling.Group)]
    public void Compute_MissingReward_GetsZeroAndLeavesTheStatisticsAlone(AdvantageScaling scaling)
    {
        var with = Advantages.Compute([[1, null, 0]], scaling)[0];
        var without = Advantages.Compute([[1, 0]], scaling)[0];
        AssertClose([without[0], 0, without[1]], with);
    }

    [Theory]
    [InlineData(AdvantageScaling.None)]
    [InlineData(AdvantageScaling.Group)]
    [InlineData(AdvantageScaling.Batch)]
    public void Compute_GroupWithoutSpread_GivesZero(AdvantageScaling scaling)
    {
        var advantages = Advantages.Compute([[.5, .5, .5], [1.0], [null, null]], scaling);
        AssertClose([0, 0, 0], advantages[0]);
        AssertClose([0], advantages[1]);
        AssertClose([0, 0], advantages[2]);
    }

    /// <summary>Computed apart from this code; the member that nothing is known of gets 0 and moves no other.</summary>
    [Fact]
    public void NormalizeThenSum_TwoParts_MatchesTheKnownValues_WhateverIsUnknown()
    {
        double?[][][] groups = [[[1, 0], [0, 10], [null, null]], [[1, 5], [0, 5], [.5, 0]]];
        var advantages = Advantages.NormalizeThenSum(groups, [1, .5]);
        AssertClose([.426311, -.426311, 0], advantages[0]);
        AssertClose([1.554034, -.857709, -.696325], advantages[1]);
        var without = Advantages.NormalizeThenSum([[[1, 0], [0, 10]], groups[1]], [1, .5]);
        AssertClose([.. without[0], 0], advantages[0]);
        AssertClose(without[1], advantages[1]);
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5);
    }
}
