namespace Hone.Engine.Tests.Vectors;

public sealed class EngineVectorTests
{
    [Fact]
    public void Forward_AllModels_MatchesTheReference() => AssertAll(EngineVectors.Forward);

    [Fact]
    public void Gradients_AllModels_MatchTheReference() => AssertAll(EngineVectors.Gradients);

    [Fact]
    public void GrpoSteps_AllRuns_FollowTheReference() => AssertAll(StepVectors.GrpoSteps);

    [Fact]
    public void SupervisedSteps_AllRuns_FollowTheReference() => AssertAll(StepVectors.SupervisedSteps);

    private static void AssertAll(Func<string, IEnumerable<(string Id, string? Failure)>> cases)
    {
        var directory = EngineVectors.FindDirectory();
        Assert.SkipWhen(directory is null, "The recorded vectors are absent: set HONE_VECTORS to their folder.");
        var results = cases(directory).ToList();
        Assert.NotEmpty(results);
        Assert.Empty(results.Where(result => result.Failure is not null).Select(result => $"{result.Id}: {result.Failure}"));
    }
}
