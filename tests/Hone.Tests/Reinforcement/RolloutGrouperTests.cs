using System.Collections.Immutable;
using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement;

public sealed class RolloutGrouperTests
{
    private static readonly Signature Plan = Signature.Parse("question -> plan, why");

    [Fact]
    public void Group_Truncate_KeepsTheCallsThatEveryRolloutMade()
    {
        var result = Group(GroupingMode.Truncate, null, Rolled(1, "a", "a", "a"), Rolled(2, "a", "a"));
        Assert.Equal([(0, 2), (1, 2)], result.Groups.Select(group => (group.Invocation, group.Members.Length)));
        Assert.Equal(1, result.SkippedCalls);
    }

    [Theory]
    [InlineData(FillStrategy.Last)]
    [InlineData(FillStrategy.Random)]
    public void Group_Fill_RepeatsCallsOfTheShorterRollout(FillStrategy strategy)
    {
        var result = Group(GroupingMode.Fill, strategy, Rolled(1, "a", "a", "a"), Rolled(2, "a", "a"));
        Assert.Equal([2, 2, 2], result.Groups.Select(group => group.Members.Length));
        var repeated = result.Groups[2].Members[1];
        Assert.Equal(2, repeated.Reward);
        if (strategy == FillStrategy.Last)
            Assert.Equal(1, repeated.Call.Ordinal);
    }

    /// <summary>Ledger B6: the reference runs past the end here.</summary>
    [Fact]
    public void Group_Ragged_ComparesWhoeverMadeTheCall_AndDropsGroupsOfOne()
    {
        var result = Group(GroupingMode.Ragged, null, Rolled(1, "a", "a", "a"), Rolled(2, "a", "a"), Rolled(3, "a"));
        Assert.Equal([(0, 3), (1, 2)], result.Groups.Select(group => (group.Invocation, group.Members.Length)));
        Assert.Equal(1, result.SkippedCalls);
    }

    /// <summary>Ledger B7: one early failure does not cost the others their groups.</summary>
    [Fact]
    public void Group_OneRolloutNeverReachesThePredictor_TheOthersStillCompare()
    {
        var result = Group(GroupingMode.Truncate, null, Rolled(1, "a", "b"), Rolled(0, "a"), Rolled(2, "a", "b"));
        var second = Assert.Single(result.Groups, group => group.Predictor == "b");
        Assert.Equal([1.0, 2.0], second.Members.Select(member => member.Reward!.Value));
        Assert.Equal(1, result.SkippedRollouts);
    }

    /// <summary>Ledger B8: two predictors with equal signatures stay apart, since identity is the path.</summary>
    [Fact]
    public void Group_EqualSignatures_AreToldApartByPath()
    {
        var result = Group(GroupingMode.Truncate, null, Rolled(1, "a", "b"), Rolled(2, "a", "b"));
        Assert.Equal(["a", "b"], result.Groups.Select(group => group.Predictor));
    }

    /// <summary>A failure that the program caught still gets its format reward; a zero reward is a reward (ledger B1b).</summary>
    [Fact]
    public void Group_SwallowedFailure_IsCreditedWithItsFormatReward()
    {
        var failure = new AdapterParseException("Chat", Plan, "x", ParseFailureKind.Structural, FieldMap.Empty, "nothing there");
        var swallowed = Rolled(0.5, "a") with { Trace = new([Call("a", 0) with { Failure = failure, Outputs = null }]) };
        var group = Assert.Single(Group(GroupingMode.Truncate, null, swallowed, Rolled(0, "a")).Groups);
        Assert.Equal([-1.0, 0.0], group.Members.Select(member => member.Reward!.Value));
    }

    /// <summary>Ledger B1: half of the fields present is half of the range.</summary>
    [Fact]
    public void FormatReward_PartlyReadable_LiesBetween()
    {
        var half = new AdapterParseException("Chat", Plan, "x", ParseFailureKind.Structural, FieldMap.Of(("plan", "p")), "why is missing");
        Assert.Equal(-0.5, FormatReward.Of(half, 0, -1));
    }

    [Fact]
    public void Group_CreditAssigner_DecidesRewardsAndMayLeaveCallsOut()
    {
        var settings = new GroupingSettings(GroupingMode.Truncate, null, 0, -1, (rollout, call) => call.Ordinal == 0 ? rollout.Reward * 10 : null);
        var result = RolloutGrouper.Group([Rolled(1, "a", "a"), Rolled(2, "a", "a")], 2, ["a"], settings, new(0));
        Assert.Equal([10.0, 20.0], result.Groups[0].Members.Select(member => member.Reward!.Value));
        Assert.All(result.Groups[1].Members, member => Assert.Null(member.Reward));
    }

    /// <summary>A rollout that the metric never saw has no parts: credit by them must not end the run, and its calls keep what the rollout earned.</summary>
    [Theory]
    [InlineData(RolloutOutcome.FormatFailure)]
    [InlineData(RolloutOutcome.Crashed)]
    public void Group_CreditByParts_AsksScoredRolloutsOnly(RolloutOutcome outcome)
    {
        var settings = new GroupingSettings(GroupingMode.Truncate, null, 0, -1, (rollout, _) => rollout.Parts["privacy"]);
        var scored = Rolled(0.5, "a") with { Parts = ImmutableSortedDictionary<string, double>.Empty.Add("privacy", 0.75) };
        var group = Assert.Single(RolloutGrouper.Group([scored, Rolled(-0.5, "a") with { Outcome = outcome }], 2, ["a"], settings, new(0)).Groups);
        Assert.Equal([0.75, -0.5], group.Members.Select(member => member.Reward!.Value));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Group_CreditThatIsNoNumber_NamesThePredictor(double given)
    {
        var settings = new GroupingSettings(GroupingMode.Truncate, null, 0, -1, (_, _) => given);
        var error = Assert.Throws<HoneException>(() => RolloutGrouper.Group([Rolled(1, "a"), Rolled(2, "a")], 2, ["a"], settings, new(0)));
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
    }

    private static GroupingResult Group(GroupingMode mode, FillStrategy? fill, params Rollout[] rollouts) =>
        RolloutGrouper.Group(rollouts, rollouts.Length, ["a", "b"], new(mode, fill, 0, -1), new(0));

    private static Rollout Rolled(double reward, params string[] paths)
    {
        var counts = new Dictionary<string, int>();
        var calls = paths.Select(path => Call(path, counts[path] = counts.GetValueOrDefault(path, -1) + 1));
        return new() { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Reward = reward, Outcome = RolloutOutcome.Scored, Trace = new([.. calls]) };
    }

    private static PredictorCall Call(string path, int ordinal) => new()
    {
        Path = path,
        Ordinal = ordinal,
        Signature = Plan,
        Inputs = FieldMap.Empty,
        Messages = [],
        Model = "toy",
        Outputs = FieldMap.Empty,
    };
}
