using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>Whole runs of GRPO over the wire, against a server that learns.</summary>
public sealed class TinkerRunTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-tinker").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task CompileAsync_OverTheWire_GivesTheNumbersOfTheRunInProcess()
    {
        var policy = ToyTask.Policy();
        var expected = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(ToyTask.Program(policy), ToyTask.Train, ToyTask.Validation, Token);
        await using var server = FakeTinkerServer.Start(policy);
        var actual = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);

        AssertSameNumbers(expected, actual);
        Assert.True(actual.BestScore - actual.BaselineScore > 0.3, $"{actual.BaselineScore} -> {actual.BestScore}");
        Assert.True(actual.Comparison!.IsSignificant);
        var learned = (ToyPolicy)expected.Program.Model!.Client;
        Assert.Equal(learned.Probability(1, 1), server.Probability(1, 1), 9);
        Assert.Equal(0, actual.Steps.Max(step => step.SamplerDifferenceMax));
    }

    [Fact]
    public async Task CompileAsync_SeveralUpdatesABatch_GivesTheNumbersOfTheRunInProcess()
    {
        var policy = ToyTask.Policy();

        // Bounds so wide that nothing is clipped: the toy session in process does not clip.
        var options = ToyTask.Options with { Steps = 8, UpdatesPerBatch = 3, Loss = new() { EpsilonLow = 1, EpsilonHigh = 1000 } };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(policy), ToyTask.Train, ToyTask.Validation, Token);
        await using var server = FakeTinkerServer.Start(policy);
        var actual = await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        AssertSameNumbers(expected, actual, digits: 5); // old log-probabilities are single precision
    }

    /// <summary>The result's model samples the weights that were validated, although the server has gone on learning.</summary>
    [Fact]
    public async Task CompileAsync_Result_StaysOnTheWeightsThatScored()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var options = ToyTask.Options with { Steps = 20, Return = ReturnPolicy.Best };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        var evaluator = new Evaluator<ToyQuestion, ToyAnswer>(ToyTask.Metric, new() { Options = new() { Temperature = 0 }, Recovery = RecoveryPolicy.None });
        var after = await evaluator.EvaluateAsync(result.Program, ToyTask.Validation, Token);
        Assert.Equal(1.0, after.Mean);
        var before = await evaluator.EvaluateAsync(Program(server), ToyTask.Validation, Token);
        Assert.True(before.Mean < 1);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    [InlineData(190)]
    public async Task CompileAsync_KilledAndResumed_EndsWhereAnUnbrokenRunEnds(int killAtEvent)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var options = ToyTask.Options with { Steps = 10, ValidateEvery = 4, SaveStateEvery = 3, MaxParallelism = 1 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);

        using var kill = new CancellationTokenSource();
        var events = 0;
        var progress = new GrpoTests.Recorder(_ =>
        {
            if (events++ == killAtEvent)
                kill.Cancel();
        });
        options = options with { RunDirectory = directory };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Grpo.Create(ToyTask.Metric, options with { Progress = progress }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, kill.Token));
        server.Restart(); // the checkpoints are on a disk
        var resumed = await Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        GrpoTests.AssertSameSeries(expected, resumed);
    }

    /// <summary>Services load a checkpoint into a fresh model only: going back within a run makes one, and the run goes on as it does in process.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CompileAsync_Collapse_GoesBackAsInProcess(bool holdsOne)
    {
        var options = ToyTask.Options with { Steps = 24, ValidateEvery = 5, Preflight = PreflightMode.Off, Collapse = new() { MaxFormatFailures = null, MaxRewardDrop = 0.3, MaxRollbacks = 1 } };
        var policy = ToyTask.Policy();
        var expected = await Grpo.Create(Straying(), options).CompileAsync(ToyTask.Program(policy), ToyTask.Train, ToyTask.Validation, Token);
        await using var server = FakeTinkerServer.Start(policy);
        server.HoldsOneModel = holdsOne;
        var actual = await Grpo.Create(Straying(), options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        AssertSameNumbers(expected, actual);
        Assert.Equal(expected.StopReason, actual.StopReason);
        Assert.Equal(holdsOne ? 3 : 2, server.Requests.Count(request => request.Operation == "create_model"));
        Assert.Equal(holdsOne ? 1 : 0, server.Requests.Count(request => request.Operation == "unload_model"));

        // What some versions of the policy do earns nothing, as if it had gone astray.
        static Metric<ToyQuestion, ToyAnswer> Straying() => (example, prediction, cancellationToken) =>
            prediction.Trace.Calls[0].Tokens is { PolicyVersion: >= 17 and <= 19 } ? ValueTask.FromResult<Score>(0.0) : ToyTask.Metric(example, prediction, cancellationToken);
    }

    [Fact]
    public async Task CompileAsync_ServerRestartsAndLosesTheModel_SaysWhatIsLostAndResumes()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var options = ToyTask.Options with { Steps = 8, SaveStateEvery = 2, RunDirectory = directory };
        var restarted = false;
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 4 } && !restarted)
            {
                restarted = true;
                server.Restart();
            }
        });
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(
            () => Grpo.Create(ToyTask.Metric, options with { Progress = progress }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("Resume", error.Message, StringComparison.Ordinal);
        var resumed = await Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(8, resumed.Steps.Count);
    }

    [Fact]
    public async Task CompileAsync_ResumeAfterCheckpointsAreGone_NamesTheCheckpoint()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var options = ToyTask.Options with { Steps = 2, SaveStateEvery = 1, RunDirectory = directory };
        await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        server.Restart(keepCheckpoints: false);
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(
            () => Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("tinker://model_1/weights/state-2-", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Everything that may pass by itself does not disturb a run: its numbers are those of a run without faults.</summary>
    [Fact]
    public async Task CompileAsync_PassingFaults_ChangeNothing()
    {
        var policy = ToyTask.Policy();
        var options = ToyTask.Options with { Steps = 6 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(policy), ToyTask.Train, ToyTask.Validation, Token);
        await using var server = FakeTinkerServer.Start(policy);
        foreach (var operation in (string[])["asample", "forward_backward", "optim_step", "save_weights_for_sampler", "retrieve_future"])
        {
            server.Inject(new(ServerFaultKind.CutBody, operation));
            server.Inject(new(ServerFaultKind.ServerError, operation));
            server.Inject(new(ServerFaultKind.Unavailable, operation));
        }

        server.Inject(new(ServerFaultKind.TryAgain, "retrieve_future", 5));
        var actual = await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server, time: new LeapingClock()), ToyTask.Train, ToyTask.Validation, Token);
        AssertSameNumbers(expected, actual);
    }

    /// <summary>An outage ends the run instead of teaching the policy that everything it says is wrong.</summary>
    [Fact]
    public async Task CompileAsync_SamplerGoneForGood_EndsTheRunWithTheServicesError()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.Inject(new(ServerFaultKind.ServerError, "asample", 10_000));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options)
            .CompileAsync(Program(server, time: new LeapingClock()), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Equal("asample", error.Operation);
    }

    /// <summary>A program that catches every error does not hide the outage: nothing is learned from what it made of it.</summary>
    [Fact]
    public async Task CompileAsync_ProgramCatchesTheOutage_EndsTheRunAllTheSame()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.Inject(new(ServerFaultKind.NullBody, "asample", 10_000));
        var program = new ForgivingProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server)));
        await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.DoesNotContain(server.Requests, request => request.Operation == "forward_backward");
        await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token));

        // Nor is it a finding about the task.
        await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options).CheckAsync(program, ToyTask.Train, null, Token));
    }

    [Fact]
    public async Task CompileAsync_ApiKey_IsSentAndNeverWrittenDown()
    {
        const string key = "tml-0123456789abcdefghij";
        await using var server = FakeTinkerServer.Start(ToyTask.Policy(), key);
        var log = new Clients.ListLogger();
        server.Inject(new(ServerFaultKind.ServerError, "optim_step"));
        var options = ToyTask.Options with { Steps = 3, SaveStateEvery = 1, RunDirectory = directory };
        await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server, key, new LeapingClock(), log), ToyTask.Train, ToyTask.Validation, Token);
        Assert.NotEmpty(log.Lines);
        Assert.DoesNotContain(log.Lines, line => line.Text.Contains(key, StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(key, await File.ReadAllTextAsync(file, Token), StringComparison.Ordinal);
        Assert.DoesNotContain(key, TinkerTask.Options(server, key).ToString(), StringComparison.Ordinal);

        var refused = await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, options with { RunDirectory = null })
            .CompileAsync(Program(server, "tml-wrongwrongwrong"), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Equal(401, refused.Status);
        Assert.Contains("API key", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("tml-wrong", refused.ToString(), StringComparison.Ordinal);
    }

    private sealed class ForgivingProgram : Module<ToyQuestion, ToyAnswer>
    {
        private readonly Predict<ToyQuestion, ToyAnswer> answer = new("Answer.");

        protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
        {
            try
            {
                return await answer.CallAsync(input, cancellationToken);
            }
            catch (HoneException)
            {
                return new("I do not know");
            }
        }
    }

    private static Program<ToyQuestion, ToyAnswer> Program(FakeTinkerServer server, string? key = null, TimeProvider? time = null, Clients.ListLogger? log = null) =>
        new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server, key, time, log)));

    private static void AssertSameNumbers<TIn, TOut>(GrpoResult<TIn, TOut> expected, GrpoResult<TIn, TOut> actual, int digits = 9)
    {
        Assert.Equal(expected.Steps.Select(step => (step.Step, step.RewardMean, step.TokensSampled)), actual.Steps.Select(step => (step.Step, step.RewardMean, step.TokensSampled)));
        Assert.All(expected.Steps.Zip(actual.Steps), pair => Assert.Equal(pair.First.GradientNorm, pair.Second.GradientNorm, digits));
        Assert.Equal(expected.Validations.Select(validation => (validation.Step, validation.Score)), actual.Validations.Select(validation => (validation.Step, validation.Score)));
        Assert.Equal((expected.BestStep, expected.BestScore), (actual.BestStep, actual.BestScore));
    }
}
