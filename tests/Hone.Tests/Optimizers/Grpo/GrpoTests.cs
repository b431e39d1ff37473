using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

public sealed class GrpoTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>T10: a single-token bandit.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task CompileAsync_SingleTokenBandit_FindsTheRewardedToken(long seed)
    {
        string[] arms = [.. Enumerable.Range(0, 10).Select(i => ToyTask.Completion("answer", $"arm{i}"))];
        var program = new Predict<ToyQuestion, ToyAnswer>("Pull.").WithModel(new ToyPolicy(new ToyChoice("answer", [.. arms])));
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer == "arm7");
        var options = ToyTask.Options with { Steps = 60, Seed = seed, ExamplesPerStep = 1, LearningRate = 2, Scaling = AdvantageScaling.None };
        var result = await Grpo.Create(metric, options with { Return = ReturnPolicy.Last }).CompileAsync(program, ToyTask.Train, null, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;
        Assert.True(learned.Probability(0, 7) > 0.9, $"P(arm7) = {learned.Probability(0, 7):0.000}");
    }

    [Fact]
    public async Task CompileAsync_TwoModules_LearnsBothAndSaysHowSure()
    {
        var policy = ToyTask.Policy();
        var program = ToyTask.Program(policy);
        var taught = 0;
        var progress = new Recorder(happened =>
        {
            if (happened is GrpoStepCompleted step)
                taught += step.Rollouts.Count(rollout => rollout.Trace.Calls.Any(call => step.Advantages.ContainsKey(call)));
        });
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Progress = progress }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;
        Assert.True(learned.Probability(0, 1) > 0.8 && learned.Probability(1, 1) > 0.8);
        Assert.True(result.Comparison!.Gain > 0.3 && result.Comparison.IsSignificant);
        Assert.Equal(result.BestScore, result.Validations.Max(validation => validation.Score));
        Assert.Equal(1.0, result.RolloutsUsed / (double)result.RolloutsGenerated);
        Assert.Equal(taught, result.Steps.Sum(step => step.RolloutsTeaching));
        Assert.InRange(taught, 1, result.RolloutsUsed);
        Assert.Equal(30 * 16, result.RolloutsGenerated);
        Assert.Equal(StopReason.Completed, result.StopReason);
    }

    [Fact]
    public async Task Progress_OfAValidation_TellsEveryAnswer_AndTheEndComesLast()
    {
        var events = new List<GrpoEvent>();
        var options = ToyTask.Options with { Steps = 10, ValidationSamples = 2, Progress = new Recorder(events.Add) };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(result.Validations.Count, events.OfType<GrpoValidated>().Count());
        foreach (var validated in events.OfType<GrpoValidated>())
        {
            Assert.Equal(validated.Validation.Scores, validated.Answers.Select(answer => answer.Score));
            Assert.Equal(ToyTask.Validation.Select(example => example.Input.Question), validated.Answers.Select(answer => answer.Input));
            Assert.All(validated.Answers, answer => Assert.True(answer.Output is null ? answer.Error is not null : answer.Output.Contains('/', StringComparison.Ordinal)));
        }

        var finished = Assert.IsType<GrpoFinished>(events[^1]);
        Assert.Equal((result.StopReason, result.BestStep, result.Comparison), (finished.Reason, finished.BestStep, finished.Comparison));
    }

    /// <summary>Ledger B10: the model that came in is untouched, the result has one of its own.</summary>
    [Fact]
    public async Task CompileAsync_Always_LeavesTheCallersModelAsItWas()
    {
        var policy = ToyTask.Policy();
        var program = ToyTask.Program(policy);
        var before = Enumerable.Range(0, 4).Select(i => policy.Probability(1, i)).ToArray();
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(before, Enumerable.Range(0, 4).Select(i => policy.Probability(1, i)));
        Assert.Same(policy, program.Model!.Client);
        Assert.NotSame(policy, result.Program.Model!.Client);
    }

    /// <summary>Ledger B11: nothing of a run stays in the optimizer.</summary>
    [Fact]
    public async Task CompileAsync_SecondRunOfOneOptimizer_EqualsTheFirst()
    {
        var optimizer = Grpo.Create(ToyTask.Metric, ToyTask.Options);
        var first = await optimizer.CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var second = await optimizer.CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        AssertSameSeries(first, second);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task CompileAsync_AnyParallelism_GivesTheSameSeries(int parallelism)
    {
        var expected = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var actual = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { MaxParallelism = parallelism })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        AssertSameSeries(expected, actual);
    }

    [Fact]
    public async Task CompileAsync_NothingBeatsTheBaseline_ReturnsTheOriginalModelAndSaysSo()
    {
        var policy = ToyTask.Policy();
        var program = ToyTask.Program(policy);
        var flat = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => 0.5);
        var result = await Grpo.Create(flat, ToyTask.Options with { Steps = 4, FailureScore = 0.5 }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.Same(policy, result.Program.Model!.Client);
        Assert.Equal(-1, result.BestStep);
        Assert.False(result.Comparison!.IsSignificant);
    }

    [Fact]
    public async Task CompileAsync_TokenBudget_StopsWithAUsableProgram()
    {
        var options = ToyTask.Options with { Budget = new() { MaxSampledTokens = 100 } };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(StopReason.TokenBudget, result.StopReason);
        Assert.InRange(result.TokensSampled, 100, 132);
        Assert.NotNull(result.Program.Model);
    }

    [Fact]
    public async Task CompileAsync_StopRequested_ReturnsTheBestSoFar()
    {
        using var stop = new CancellationTokenSource();
        var progress = new Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 14 })
                stop.Cancel();
        });
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Progress = progress, Stop = stop.Token })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(StopReason.Requested, result.StopReason);
        Assert.Equal(15, result.Steps.Count);
        Assert.Equal(9, result.BestStep);
    }

    [Fact]
    public async Task CompileAsync_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new Recorder(happened =>
        {
            if (happened is GrpoStepCompleted)
                cancel.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options with { Progress = progress })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, cancel.Token));
    }

    [Fact]
    public async Task CompileAsync_SmallTrainingSet_IsRepeatedWithAWarning()
    {
        var warnings = new List<string>();
        var progress = new Recorder(happened =>
        {
            if (happened is GrpoWarning warning)
                warnings.Add(warning.Message);
        });
        var options = ToyTask.Options with { Steps = 2, ExamplesPerStep = 3, Progress = progress };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train[..1], null, Token);
        Assert.Contains(warnings, message => message.Contains("repeated 3 times", StringComparison.Ordinal));
        Assert.Equal(2 * 3 * 8, result.RolloutsGenerated);
    }

    /// <summary>Ledger B9: demos stay in the prompts that are learned from.</summary>
    [Fact]
    public async Task CompileAsync_DemosInTheState_AreInEveryPrompt()
    {
        var demo = new Demo(FieldMap.Of(("question", "demo-question"), ("plan", "demo-plan")));
        var policy = new ToyPolicy(
            new ToyChoice("demo-plan", ToyTask.Completion("plan", "good"), ToyTask.Completion("plan", "bad")),
            new ToyChoice("[[ ## answer ## ]]\n{answer}", ToyTask.Completion("answer", "right"), ToyTask.Completion("answer", "wrong")));
        var program = ToyTask.Program(policy).With(ProgramState.Default.With("plan", new() { Demos = [demo] }));
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 5 }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(demo, Assert.Single(result.Program.State["plan"].Demos));
        Assert.Equal(0, result.Steps.Sum(step => step.Crashes + step.Unscorable));
    }

    [Fact]
    public async Task CompileAsync_UntrainableModel_SaysWhatToDo()
    {
        var program = new ToyProgram().WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Contains("'scripted' cannot be trained", error.Message, StringComparison.Ordinal);
    }

    internal static void AssertSameSeries<TIn, TOut>(GrpoResult<TIn, TOut> expected, GrpoResult<TIn, TOut> actual)
    {
        Assert.Equal(
            expected.Steps.Select(step => (step.Step, step.RewardMean, step.GradientNorm, step.TokensSampled, step.FormatFailures)),
            actual.Steps.Select(step => (step.Step, step.RewardMean, step.GradientNorm, step.TokensSampled, step.FormatFailures)));
        Assert.Equal(
            expected.Validations.Select(validation => (validation.Step, validation.Score, validation.IsBest)),
            actual.Validations.Select(validation => (validation.Step, validation.Score, validation.IsBest)));
        Assert.Equal((expected.BestStep, expected.BestScore), (actual.BestStep, actual.BestScore));
    }

    internal sealed class Recorder(Action<GrpoEvent> onEvent) : IProgress<GrpoEvent>
    {
        public void Report(GrpoEvent value) => onEvent(value);
    }
}
