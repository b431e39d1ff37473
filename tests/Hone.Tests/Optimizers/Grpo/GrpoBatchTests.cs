using System.Collections.Immutable;
using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.Tests.Optimizers;

/// <summary>What of a step's groups is learned from, and by which probabilities.</summary>
public sealed class GrpoBatchTests
{
    /// <summary>Where a batch is learned from several times, the ratio is to the policy before the first update; what a teacher wrote keeps its own probabilities.</summary>
    [Fact]
    public void RememberOldLogProbs_OfSeveralUpdates_LeavesThoseOfTeachersAlone()
    {
        var batch = new GrpoBatch([Group(Rolled(1), Rolled(0) with { Teacher = 0 })], new() { UpdatesPerBatch = 2 });
        Assert.Null(batch.Data[0].OldLogProbs);
        Assert.Equal([-0.5f], batch.Data[1].OldLogProbs);
        Assert.Empty(batch.Data[1].SamplerLogProbs);

        batch.RememberOldLogProbs([[-0.7f], [-0.9f]]);
        Assert.Equal([-0.7f], batch.Data[0].OldLogProbs);
        Assert.Equal([-0.5f], batch.Data[1].OldLogProbs);
        batch.RememberOldLogProbs([[-0.8f], [-0.9f]]);
        Assert.Equal([-0.5f], batch.Data[1].OldLogProbs);
    }

    /// <summary>A group without spread teaches nothing, but where a divergence has a weight its completions still pull the policy back.</summary>
    [Theory]
    [InlineData(0, 2, 2)]
    [InlineData(0.1, 4, 2)]
    public void Data_GroupWithoutSpread_IsKeptForTheDivergenceOnly(double beta, int kept, int teaching)
    {
        var batch = new GrpoBatch([Group(Rolled(1), Rolled(0)), Group(Rolled(1), Rolled(1))], new() { Loss = new() { Beta = beta } });
        Assert.Equal((kept, teaching, 1), (batch.Data.Count, batch.Data.Count(datum => datum.Advantage != 0), batch.ZeroVarianceGroups));
    }

    [Fact]
    public void Data_MemberWithoutAReward_IsNotLearnedFrom()
    {
        var group = Group(Rolled(1), Rolled(0), Rolled(0.5));
        group = group with { Members = group.Members.SetItem(2, group.Members[2] with { Reward = null }) };
        Assert.Equal([0.5, -0.5], new GrpoBatch([group], new()).Data.Select(datum => datum.Advantage));
    }

    [Fact]
    public void Data_PartThatIsNoNumber_IsNamed()
    {
        var parts = ImmutableSortedDictionary<string, double>.Empty;
        var options = new GrpoOptions { PartWeights = parts.Add("style", 1) };
        var error = Assert.Throws<HoneException>(() => new GrpoBatch(
            [Group(Rolled(1) with { Parts = parts.Add("style", double.NaN) }, Rolled(0) with { Parts = parts.Add("style", 1) })], options));
        Assert.Contains("'style'", error.Message, StringComparison.Ordinal);
    }

    private static RolloutGroup Group(params Rollout[] rollouts) =>
        new("a", 0, 0, 0, [.. rollouts.Select(rollout => new GroupMember(rollout, rollout.Trace.Calls[0], rollout.Reward))]);

    private static Rollout Rolled(double reward) => new()
    {
        ExampleIndex = 0,
        RolloutIndex = 0,
        Seed = 0,
        Reward = reward,
        Outcome = RolloutOutcome.Scored,
        Trace = new([Calls.Make("a", 1)]),
    };
}
