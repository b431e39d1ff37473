using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;

namespace Samples.Tests.World;

/// <summary>Training a program whose runs differ in how often they call each predictor.</summary>
public sealed class UnevenRunsTests
{
    [Fact]
    public async Task Training_RunsOfDifferentLength_LearnsFromEveryRollout()
    {
        using var worlds = new Worlds(hops: 5, stopsEarly: true);
        var events = new Kept();
        var options = TrainingJob.Configure(new() { Output = string.Empty, StopsEarly = true, Steps = 2, Seed = 3 }) with { RunDirectory = null, Progress = events, Preflight = PreflightMode.Off };

        var result = await Grpo.Create(ResearchData.Recall, options)
            .CompileAsync(worlds.Program.WithModel(EngineLM.Embedded()), worlds.Train, [.. worlds.Validation.Take(4)], TestContext.Current.CancellationToken);

        Assert.Equal(GroupingMode.Ragged, options.Grouping);
        Assert.Equal(2, events.Steps.Count);
        Assert.True(events.Steps.SelectMany(step => step.Rollouts).Select(rollout => rollout.Trace.Calls.Length).Distinct().Count() > 2, "All runs are of one length.");
        Assert.Equal(
            events.Steps.Sum(step => step.Rollouts.Count(rollout => rollout.Trace.Calls.Any(call => step.Advantages.ContainsKey(call)))), result.Steps.Sum(step => step.RolloutsTeaching));
        Assert.Equal(result.RolloutsGenerated, result.RolloutsUsed);
        Assert.All(result.Steps, step => Assert.True(step.GradientNorm > 0));

        // Later calls are made by fewer rollouts, and still compared.
        Assert.All(events.Steps, step => Assert.Contains(step.Advantages, advantage => advantage.Key.Ordinal > 0 && advantage.Value != 0));
    }

    private sealed class Kept : IProgress<GrpoEvent>
    {
        public List<GrpoStepCompleted> Steps { get; } = [];

        public void Report(GrpoEvent value)
        {
            if (value is GrpoStepCompleted step)
                Steps.Add(step);
        }
    }
}
