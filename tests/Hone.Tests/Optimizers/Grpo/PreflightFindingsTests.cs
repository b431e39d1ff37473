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
    [InlineData(80, 20, false)]
    [InlineData(81, 20, true)]
    [InlineData(99, null, false)]
    [InlineData(100, null, true)]
    public void AddContext_PromptAndAnswerBeyondTheContext_NamePredictorExampleAndSetting(int prompt, int? limit, bool isTold)
    {
        LongPrompt[] prompts = [new("plan", 70, "training", "1", IsMeasured: true), new("answer", prompt, "training", "5 ('late')", IsMeasured: false)];
        var found = Find(findings => findings.AddContext(prompts, _ => limit is { } tokens ? (tokens, "the setting") : null));
        Assert.Equal(isTold ? new[] { "context" } : [], found.Select(finding => finding.Check));
        if (isTold)
        {
            Assert.Contains($"a prompt of 'answer' for the training example 5 ('late') (counted from 0) has about {prompt} tokens", found[0].Message, StringComparison.Ordinal);
            Assert.Contains(limit is null ? "leaves no room" : "up to 20 of an answer (the setting) that is more than the 100", found[0].Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A prompt that is not the longest may still leave the least room.</summary>
    [Fact]
    public void AddContext_LimitsDiffer_LeastRoomOfEachSetIsTold()
    {
        LongPrompt[] prompts = [new("plan", 90, "training", "1", IsMeasured: true), new("answer", 60, "training", "2", IsMeasured: true), new("plan", 99, "validation", "3", IsMeasured: false)];
        var found = Find(findings => findings.AddContext(prompts, path => (path == "plan" ? 5 : 50, path)));
        Assert.Equal(2, found.Length);
        Assert.Contains(found, finding => finding.Message.Contains("A prompt of 'answer' for the training example 2 (counted from 0) has 60 tokens", StringComparison.Ordinal));
        Assert.Contains(found, finding => finding.Message.Contains("'plan' for the validation example 3", StringComparison.Ordinal));
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
