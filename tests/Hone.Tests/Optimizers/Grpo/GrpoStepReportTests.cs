using System.Collections.Immutable;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Reinforcement.Remote;

namespace Hone.Tests.Optimizers;

/// <summary>The numbers of a step are those that its rollouts and groups say.</summary>
public sealed class GrpoStepReportTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Report_Step_TellsWhatItsRolloutsWereLike()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((example, output) => new Score((output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0) + (example.Input.Question == "q3" ? 5 : 0))
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty.Add("answer", output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0),
        });
        var events = new List<GrpoStepCompleted>();
        var options = ToyTask.Options with { Steps = 8, LearningRate = 0.01, UpdatesPerBatch = 2, Progress = new GrpoTests.Recorder(happened => events.AddRange(happened is GrpoStepCompleted step ? [step] : [])) };
        await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token);
        Assert.Equal(8, events.Count);
        foreach (var step in events)
        {
            var report = step.Report;
            var parts = step.Rollouts.SelectMany(rollout => rollout.Parts.Values).ToArray();
            Assert.Equal(Deviation(parts), report.PartDeviations["answer"], 9);
            Assert.Equal(step.Rollouts.Count(rollout => rollout.Trace.Calls.Any(call => step.Advantages.ContainsKey(call))), report.RolloutsTeaching);

            // A plan that cannot be read ends the program before the answer.
            Assert.Equal(step.Rollouts.Count(rollout => rollout.Trace.Calls.All(call => call.Path != "answer")), report.SkippedRollouts);
            Assert.Equal((1, 1), (report.CompletionLengthMin, report.CompletionLengthMax));
            Assert.Equal(report.ClipFraction, report.ClipFractionLow + report.ClipFractionHigh);
            Assert.Equal((1, 0.0), (report.Staleness, report.Seconds.Sync)); // the second update of a batch is one newer than the sampler
        }

        Assert.Contains(events, step => step.Report.SkippedRollouts > 0);
        Assert.True(events.Where(step => step.Rollouts.Any(rollout => rollout.ExampleIndex == 3)).Min(step => step.Report.GroupMeanDeviation)
            > events.Where(step => step.Rollouts.All(rollout => rollout.ExampleIndex != 3)).Max(step => step.Report.GroupMeanDeviation));
    }

    /// <summary>How long answers are says nothing where the limit cuts them: those that end by themselves have lengths of their own. What is not trained has none.</summary>
    [Fact]
    public void Describe_Lengths_AreThoseOfTrainedPredictors_AndOfAnswersThatEnded()
    {
        Rollout[] rollouts =
        [
            Rolled(Calls.Make("answer", 4), Calls.Make("frozen", 1000)),
            Rolled(Calls.Make("answer", 8), Calls.Make("frozen", 1000, isCut: true)),
            Rolled(Calls.Make("answer", 20, isCut: true)),
            Rolled(Calls.Make("answer", 20, isCut: true)) with { Teacher = 0 },
        ];
        var report = GrpoReporter.Describe(0, rollouts, new([], 0, 0), new([], new()), ["answer"]);
        Assert.Equal((13.0, 4, 20), (report.CompletionLengthMean, report.CompletionLengthMin, report.CompletionLengthMax));
        Assert.Equal((6.0, 4, 8), (report.EndedLengthMean, report.EndedLengthMin, report.EndedLengthMax));
        Assert.Equal(0.5, report.TruncatedFraction);

        var cut = GrpoReporter.Describe(0, rollouts[2..], new([], 0, 0), new([], new()), ["answer"]);
        Assert.Equal((0.0, 0, 0, 1.0), (cut.EndedLengthMean, cut.EndedLengthMin, cut.EndedLengthMax, cut.TruncatedFraction));
        Assert.Equal(0, GrpoReporter.Describe(0, [], new([], 0, 0), new([], new()), ["answer"]).CompletionLengthMean);
    }

    [Fact]
    public void Rates_AreTokensBySecondsOfTheirPhase()
    {
        var report = new GrpoStepReport { Step = 0, TokensSampled = 300, TokensTrained = 200, Seconds = new() { Rollout = 2, Forward = 1, Backward = 3 } };
        Assert.Equal((150.0, 50.0), (report.SampledTokensPerSecond, report.TrainedTokensPerSecond));
        Assert.Equal((0.0, 0.0), (new GrpoStepReport { Step = 0 }.SampledTokensPerSecond, new GrpoStepReport { Step = 0 }.TrainedTokensPerSecond));
    }

    /// <summary>Rollouts of groups without spread are compared and have nothing to teach.</summary>
    [Fact]
    public async Task RolloutsTeaching_FlatGroups_AreNotCounted()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => 0.5);
        var result = await Grpo.Create(metric, ToyTask.Options with { Steps = 3 }).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, null, Token);
        Assert.Equal((3 * 16, 3 * 16), (result.RolloutsGenerated, result.RolloutsUsed));
        Assert.All(result.Steps, step => Assert.Equal(0, step.RolloutsTeaching));
    }

    [Fact]
    public async Task Seconds_OfAService_TellTheHandingOverOfWeights()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 2 })
            .CompileAsync(new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server))), ToyTask.Train, null, Token);
        Assert.All(result.Steps, step => Assert.True(step.Seconds.Sync > 0));
    }

    private static Rollout Rolled(params PredictorCall[] calls) =>
        new() { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Reward = 1, Outcome = RolloutOutcome.Scored, Trace = new([.. calls]) };

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
