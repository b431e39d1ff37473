using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

/// <summary>What a sequence of optimizers keeps of its steps, counts of them, and says of their failures.</summary>
public sealed class BetterTogetherResumeTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-together-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task What_steps_cost_and_say_is_part_of_the_result()
    {
        var lab = NewLab();
        var step = new Step(letter => letter)
        {
            Runs = 5,
            Warning = "the set is small",
        };
        var result = await New(step, step, new() { Strategy = "p -> w" }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);

        // The steps changed nothing: programs that are equal share their runs.
        Assert.Equal(3 + (2 * 5), result.ProgramRuns);
        Assert.Equal(lab.Calls.Count + (2 * 7), result.UsageByRole.Values.Sum(usage => usage.Calls));
        Assert.Equal(["p: the set is small", "w: the set is small"], result.Warnings.Where(warning => warning.Contains("small", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_step_that_ended_with_an_error_has_failed()
    {
        var broken = new Step(letter => letter + "B") { Error = "the server went away", Runs = 5 };
        var result = await New(new Step(letter => letter + "P"), broken, new() { Strategy = "p -> w -> p" }).CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal((StopReason.StepFailed, 2), (result.StopReason, result.Candidates.Length));
        Assert.Contains("the server went away", result.Error, StringComparison.Ordinal);
        result = await New(new Step(letter => letter + "P"), broken, new() { Strategy = "p -> w -> p", OnFailure = StepFailure.Skip })
            .CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(["the program as it came", "p", "p -> p"], result.Candidates.Select(candidate => candidate.Origin));
        Assert.Equal((3 * 3) + 5, result.ProgramRuns);
    }

    [Fact]
    public async Task Stopping_reaches_a_step_and_returns_the_best_so_far()
    {
        using var stop = new CancellationTokenSource();
        var endless = new Step(letter => letter) { Before = async token => { await stop.CancelAsync(); await Task.Delay(Timeout.Infinite, token); } };
        var result = await New(new Step(letter => letter + "P"), endless, new() { Strategy = "p -> w", Stop = stop.Token }).CompileAsync(NewLab().One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal((StopReason.Requested, 2), (result.StopReason, result.Candidates.Length));
    }

    [Fact]
    public async Task A_sequence_that_names_an_optimizer_twice_goes_on_after_its_finished_steps()
    {
        var whole = NewLab();
        var expected = await New(Prompts(), new Step(letter => letter + "W"), new()).CompileAsync(whole.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        Assert.Equal(4, expected.Candidates.Length);

        // The second step fails at first; then only it and what follows is run.
        var first = NewLab();
        var cut = await New(Prompts(), new Step(_ => throw new InvalidOperationException("no trainer")), new() { RunDirectory = directory }).CompileAsync(first.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        Assert.Equal(StopReason.StepFailed, cut.StopReason);
        Assert.True(File.Exists(Path.Combine(directory, "steps", "01", "step.json")));
        Assert.False(File.Exists(Path.Combine(directory, "steps", "02", "step.json")));
        var second = NewLab();
        var resumed = await New(Prompts(), new Step(letter => letter + "W"), new() { RunDirectory = directory, Resume = true }).CompileAsync(second.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        Assert.Equal(Lab.Evidence(expected), Lab.Evidence(resumed));
        Assert.Equal(expected.UsageByRole, resumed.UsageByRole);
        Assert.Equal(whole.Calls.Count, first.Calls.Count + second.Calls.Count);

        // A finished sequence runs no step and asks nothing.
        var silent = new Lab(_ => throw new InvalidOperationException("There must be no call."));
        var never = new Step(_ => throw new InvalidOperationException("There must be no step."));
        var again = await New(Prompts(), never, new() { RunDirectory = directory, Resume = true }).CompileAsync(silent.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        Assert.Equal(Lab.Evidence(expected), Lab.Evidence(again));
    }

    // A model that is away for a while: the step goes on in its directory and pays nothing twice.
    [Fact]
    public async Task A_step_that_is_run_again_goes_on_in_its_directory()
    {
        var whole = NewLab();
        var expected = await New(Prompts(), Prompts(), new() { Strategy = "p" }).CompileAsync(whole.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        var failures = 1;
        var lab = new Lab(call => call.Demos.Length > 0 && call.Question == "v6" && Interlocked.Decrement(ref failures) >= 0
            ? throw new LMServerException("away")
            : Lab.AnswerIf(call.Question[^1] - '0' <= 1 + call.Demos.Length, call.Question));
        var step = new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Demos = 1, OutageRetries = 0, MaxParallelism = 1 });
        var result = await New(step, step, new() { Strategy = "p", StepRetries = 1, RunDirectory = directory }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(6, "v"), Token);
        Assert.Equal(Lab.Evidence(expected), Lab.Evidence(result));
        Assert.Equal(whole.Calls.Count + 1, lab.Calls.Count);
        Assert.Contains(result.Warnings, warning => warning.Contains("is run again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Weights_of_a_finished_step_are_kept_and_loaded()
    {
        var program = ToyTask.Program(ToyTask.Policy());
        var steps = new Dictionary<string, IOptimizer<ToyQuestion, ToyAnswer>> { ["w"] = Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 6 }) };
        var options = new BetterTogetherOptions { Strategy = "w", RunDirectory = directory };
        var first = await new BetterTogether<ToyQuestion, ToyAnswer>(ToyTask.Metric, steps, options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        var trained = Assert.IsType<ToyPolicy>(first.Program.Model!.Client);
        Assert.NotEqual(ToyTask.Policy().Probability(0, 1), trained.Probability(0, 1));

        steps["w"] = new Unrunnable();
        var again = await new BetterTogether<ToyQuestion, ToyAnswer>(ToyTask.Metric, steps, options with { Resume = true }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(first.BestScore, again.BestScore);
        Assert.Equal(trained.Probability(0, 1), Assert.IsType<ToyPolicy>(again.Program.Model!.Client).Probability(0, 1));
        Assert.Equal(first.ProgramRuns, again.ProgramRuns);

        // The chosen program's weights lie beside it.
        Assert.NotNull(ProgramFile.WeightsDirectoryOf(Path.Combine(directory, "best.json")));
    }

    private static LabeledFewShot<FieldMap, FieldMap> Prompts() => new(Lab.Exact, new() { Demos = 1 });

    private static Lab NewLab() => new(call => Lab.AnswerIf(call.Question[^1] - '0' <= 1 + call.Demos.Length + call.Instructions.Count(letter => letter == 'W'), call.Question));

    private static BetterTogether<FieldMap, FieldMap> New(IOptimizer<FieldMap, FieldMap> p, IOptimizer<FieldMap, FieldMap> w, BetterTogetherOptions options) =>
        new(Lab.Exact, new Dictionary<string, IOptimizer<FieldMap, FieldMap>> { ["p"] = p, ["w"] = w }, options);

    /// <summary>Changes the instructions, and says what it is told to say.</summary>
    private sealed class Step(Func<string, string> change) : IOptimizer<FieldMap, FieldMap>
    {
        public string Name => "a step";

        public long Runs { get; init; }

        public string? Warning { get; init; }

        public string? Error { get; init; }

        public Func<CancellationToken, Task>? Before { get; init; }

        public async Task<OptimizationResult<FieldMap, FieldMap>> CompileAsync(
            Program<FieldMap, FieldMap> program,
            IReadOnlyList<Example<FieldMap, FieldMap>> train,
            IReadOnlyList<Example<FieldMap, FieldMap>>? validation = null,
            CancellationToken cancellationToken = default)
        {
            if (Before is not null)
                await Before(cancellationToken);
            var state = program.State.With("ans", program.State["ans"] with { Instructions = change(program.Predictors[0].Value.Instructions) });
            return new()
            {
                Program = program.With(state),
                StopReason = Error is null ? StopReason.Completed : StopReason.Outage,
                Error = Error,
                Duration = TimeSpan.Zero,
                ProgramRuns = Runs,
                UsageByRole = Runs == 0 ? new OptimizationResult<FieldMap, FieldMap> { Program = program, StopReason = default, Duration = default }.UsageByRole : System.Collections.Immutable.ImmutableSortedDictionary<string, Usage>.Empty.Add("prompt", new(7, 0, 0)),
                Warnings = Warning is null ? [] : [Warning],
            };
        }
    }

    private sealed class Unrunnable : IOptimizer<ToyQuestion, ToyAnswer>
    {
        public string Name => "grpo";

        public Task<OptimizationResult<ToyQuestion, ToyAnswer>> CompileAsync(
            Program<ToyQuestion, ToyAnswer> program,
            IReadOnlyList<Example<ToyQuestion, ToyAnswer>> train,
            IReadOnlyList<Example<ToyQuestion, ToyAnswer>>? validation = null,
            CancellationToken cancellationToken = default) => throw new InvalidOperationException("There must be no step.");
    }
}
