using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement;

/// <summary>T5 of the published vectors, and what lies beside them.</summary>
public sealed class RewardShapingTests
{
    [Theory]
    [InlineData(80, 0)]
    [InlineData(90, -0.5)]
    [InlineData(100, -1)]
    [InlineData(101, -1)]
    public void SoftOverlong_KnownLengths_HaveTheKnownValues(int length, double expected) => Assert.Equal(expected, RewardShaping.SoftOverlong(length, 100, 20), 12);

    [Theory]
    [InlineData(1, 80, 1)]
    [InlineData(1, 90, 0.5)]
    [InlineData(1, 100, 0)]
    [InlineData(1, 110, -0.5)]
    [InlineData(-1, 110, -1)]
    [InlineData(0, 110, 0)]
    public void LengthPenalty_KnownLengths_HaveTheKnownValues(double reward, int length, double expected) =>
        Assert.Equal(expected, RewardShaping.LengthPenalty(reward, length, 80, 100), 12);

    [Theory]
    [InlineData(new[] { 1, 2, 3, 4 }, 0)]
    [InlineData(new[] { 1, 2 }, 0)]
    [InlineData(new[] { 7, 7, 7, 7, 7 }, -2.0 / 3)]
    [InlineData(new[] { 1, 2, 3, 1, 2, 3 }, -0.25)]
    public void RepetitionPenalty_IsTheShareOfRunsThatAreNotNew(int[] tokens, double expected)
    {
        Assert.Equal(expected, RewardShaping.RepetitionPenalty(tokens), 12);
        Assert.Equal(expected / 2, RewardShaping.RepetitionPenalty(tokens, 3, -0.5), 12);
    }

    [Fact]
    public void ZeroTruncated_TakesTheRewardOfWhatWasCutOff() => Assert.Equal((0, 0.7), (RewardShaping.ZeroTruncated(0.7, true), RewardShaping.ZeroTruncated(0.7, false)));

    [Fact]
    public void SettingsThatMakeNoSense_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RewardShaping.SoftOverlong(1, 10, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => RewardShaping.SoftOverlong(1, 10, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => RewardShaping.LengthPenalty(1, 1, 10, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => RewardShaping.RepetitionPenalty([1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => RewardShaping.RepetitionPenalty([1], 1, 1));
    }
}
