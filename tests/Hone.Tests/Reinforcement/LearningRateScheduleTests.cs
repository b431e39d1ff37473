using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement;

public sealed class LearningRateScheduleTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1e-7)]
    [InlineData(5, 5e-7)]
    [InlineData(10, 1e-6)]
    [InlineData(500, 1e-6)]
    public void Multiplier_ConstantWithWarmup_MatchesT6(int step, double expected) =>
        Assert.Equal(expected, 1e-6 * LearningRateSchedule.Multiplier(ScheduleKind.ConstantWithWarmup, step, 10, 1000), 1e-12);

    [Theory]
    [InlineData(ScheduleKind.Linear)]
    [InlineData(ScheduleKind.Cosine)]
    public void Multiplier_Decaying_RunsFromZeroOverOneToZero(ScheduleKind kind)
    {
        Assert.Equal(0, LearningRateSchedule.Multiplier(kind, 0, 4, 20));
        Assert.Equal(1, LearningRateSchedule.Multiplier(kind, 4, 4, 20), 1e-12);
        Assert.Equal(0.5, LearningRateSchedule.Multiplier(kind, 12, 4, 20), 1e-12);
        Assert.Equal(0, LearningRateSchedule.Multiplier(kind, 20, 4, 20), 1e-12);
    }

    [Fact]
    public void Multiplier_Constant_StartsAtTheFullRate() => Assert.Equal(1, LearningRateSchedule.Multiplier(ScheduleKind.Constant, 0, 5, 10));
}
