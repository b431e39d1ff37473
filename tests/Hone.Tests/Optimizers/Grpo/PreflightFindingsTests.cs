using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.Tests.Optimizers;

/// <summary>The checks before training, each on rollouts made up for it.</summary>
public sealed class PreflightFindingsTests
{
    private static readonly TrainingCapabilities Capabilities = new() { Losses = [PolicyLossType.Dapo], MaxSequenceLength = 100 };

    [Fact]
    public void AddTokens_NoCallOfATrainedPredictor_IsAProblem()
    {
        var finding = Assert.Single(Find(findings => findings.AddTokens([Rolled(Calls.Make("frozen", 3))])));
        Assert.Equal((PreflightSeverity.Problem, "calls"), (finding.Severity, finding.Check));
    }

    /// <summary>A local model that is not trained tells its tokens, and that is no help to the one that is.</summary>
    [Fact]
    public void AddTokens_TrainedPredictorWithoutTokens_IsAProblem_UnlessTheServiceLearnsFromText()
    {
        Rollout[] rollouts = [Rolled(Calls.Make("frozen", 3), Calls.Make("answer", 0))];
        var finding = Assert.Single(Find(findings => findings.AddTokens(rollouts)));
        Assert.Equal((PreflightSeverity.Problem, "tokens"), (finding.Severity, finding.Check));
        Assert.Empty(Find(findings => findings.AddTokens(rollouts), capabilities: Capabilities with { LearnsFromText = true }));
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, PreflightSeverity.Warning)]
    [InlineData(10, PreflightSeverity.Problem)]
    public void AddLengths_AnswersThatReachTheLimit_AreTold(int cut, PreflightSeverity? expected)
    {
        Rollout[] rollouts = [.. Enumerable.Range(0, 10).Select(i => Rolled(Calls.Make("answer", 5, isCut: i < cut)))];
        var found = Find(findings => findings.AddLengths(rollouts));
        Assert.Equal(expected, found.SingleOrDefault(finding => finding.Check == "cut answers")?.Severity);
    }

    [Theory]
    [InlineData(80, false)]
    [InlineData(81, true)]
    public void AddLengths_PromptAndAnswerBeyondTheContext_NameThePredictor(int prompt, bool isTold)
    {
        var options = new GrpoOptions { Sampling = new() { Temperature = 1, MaxOutputTokens = 20 } };
        var found = Find(findings => findings.AddLengths([Rolled(Calls.Make("frozen", 5, promptTokens: 99), Calls.Make("answer", 5, promptTokens: prompt))]), options);
        Assert.Equal(isTold, found.Any(finding => finding.Check == "context" && finding.Message.Contains("'answer'", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(3L << 30, true)]
    [InlineData(1L << 30, false)]
    [InlineData(null, false)]
    public void AddMemory_MoreThanThereIs_IsAWarning(long? needed, bool isTold)
    {
        var found = Find(findings => findings.AddMemory(2L << 30), capabilities: Capabilities with { MemoryBytes = needed });
        Assert.Equal(isTold ? new[] { "memory" } : [], found.Select(finding => finding.Check));
        if (isTold)
            Assert.Contains("about 3.0 GiB of memory, and there are 2.0 GiB", found[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_Estimate_CountsWhatTheTrainedPredictorsSample_AndTellsTheMemory()
    {
        var options = new GrpoOptions { Steps = 10, ExamplesPerStep = 2, RolloutsPerExample = 4 };
        var findings = new PreflightFindings(options, Capabilities with { MemoryBytes = 3L << 29 }, ["answer"]);
        var report = findings.Report([.. Enumerable.Range(0, 4).Select(_ => Rolled(Calls.Make("frozen", 100), Calls.Make("answer", 5)))], 1, 0, 0, 0);
        Assert.Equal((10 * 2 * 4 * 5, 3L << 29), (report.Estimate.SampledTokens, report.Estimate.MemoryBytes));
        Assert.EndsWith(", 1.5 GiB of memory", report.ToString(), StringComparison.Ordinal);
    }

    private static PreflightFinding[] Find(Action<PreflightFindings> look, GrpoOptions? options = null, TrainingCapabilities? capabilities = null)
    {
        var findings = new PreflightFindings(options ?? new(), capabilities ?? Capabilities, ["answer"]);
        look(findings);
        return [.. findings.Report([Rolled()], 0, 0, 0, 0).Findings];
    }

    private static Rollout Rolled(params PredictorCall[] calls) => new()
    {
        ExampleIndex = 0,
        RolloutIndex = 0,
        Seed = 0,
        Reward = 1,
        Outcome = RolloutOutcome.Scored,
        Trace = new([.. calls]),
    };
}
