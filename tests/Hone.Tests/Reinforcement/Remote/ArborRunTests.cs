using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>Whole runs of GRPO with an Arbor server that learns.</summary>
public sealed class ArborRunTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-arbor").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>Arbor takes a step a group, not a batch: the path is another one, what is learned is the same.</summary>
    [Fact]
    public async Task CompileAsync_WithArbor_LearnsWhatTheRunInProcessLearns()
    {
        var inProcess = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var result = await Grpo.Create(ToyTask.Metric, ArborTask.Run).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        Assert.True(result.BestScore - result.BaselineScore > 0.3, $"{result.BaselineScore} -> {result.BestScore}, in process {inProcess.BaselineScore} -> {inProcess.BestScore}");
        Assert.True(result.Comparison!.IsSignificant);
        Assert.True(result.BestScore >= inProcess.BestScore - 0.1);
        Assert.True(server.Probability(0, 1) > 0.8 && server.Probability(1, 1) > 0.8);
        Assert.Equal(30 * 16, result.RolloutsGenerated);
        Assert.Equal(result.RolloutsGenerated, result.RolloutsUsed);
        Assert.True(result.TokensSampled > 0);

        // Every group with something to teach was learned from, none was thrown away.
        var sent = server.Requests.Count(request => request.Operation == "step");
        Assert.Equal(sent, server.GroupsTrained);
        Assert.InRange(sent, 60, 120);
        Assert.Equal("cancel", server.Requests[^1].Operation);
    }

    [Fact]
    public async Task CompileAsync_Result_AnswersFromItsCheckpointAfterTheJobHasEnded()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var result = await Grpo.Create(ToyTask.Metric, ArborTask.Run).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        var evaluator = new Evaluator<ToyQuestion, ToyAnswer>(ToyTask.Metric, new() { Options = new() { Temperature = 0 } });
        Assert.Equal(1.0, (await evaluator.EvaluateAsync(result.Program, ToyTask.Validation, Token)).Mean);
    }

    /// <summary>What Arbor does not tell is unknown, not zero, and the user is told that a state cannot be gone back to.</summary>
    [Fact]
    public async Task CompileAsync_WithARunDirectory_WarnsAndKeepsUnknownNumbersUnknown()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var warnings = new List<string>();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoWarning warning)
                warnings.Add(warning.Message);
        });
        var options = ArborTask.Run with { Steps = 2, SaveStateEvery = 2, RunDirectory = directory, Progress = progress };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Contains(warnings, warning => warning.Contains("Set SaveStateEvery to 1", StringComparison.Ordinal));
        Assert.Contains(warnings, warning => warning.Contains("after every group, and a step makes 4 of them or more (2 examples, 2 predictors)", StringComparison.Ordinal));
        Assert.All(result.Steps, step => Assert.InRange(step.Staleness, 1, 4));
        Assert.DoesNotContain(result.Preflight!.Findings, finding => finding.Severity == PreflightSeverity.Problem); // it learns from text, without tokens
        Assert.All(result.Steps, step => Assert.True(double.IsNaN(step.Loss) && double.IsNaN(step.GradientNorm) && step.LearningRate == 0.5));
        Assert.Contains("\"loss\":\"NaN\"", await File.ReadAllTextAsync(Path.Combine(directory, "journal.jsonl"), Token), StringComparison.Ordinal);
        var reference = Directory.GetFiles(directory, "arbor.json", SearchOption.AllDirectories).Single(path => path.Contains("step-00002", StringComparison.Ordinal) && path.Contains("state", StringComparison.Ordinal));
        Assert.Contains("checkpoints/hone-state", await File.ReadAllTextAsync(reference, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompileAsync_PassingFaults_SendEveryGroupOnce()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        server.StaleAnswers = 2;
        foreach (var operation in (string[])["step", "status", "checkpoint", "completions"])
        {
            server.Inject(new(ServerFaultKind.CutBody, operation));
            server.Inject(new(ServerFaultKind.ServerError, operation));
            server.Inject(new(ServerFaultKind.NullBody, operation == "completions" ? operation : "none"));
        }

        var result = await Grpo.Create(ToyTask.Metric, ArborTask.Run with { Steps = 10 }).CompileAsync(Program(server, new LeapingClock()), ToyTask.Train, ToyTask.Validation, Token);
        var bodies = server.Requests.Where(request => request.Operation == "step").Select(request => request.Body).ToArray();
        Assert.Equal(server.GroupsTrained, bodies.Distinct().Count());
        Assert.Equal(bodies.Length, bodies.Distinct().Count() + 1); // the one that met the error 500 was sent again, the cut one was not
        Assert.Equal(0, result.Steps.Sum(step => step.Crashes + step.Unscorable));
    }

    [Fact]
    public async Task CompileAsync_TrainerDies_EndsWithATimeOutThatSaysWhatIsLeft()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 4 })
                server.IsTrainerDead = true;
        });
        var error = await Assert.ThrowsAsync<TrainingServiceTimeoutException>(() => Grpo.Create(ToyTask.Metric, ArborTask.Run with { ValidateEvery = 3, Progress = progress })
            .CompileAsync(Program(server, new LeapingClock()), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("status is 'running'", error.Message, StringComparison.Ordinal);
        Assert.Contains("/storage/grpo:policy:toy-run-1:20260102/checkpoints/", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompileAsync_InferenceServerIsGone_EndsInsteadOfLearningNothing()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        server.Inject(new(ServerFaultKind.NullBody, "completions", 10_000));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ArborTask.Run)
            .CompileAsync(Program(server, retries: false), ToyTask.Train, null, Token));
        Assert.Contains("null body", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The process of the run is killed, the server goes on: the job is found again where it was left.</summary>
    [Fact]
    public async Task CompileAsync_KilledAndResumed_GoesOnWithTheSameJob()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var options = ArborTask.Run with { Steps = 12, SaveStateEvery = 1, RunDirectory = directory, MaxParallelism = 1 };
        using var kill = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStateSaved { NextStep: 7 })
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Grpo.Create(ToyTask.Metric, options with { Progress = progress })
            .CompileAsync(Program(server, atEnd: ArborJobEnd.Keep), ToyTask.Train, ToyTask.Validation, kill.Token));
        var resumed = await Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token);

        await using var other = FakeArborServer.Start(ToyTask.Policy());
        var expected = await Grpo.Create(ToyTask.Metric, options with { RunDirectory = null }).CompileAsync(Program(other), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(expected.Steps.Select(step => step.RewardMean), resumed.Steps.Select(step => step.RewardMean));
        Assert.Equal(other.Probability(0, 1), server.Probability(0, 1));
        Assert.Single(server.Requests, request => request.Operation == "initialize");
    }

    [Fact]
    public async Task CompileAsync_ResumeAfterTheServerRestarted_SaysWhatIsLost()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var options = ArborTask.Run with { Steps = 3, SaveStateEvery = 1, RunDirectory = directory };
        await Grpo.Create(ToyTask.Metric, options).CompileAsync(Program(server, atEnd: ArborJobEnd.Keep), ToyTask.Train, ToyTask.Validation, Token);
        server.Restart();
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(
            () => Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("cannot load a state", error.Message, StringComparison.Ordinal);
        Assert.Contains("/checkpoints/hone-state on the server", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests, request => request.Operation == "initialize"); // no GPUs were taken for nothing
    }

    [Fact]
    public async Task CompileAsync_ResumeBehindTheTrainer_SaysSo()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var options = ArborTask.Run with { Steps = 7, SaveStateEvery = 5, RunDirectory = directory };
        using var kill = new CancellationTokenSource();
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: 5 })
                kill.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Grpo.Create(ToyTask.Metric, options with { Progress = progress })
            .CompileAsync(Program(server, atEnd: ArborJobEnd.Keep), ToyTask.Train, ToyTask.Validation, kill.Token));
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(
            () => Grpo.Create(ToyTask.Metric, options with { Resume = true }).CompileAsync(Program(server), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("its trainer is ahead", error.Message, StringComparison.Ordinal);
    }

    private static Program<ToyQuestion, ToyAnswer> Program(FakeArborServer server, TimeProvider? time = null, ArborJobEnd atEnd = ArborJobEnd.Cancel, bool retries = true)
    {
        var model = ArborLM.Open(ArborTask.Options(server, time) with { AtEnd = atEnd });
        return new ToyProgram().WithModel(retries ? model with { Retry = new() { BaseDelay = TimeSpan.Zero } } : model with { Retry = null });
    }
}
