using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

/// <summary>Scenarios BT-1 and BT-2.</summary>
public sealed class BetterTogetherTests
{
    private static readonly Example<FieldMap, FieldMap>[] Validation = Lab.Examples(10, "v");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task The_best_program_of_the_sequence_is_returned(int parallelism)
    {
        var lab = NewLab(withP: 7, withPW: 6);
        var (p, w) = (new Appender("P"), new Appender("W"));
        var result = await New(p, w, new() { Strategy = "p -> w", MaxParallelism = parallelism }).CompileAsync(lab.One(), Lab.Examples(4), Validation, Token);
        Assert.Equal("baseP", result.Program.State["ans"].Instructions);
        Assert.Equal([0.5, 0.7, 0.6], result.Candidates.Select(candidate => candidate.Score!.Value));
        Assert.Equal(["the program as it came", "p", "p -> w"], result.Candidates.Select(candidate => candidate.Origin));
        Assert.Equal("baseP", w.Received.Single().State["ans"].Instructions);
        Assert.Equal(["q1", "q2", "q3", "q4"], p.Train.Single().Order());
    }

    [Fact]
    public async Task Without_validation_the_last_program_is_returned()
    {
        var lab = NewLab(withP: 7, withPW: 6);
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            New(new Appender("P"), new Appender("W"), new() { Strategy = "p -> w", ValidationShare = 0, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Equal("basePW", result.Program.State["ans"].Instructions);
        Assert.Null(result.BestScore);
        Assert.Empty(lab.Calls);
    }

    [Theory]
    [InlineData(StepFailure.Stop, 2, StopReason.StepFailed)]
    [InlineData(StepFailure.Skip, 3, StopReason.Completed)]
    public async Task A_failed_step_ends_the_sequence_or_is_passed_over(StepFailure policy, int candidates, StopReason reason)
    {
        var lab = NewLab(withP: 7, withPW: 6);
        var result = await lab.AtEveryParallelismAsync((lab, n) => New(new Appender("P"), new Appender("W") { Fails = true }, new() { Strategy = "p -> w -> p", OnFailure = policy, MaxParallelism = n })
            .CompileAsync(lab.One(), Lab.Examples(4), Validation, Token));
        Assert.Equal("baseP", result.Program.State["ans"].Instructions);
        Assert.Equal(candidates, result.Candidates.Length);
        Assert.Equal(reason, result.StopReason);
        Assert.Contains(result.Warnings, warning => warning.Contains("no trainer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_equal_programs_the_earlier_one_is_returned()
    {
        var result = await NewLab(withP: 7, withPW: 7).AtEveryParallelismAsync((lab, n) =>
            New(new Appender("P"), new Appender("W"), new() { Strategy = "p -> w", MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), Validation, Token));
        Assert.Equal(1, result.BestIndex);
    }

    [Theory]
    [InlineData("")]
    [InlineData("p ->")]
    [InlineData("p -> x")]
    public void A_strategy_of_unknown_or_no_names_is_refused(string strategy) =>
        Assert.Throws<HoneException>(() => New(new Appender("P"), new Appender("W"), new() { Strategy = strategy }));

    [Fact]
    public void A_validation_share_of_one_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new BetterTogetherOptions { ValidationShare = 1 });

    // Without optimizers of one's own: demos first, then weights, which this model has none of.
    [Fact]
    public async Task The_usual_steps_are_random_search_and_tuning()
    {
        var world = new Lab(call => Lab.AnswerIf(call.Demos.Length > 0 || call.Question[0] == 'q', call.Question));
        var result = await world.AtEveryParallelismAsync((lab, n) =>
            new BetterTogether<FieldMap, FieldMap>(Lab.Exact, options: new() { PerfectScore = null, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token));
        Assert.Equal((StopReason.StepFailed, 1, 1.0), (result.StopReason, result.BestIndex, result.BestScore!.Value));
        Assert.Equal(["the program as it came", "p"], result.Candidates.Select(candidate => candidate.Origin));
        Assert.Contains("cannot be trained here", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 2, StopReason.StepFailed)]
    [InlineData(2, 3, StopReason.Completed)]
    public async Task A_step_that_failed_is_run_again_when_asked_to(int retries, int candidates, StopReason reason)
    {
        var result = await NewLab(withP: 7, withPW: 8).AtEveryParallelismAsync((lab, n) =>
            New(new Appender("P"), new Appender("W") { FailsFor = 2 }, new() { Strategy = "p -> w", StepRetries = retries, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), Validation, Token));
        Assert.Equal((candidates, reason), (result.Candidates.Length, result.StopReason));
        Assert.Equal(retries, result.Warnings.Count(warning => warning.Contains("is run again: no trainer", StringComparison.Ordinal)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BetterTogetherOptions { StepRetries = -1 });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Models_that_a_step_loses_are_put_back(int parallelism)
    {
        var lab = NewLab(withP: 7, withPW: 6);
        var program = lab.One().WithNamedModel("large", lab.Model);
        program = program.With(program.State.With("ans", new() { Model = "large" }));
        var result = await New(new Appender("P") { LosesModels = true }, new Appender("W"), new() { Strategy = "p", MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(4), Validation, Token);
        Assert.Equal("large", result.Program.State["ans"].Model);
        Assert.Same(lab.Model, result.Program.Model);
        Assert.Contains(result.Warnings, warning => warning.Contains("put back", StringComparison.Ordinal));
    }

    private static Lab NewLab(int withP, int withPW) => new(call =>
    {
        var solved = call.Has("basePW") ? withPW : call.Has("baseP") ? withP : 5;
        return Lab.AnswerIf(int.Parse(call.Question[1..], System.Globalization.CultureInfo.InvariantCulture) <= solved, call.Question);
    });

    private static BetterTogether<FieldMap, FieldMap> New(Appender p, Appender w, BetterTogetherOptions options) =>
        new(Lab.Exact, new Dictionary<string, IOptimizer<FieldMap, FieldMap>> { ["p"] = p, ["w"] = w }, options);

    /// <summary>Appends a letter to the instructions.</summary>
    private sealed class Appender(string letter) : IOptimizer<FieldMap, FieldMap>
    {
        public List<Program<FieldMap, FieldMap>> Received { get; } = [];

        public List<string[]> Train { get; } = [];

        private int failures;

        public bool Fails { get; init; }

        public int FailsFor { get; init; }

        public bool LosesModels { get; init; }

        public string Name => "append " + letter;

        public Task<OptimizationResult<FieldMap, FieldMap>> CompileAsync(
            Program<FieldMap, FieldMap> program,
            IReadOnlyList<Example<FieldMap, FieldMap>> train,
            IReadOnlyList<Example<FieldMap, FieldMap>>? validation = null,
            CancellationToken cancellationToken = default)
        {
            if (Fails || failures++ < FailsFor)
                throw new InvalidOperationException("no trainer");
            Received.Add(program);
            Train.Add([.. train.Select(example => example.Id!)]);
            var state = program.State.With("ans", program.State["ans"] with { Instructions = program.Predictors[0].Value.Instructions + letter, Model = LosesModels ? null : program.State["ans"].Model });
            var made = LosesModels ? new Program<FieldMap, FieldMap>(program.Module, null, state) : program.With(state);
            return Task.FromResult(new OptimizationResult<FieldMap, FieldMap> { Program = made, StopReason = StopReason.Completed, Duration = TimeSpan.Zero });
        }
    }
}
