using Hone.Optimizers;
using Hone.Testing;

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
        Assert.Contains("other options", error.Message, StringComparison.Ordinal);
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
        var model = what == "other models" ? new LM(ToyTask.Policy(), inAnotherWay ? "toy" : "other") { Options = inAnotherWay ? new() { MaxOutputTokens = 9 } : new() } : new(ToyTask.Policy(), "toy");
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
}
