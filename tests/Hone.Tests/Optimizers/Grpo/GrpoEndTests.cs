using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers;

/// <summary>How runs end before their last step, and what they leave behind.</summary>
public sealed class GrpoEndTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-end").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string[] States => [.. Directory.GetDirectories(Path.Combine(directory, "state")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task CompileAsync_TokenBudget_ValidatesAndSavesTheStepReached()
    {
        var options = ToyTask.Options with { SaveStateEvery = 100 };
        var ended = await Run(options with { Budget = new() { MaxSampledTokens = 100 } });
        Assert.Equal(StopReason.TokenBudget, ended.StopReason);
        Assert.Equal(ended.Steps.Count - 1, ended.Validations[^1].Step);
        Assert.Equal([$"step-{ended.Steps.Count:D5}"], States);

        var again = await Run(options with { Budget = new() { MaxSampledTokens = 100 }, Resume = true });
        GrpoTests.AssertSameSeries(ended, again);
        var resumed = await Run(options with { Resume = true });
        var unbroken = await Compile(options);
        Assert.Equal(unbroken.Steps.Select(step => (step.RewardMean, step.GradientNorm)), resumed.Steps.Select(step => (step.RewardMean, step.GradientNorm)));
    }

    /// <summary>Time is looked at between steps, and counts over resumptions; the best so far is returned.</summary>
    [Fact]
    public async Task CompileAsync_TimeBudget_EndsBetweenSteps_AndCountsOverResumptions()
    {
        var clock = new FakeTimeProvider();
        var progress = new GrpoTests.Recorder(happened => clock.Advance(happened is GrpoStepCompleted ? TimeSpan.FromMinutes(10) : TimeSpan.Zero));
        var options = ToyTask.Options with { Steps = 12, ValidateEvery = 2, Time = clock, Progress = progress, Budget = new() { MaxDuration = TimeSpan.FromMinutes(45) } };
        var ended = await Run(options);
        Assert.Equal((StopReason.TimeBudget, 5, TimeSpan.FromMinutes(50)), (ended.StopReason, ended.Steps.Count, ended.Duration));
        Assert.Equal(ended.Validations.Max(validation => validation.Score), ended.BestScore);
        Assert.Equal(["step-00005"], States);

        var longer = await Run(options with { Resume = true, Budget = new() { MaxDuration = TimeSpan.FromMinutes(75) } });
        Assert.Equal((StopReason.TimeBudget, 8, TimeSpan.FromMinutes(80)), (longer.StopReason, longer.Steps.Count, longer.Duration));
    }

    [Fact]
    public async Task Verdict_StoppedBeforeAnythingWasCompared_SaysSo_AndNotThatThereWasNoSet()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var options = ToyTask.Options with { Preflight = PreflightMode.Off, Stop = stop.Token };
        var ended = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal("The run ended early (Requested) and nothing was compared: nothing is known about the gain.", ended.Verdict);
        var without = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 1 }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token);
        Assert.Equal("There was no validation set: nothing is known about the gain.", without.Verdict);
    }

    /// <summary>A stop while rollouts are made, or in the middle of a validation: what was learned is saved, what was dropped is made up for.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CompileAsync_StopRequested_SavesTheStepReached_AndGoesOnAsIfNothingHadBeen(bool inValidation)
    {
        using var stop = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (inValidation ? happened is GrpoValidationProgress { Step: 9, Completed: 2 } : happened is GrpoRolloutProgress { Step: 14, Completed: 3 })
                stop.Cancel();
        });
        var options = ToyTask.Options with { SaveStateEvery = 100, Selection = ExampleSelection.Spread, MaxParallelism = 1 };
        var ended = await Run(options with { Progress = progress, Stop = stop.Token });
        Assert.Equal(StopReason.Requested, ended.StopReason);
        Assert.Equal([inValidation ? "step-00010" : "step-00014"], States);
        GrpoTests.AssertSameSeries(await Compile(options), await Run(options with { Resume = true }));
    }

    [Fact]
    public async Task CompileAsync_ExternalCallBudgetSpentInAStep_SavesTheStepBefore()
    {
        var options = ToyTask.Options with { Preflight = PreflightMode.Off, SaveStateEvery = 100, Budget = new() { MaxExternalCalls = 100 } };
        var ended = await Grpo.Create(Judged(), options with { RunDirectory = directory }).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal((StopReason.ExternalCallBudget, 5), (ended.StopReason, ended.Steps.Count));
        Assert.Equal(["step-00005"], States);
    }

    /// <summary>A validation can cost more than many steps: it ends where the limit is passed, is dropped at any parallelism, and what it cost stays spent.</summary>
    [Theory]
    [InlineData(1, 170)]
    [InlineData(32, 172)]
    public async Task CompileAsync_ExternalCallBudgetSpentInAValidation_DropsItAndCountsIt(int parallelism, int most)
    {
        var options = ToyTask.Options with { Steps = 12, Preflight = PreflightMode.Off, MaxParallelism = parallelism, RunDirectory = directory };
        Task<GrpoResult<ToyQuestion, ToyAnswer>> Judge(GrpoOptions with) =>
            Grpo.Create(Judged(), with).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        var ended = await Judge(options with { Budget = new() { MaxExternalCalls = 6 + (10 * 16) + 3 } });
        Assert.Equal((StopReason.ExternalCallBudget, 10, 1), (ended.StopReason, ended.Steps.Count, ended.Validations.Count));
        Assert.InRange(ended.ExternalCalls, 170, most);
        Assert.Equal((6, 6 + (10 * 16)), (ended.Validations[0].ExternalCallsSoFar, ended.Steps[^1].ExternalCallsSoFar));

        var resumed = await Judge(options with { Resume = true });
        GrpoTests.AssertSameSeries(await Judge(options with { RunDirectory = null }), resumed);
        Assert.Equal(ended.ExternalCalls + 6 + (2 * 16) + 6, resumed.ExternalCalls);
    }

    /// <summary>A kill throws steps away; the calls that they cost were made all the same.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(100)]
    public async Task CompileAsync_KilledAndResumed_CountsWhatTheLostStepsHadCost(int saveStateEvery)
    {
        var options = ToyTask.Options with { Steps = 10, Preflight = PreflightMode.Off, SaveStateEvery = saveStateEvery, RunDirectory = directory, MaxParallelism = 1 };
        using var kill = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 6 })
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Grpo.Create(Judged(), options with { Progress = progress })
            .CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, kill.Token));
        var resumed = await Grpo.Create(Judged(), options with { Resume = true }).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        var unbroken = await Grpo.Create(Judged(), options with { RunDirectory = null }).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);

        GrpoTests.AssertSameSeries(unbroken, resumed);
        Assert.Equal(unbroken.ExternalCalls + (saveStateEvery == 5 ? 2 * 16 : 6 + (7 * 16)), resumed.ExternalCalls);
    }

    [Fact]
    public async Task CompileAsync_LastWeightsOfAnEarlyEnd_HaveNoScoreOfOthers()
    {
        using var stop = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 14 })
                stop.Cancel();
        });
        var ended = await Compile(ToyTask.Options with { Return = ReturnPolicy.Last, Progress = progress, Stop = stop.Token });
        Assert.Equal((14, null, null), (ended.BestStep, ended.BestScore, ended.Comparison));
        var whole = await Compile(ToyTask.Options with { Return = ReturnPolicy.Last });
        Assert.Equal((29, whole.Validations[^1].Score), (whole.BestStep, whole.BestScore));
    }

    [Fact]
    public async Task CompileAsync_Patience_EndsAfterValidationsWithoutABetterScore()
    {
        var flat = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => 0.5);
        var options = ToyTask.Options with { FailureScore = 0.5, ValidateEvery = 2, Patience = 3, SaveStateEvery = 100, RunDirectory = directory };
        var result = await Grpo.Create(flat, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal((StopReason.NoImprovement, 6), (result.StopReason, result.Steps.Count));
        Assert.Equal(["step-00006"], States);

        // More patience goes on where less had ended.
        var resumed = await Grpo.Create(flat, options with { Patience = 4, Resume = true }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(8, resumed.Steps.Count);
        var error = await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(flat, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token));
        Assert.Contains("Patience", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A program that hangs and does not listen to its token.</summary>
    [Fact]
    public async Task CompileAsync_RunTimeout_LeavesHangingRunsBehind()
    {
        var clock = new FakeTimeProvider();
        var limit = TimeSpan.FromMinutes(5);
        var program = new HangingProgram(question => Reached(question.Question == "q3", () => clock.Advance(limit))).WithModel(new LM(ToyTask.ReadablePolicy(), "toy"));
        var options = ToyTask.Options with { Steps = 4, RunTimeout = limit, MaxParallelism = 1, Time = clock, Preflight = PreflightMode.Off };
        var validation = ToyTask.Validation.Append(new(new("q3"), new("good/right"))).ToArray();
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, validation, Token);
        Assert.Equal(StopReason.Completed, result.StopReason);
        Assert.Equal(8, result.Steps.Sum(step => step.Unscorable)); // one example of eight, once in an epoch of four steps
        Assert.All(result.Validations, validated => Assert.Equal(0, validated.Scores[^1]));
    }

    /// <summary>One run hangs: what was done before it counts, what comes after it is not begun, and the next step has its whole time.</summary>
    [Fact]
    public async Task CompileAsync_StepDeadline_LearnsFromWhatIsDone()
    {
        var (clock, limit, asked, warnings) = (new FakeTimeProvider(), TimeSpan.FromMinutes(5), 0, new List<string>());
        var program = new HangingProgram(question => Reached(question.Question == "q3" && ++asked == 5, () => clock.Advance(limit))).WithModel(new LM(ToyTask.ReadablePolicy(), "toy"));
        var options = ToyTask.Options with
        {
            Steps = 4,
            StepDeadline = limit,
            MaxResamples = 3,
            MaxParallelism = 1,
            Time = clock,
            Preflight = PreflightMode.Off,
            Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])),
        };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);

        Assert.Equal((StopReason.Completed, 4, 5), (result.StopReason, result.Steps.Count, asked));
        var late = Assert.Single(result.Steps, step => step.Unscorable > 0);
        Assert.Contains(late.Unscorable, new[] { 4, 12 }); // the example's place in its step decides
        Assert.Equal((16 - late.Unscorable, 0), (late.RolloutsUsed, late.ResampledExamples));
        Assert.Contains(warnings, warning => warning.Contains(nameof(GrpoOptions.StepDeadline), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(CheckpointPolicy.SingleBest)]
    [InlineData(CheckpointPolicy.Improvements)]
    [InlineData(CheckpointPolicy.None)]
    public async Task CompileAsync_CheckpointPolicy_DecidesWhichWeightsAreLeft(CheckpointPolicy policy)
    {
        var options = ToyTask.Options with { ValidateEvery = 2, SaveStateEvery = 2, Checkpoint = policy };
        var result = await Run(options);
        string[] weights = [.. Directory.GetDirectories(directory, "best-*").Select(path => Path.GetFileName(path)!)];
        string[] improvements = [.. result.Validations.Where(validation => validation.IsBest && validation.Step >= 0).Select(validation => $"best-step-{validation.Step + 1:D5}")];
        Assert.True(improvements.Length > 2);
        if (policy == CheckpointPolicy.None)
        {
            Assert.Empty(weights);
            Assert.Empty(Directory.GetDirectories(directory, "session", SearchOption.AllDirectories));
            Assert.Equal(result.BestScore, (await new Evaluator<ToyQuestion, ToyAnswer>(ToyTask.Metric, new() { Options = new() { Temperature = 1 }, Seed = new SeedStream(3).Derive("validation").Seed, Recovery = RecoveryPolicy.None })
                .EvaluateAsync(result.Program, ToyTask.Validation, Token)).Mean);
            var error = await Assert.ThrowsAsync<HoneException>(() => Run(options with { Resume = true }));
            Assert.Contains("kept no weights", error.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains(improvements[^1], weights);
            Assert.Equal(policy == CheckpointPolicy.Improvements ? improvements.Length : 1, weights.Length);
        }
    }

    /// <summary>A run in memory that watches for collapses keeps one state to return to, and none when it is over: each may be as large as the weights.</summary>
    [Fact]
    public async Task CompileAsync_CollapseWithoutADirectory_KeepsOneGoodState()
    {
        var (folders, counts) = (new HashSet<string>(), new List<int>());
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoValidated { Validation.IsBest: true })
                counts.Add(Directory.GetDirectories(folders.Single(), "good-*").Length);
        });
        var program = new ToyProgram().WithModel(new LM(new Watched(ToyTask.Policy(), path => folders.Add(Path.GetDirectoryName(path)!)), "toy"));
        await Grpo.Create(ToyTask.Metric, ToyTask.Options with { ValidateEvery = 2, Collapse = new(), Progress = progress }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.True(counts.Count > 3);
        Assert.All(counts, count => Assert.Equal(1, count));
        Assert.False(Directory.Exists(folders.Single()));
    }

    [Fact]
    public async Task CompileAsync_WithoutCheckpointsAndEndedEarly_CanStillGoOn()
    {
        using var stop = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 14 })
                stop.Cancel();
        });
        var options = ToyTask.Options with { Checkpoint = CheckpointPolicy.None, MaxParallelism = 1 };
        await Run(options with { Progress = progress, Stop = stop.Token });
        GrpoTests.AssertSameSeries(await Compile(options), await Run(options with { Resume = true }));
    }

    private static Task<GrpoResult<ToyQuestion, ToyAnswer>> Compile(GrpoOptions options) =>
        Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

    private Task<GrpoResult<ToyQuestion, ToyAnswer>> Run(GrpoOptions options) => Compile(options with { RunDirectory = directory });

    private static Metric<ToyQuestion, ToyAnswer> Judged()
    {
        var judge = Predict.Parse("answer -> verdict").WithModel(new LM(ScriptedChatClient.By((_, _) => ToyTask.Completion("verdict", "fine")), "judge"));
        return async (example, prediction, cancellationToken) =>
        {
            await judge.CallAsync(FieldMap.Of(("answer", prediction.Value.Answer)), cancellationToken);
            return await ToyTask.Metric(example, prediction, cancellationToken);
        };
    }

    private static bool Reached(bool condition, Action then)
    {
        if (condition)
            then();
        return condition;
    }

    private sealed class HangingProgram(Func<ToyQuestion, bool> hangs) : Module<ToyQuestion, ToyAnswer>
    {
        private readonly ToyProgram inner = new();

        protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
        {
            if (hangs(input))
                await new TaskCompletionSource().Task;
            return await inner.CallAsync(input, cancellationToken);
        }
    }

    // Learns as the toy does, and tells where its states are written.
    private sealed class Watched(ToyPolicy policy, Action<string> saved) : DelegatingChatClient(policy), ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await policy.StartTrainingAsync(options, cancellationToken), saved);

        private sealed class Session(ITrainingSession inner, Action<string> saved) : ForwardingSession(inner)
        {
            public override Task SaveStateAsync(string directory, CancellationToken cancellationToken = default)
            {
                saved(directory);
                return base.SaveStateAsync(directory, cancellationToken);
            }
        }
    }
}
