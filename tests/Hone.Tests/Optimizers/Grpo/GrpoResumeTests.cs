using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

public sealed class GrpoResumeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-grpo").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>An interruption at any event, whatever was written by then, changes nothing about where the run ends.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(191)]
    [InlineData(263)]
    [InlineData(352)]
    public async Task CompileAsync_InterruptedAndResumed_EndsExactlyWhereAnUnbrokenRunEnds(int interruptAtEvent)
    {
        var options = ToyTask.Options with { Steps = 20, ValidateEvery = 4, SaveStateEvery = 3, MaxParallelism = 1 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        using var kill = new CancellationTokenSource();
        var events = 0;
        var progress = new GrpoTests.Recorder(_ =>
        {
            if (events++ == interruptAtEvent)
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(options with { Progress = progress }, kill.Token));
        var resumed = await Run(options with { Resume = true }, Token);

        GrpoTests.AssertSameSeries(expected, resumed);
        var (unbroken, continued) = ((ToyPolicy)expected.Program.Model!.Client, (ToyPolicy)resumed.Program.Model!.Client);
        Assert.Equal(unbroken.Probability(0, 1), continued.Probability(0, 1));
        Assert.Equal(unbroken.Probability(1, 1), continued.Probability(1, 1));
        Assert.Equal(expected.Comparison, resumed.Comparison);
    }

    /// <summary>A validation that is made up for after a stop, and again lost to a kill: its score counts, whether or not it is the best.</summary>
    [Fact]
    public async Task CompileAsync_StoppedInAValidationAndKilledAfterIt_EndsWhereAnUnbrokenRunEnds()
    {
        var options = ToyTask.Options with { Steps = 120, ValidateEvery = 60, SaveStateEvery = 200, MaxParallelism = 1 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(59, expected.BestStep); // what comes later is no better: whoever forgets this score takes other weights
        using var stop = new CancellationTokenSource();
        var stopped = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoValidationProgress { Step: 59, Completed: 2 })
                stop.Cancel();
        });
        await Run(options with { Progress = stopped, Stop = stop.Token }, Token);
        using var kill = new CancellationTokenSource();
        var killed = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoRolloutProgress { Step: 60 })
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(options with { Progress = killed, Resume = true }, kill.Token));
        var resumed = await Run(options with { Resume = true }, Token);

        GrpoTests.AssertSameSeries(expected, resumed);
        Assert.Equal(expected.Comparison, resumed.Comparison);
    }

    /// <summary>What the choice of examples remembers is part of the state.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(263)]
    public async Task CompileAsync_ExamplesBySpreadInterrupted_EndsWhereAnUnbrokenRunEnds(int interruptAtEvent)
    {
        var options = ToyTask.Options with { Steps = 20, Selection = ExampleSelection.Spread, SaveStateEvery = 3, MaxParallelism = 1 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        using var kill = new CancellationTokenSource();
        var events = 0;
        var progress = new GrpoTests.Recorder(_ =>
        {
            if (events++ == interruptAtEvent)
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(options with { Progress = progress }, kill.Token));
        GrpoTests.AssertSameSeries(expected, await Run(options with { Resume = true }, Token));
    }

    [Fact]
    public async Task CompileAsync_ResumeOfAFinishedRun_RepeatsItsResultWithoutAnyWork()
    {
        var options = ToyTask.Options with { Steps = 6 };
        var first = await Run(options, Token);
        var calls = 0;
        var resumed = await Run(options with { Resume = true, Progress = new GrpoTests.Recorder(happened => calls += happened is GrpoRolloutProgress ? 1 : 0) }, Token);
        Assert.Equal(0, calls);
        GrpoTests.AssertSameSeries(first, resumed);
    }

    /// <summary>What was found before training is part of the result, whichever process it was that looked.</summary>
    [Fact]
    public async Task CompileAsync_Resumed_TellsWhatTheChecksHadFound()
    {
        var options = ToyTask.Options with { Steps = 2, Budget = new() { MaxSampledTokens = 10_000 } };
        var first = await Run(options, Token);
        var resumed = await Run(options with { Resume = true }, Token);
        Assert.Equal(first.Preflight!.ToString(), resumed.Preflight?.ToString());
        Assert.Equal(first.Preflight.Estimate, resumed.Preflight!.Estimate);
    }

    /// <summary>A session of somebody's own may not be able to write its snapshots down: then no score is told of weights that are gone.</summary>
    [Fact]
    public async Task CompileAsync_ResumedWithoutTheBestWeights_SaysSo_AndCountsFromTheBaseline()
    {
        var warnings = new List<string>();
        var progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : []));
        var options = ToyTask.Options with { Steps = 20, RunDirectory = directory };
        Task<GrpoResult<ToyQuestion, ToyAnswer>> Compile(GrpoOptions with) =>
            Grpo.Create(ToyTask.Metric, with).CompileAsync(new ToyProgram().WithModel(new LM(new Unwritable(ToyTask.Policy()), "toy")), ToyTask.Train, ToyTask.Validation, Token);
        var first = await Compile(options);
        Assert.True(first.BestStep >= 0);
        var resumed = await Compile(options with { Resume = true, Progress = progress });
        Assert.Contains(warnings, warning => warning.Contains($"after step {first.BestStep + 1} scored best", StringComparison.Ordinal));
        Assert.Equal((-1, first.BaselineScore), (resumed.BestStep, resumed.BestScore));
        Assert.False(resumed.Comparison!.IsSignificant);
    }

    /// <summary>Rollouts of steps that are lost are none of the run that goes on: whoever opens its directory must not see them.</summary>
    [Fact]
    public async Task CompileAsync_Resumed_KeepsNoRolloutsOfLostSteps()
    {
        using var kill = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 7 })
                kill.Cancel();
        });
        var options = ToyTask.Options with { Steps = 20, SaveStateEvery = 3 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(options with { Progress = progress }, kill.Token));
        Assert.Equal(8, Directory.GetFiles(Path.Combine(directory, "rollouts")).Length);
        var ended = await Run(options with { Resume = true, Budget = new() { MaxSampledTokens = 1 } }, Token);
        Assert.Equal(6, ended.Steps.Count);
        Assert.Equal(
            Enumerable.Range(0, 6).Select(step => $"step-{step:D5}.jsonl.gz"), Directory.GetFiles(Path.Combine(directory, "rollouts")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task CompileAsync_DirectoryInUseWithoutResume_IsRefused()
    {
        await Run(ToyTask.Options with { Steps = 1 }, Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run(ToyTask.Options with { Steps = 1 }, Token));
        Assert.Contains("earlier run", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompileAsync_ResumeWithOtherOptions_SaysWhatDiffers()
    {
        await Run(ToyTask.Options with { Steps = 1 }, Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run(ToyTask.Options with { Steps = 1, Seed = 99, Resume = true }, Token));
        Assert.Contains($"other options ('seed: {ToyTask.Options.Seed}', now 'seed: 99')", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A run is the program with its state and models, every value of both sets, the options and the version: one of them differs, and it is told which.</summary>
    [Theory]
    [InlineData("other program")]
    [InlineData("other models")]
    [InlineData("other models", true)]
    [InlineData("other state")]
    [InlineData("other teachers")]
    [InlineData("other data")]
    [InlineData("other data", true)]
    [InlineData("other validation data")]
    [InlineData("other version of Hone")]
    public async Task CompileAsync_ResumeOfAnotherRun_SaysWhatDiffers(string what, bool inAnotherWay = false)
    {
        await Run(ToyTask.Options with { Steps = 1 }, Token);
        var model = what == "other models"
            ? new LM(inAnotherWay ? ToyTask.Policy() : ToyTask.ReadablePolicy(), "toy") { Options = inAnotherWay ? new() { MaxOutputTokens = 9 } : new() }
            : new(ToyTask.Policy(), "toy");
        var program = what == "other program" ? new RenamedProgram().WithModel(model) : new ToyProgram().WithModel(model);
        if (what == "other state")
            program = program.With(ProgramState.Default.With("plan", new() { Instructions = "Plan well." }));
        var train = ToyTask.Train.ToArray();
        if (what == "other data")
            train[5] = inAnotherWay ? train[5] with { Labels = FieldMap.Of(("weight", 2)) } : train[5] with { Expected = new("bad/wrong") };
        var validation = ToyTask.Validation.ToArray();
        if (what == "other validation data")
            validation[2] = validation[2] with { Input = new("q7") };
        var path = Path.Combine(directory, "run.json");
        if (what == "other version of Hone")
            await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Token)).Replace("\"version\": \"", "\"version\": \"0.0.1-", StringComparison.Ordinal), Token);

        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 1, RunDirectory = directory, Resume = true })
        {
            Teachers = what == "other teachers" ? [ToyTask.Program(ToyTask.Policy())] : [],
        };
        var error = await Assert.ThrowsAsync<HoneException>(() => optimizer.CompileAsync(program, train, validation, Token));
        Assert.Contains($"was started with {what} (", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Weights count by their values: a model that was saved and loaded again has the name of its folder.</summary>
    [Fact]
    public async Task CompileAsync_ResumeOnTheSameWeightsUnderAnotherName_GoesOn()
    {
        await Run(ToyTask.Options with { Steps = 1 }, Token);
        var program = new ToyProgram().WithModel(new LM(ToyTask.Policy(), "loaded again"));
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 1, RunDirectory = directory, Resume = true });
        Assert.Equal(StopReason.Completed, (await optimizer.CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token)).StopReason);
    }

    [Fact]
    public async Task CompileAsync_TornJournalLine_IsDroppedOnResume()
    {
        var options = ToyTask.Options with { Steps = 10, SaveStateEvery = 5 };
        var expected = await Run(options, Token);
        await File.AppendAllTextAsync(Path.Combine(directory, "journal.jsonl"), "{\"step\": 99, \"rep", Token);
        Directory.Delete(Path.Combine(directory, "state", "step-00010"), recursive: true);
        GrpoTests.AssertSameSeries(expected, await Run(options with { Resume = true }, Token));
    }

    private Task<GrpoResult<ToyQuestion, ToyAnswer>> Run(GrpoOptions options, CancellationToken cancellationToken) =>
        Grpo.Create(ToyTask.Metric, options with { RunDirectory = directory })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, cancellationToken);

    private sealed class RenamedProgram : Module<ToyQuestion, ToyAnswer>
    {
        private readonly Predict<ToyQuestion, ToyAnswer> reply = new("Answer.");

        protected override Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken) => reply.CallAsync(input, cancellationToken);
    }

    // Learns as the toy does; its snapshots stay in memory.
    private sealed class Unwritable(ToyPolicy policy) : DelegatingChatClient(policy), ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            new Session(await policy.StartTrainingAsync(options, cancellationToken));

        private sealed class Session(ITrainingSession inner) : ForwardingSession(inner)
        {
            public override async Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default) =>
                new(new Plain((await base.SnapshotAsync(name, cancellationToken)).Client), name);
        }

        private sealed class Plain(IChatClient client) : DelegatingChatClient(client)
        {
            public override object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(IWeightStore) ? null : base.GetService(serviceType, serviceKey);
        }
    }
}
