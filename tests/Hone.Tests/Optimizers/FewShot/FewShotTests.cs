using Hone.Optimizers;

namespace Hone.Tests.Optimizers.FewShot;

/// <summary>Scenarios LFS-1, BFS-1 to BFS-8 and RS-1 to RS-3.</summary>
public sealed class FewShotTests
{
    public static TheoryData<int> Parallelisms => [1, 4, 32];

    [Theory]
    [InlineData(16, false, new[] { "q1", "q2", "q3" })]
    [InlineData(2, false, new[] { "q1", "q2" })]
    public async Task Labelled_demos_are_the_first_training_examples(int count, bool sample, string[] expected)
    {
        var lab = new Lab(_ => Lab.Answer("never"));
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Demos = count, Sample = sample, MaxParallelism = n }).CompileAsync(lab.Two(), Lab.Examples(3), cancellationToken: Token));
        Assert.Equal(expected, Lab.DemoQuestions(result.Program.State, "hint"));
        Assert.Equal(expected, Lab.DemoQuestions(result.Program.State, "ans"));
        Assert.Empty(lab.Calls);
    }

    [Fact]
    public async Task Sampled_labelled_demos_are_a_permutation_and_an_empty_set_gives_none()
    {
        var lab = new Lab(_ => Lab.Answer("never"));
        var optimizer = new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Demos = 3 });
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Demos = 3, MaxParallelism = n }).CompileAsync(lab.Two(), Lab.Examples(3), cancellationToken: Token));
        Assert.Equal(["q1", "q2", "q3"], Lab.DemoQuestions(result.Program.State, "ans").Order());
        Assert.Empty(lab.Calls);
        Assert.Empty((await optimizer.CompileAsync(lab.Two(), [], cancellationToken: Token)).Program.State["ans"].Demos);
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Accepted_runs_become_demos_in_the_order_of_the_set(int parallelism)
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Question is "q1" or "q3", call.Question));
        var result = await Compile(lab.One(), 4, new() { MaxBootstrappedDemos = 2, MaxLabeledDemos = 4, MaxParallelism = parallelism });
        Assert.Equal(["q1", "q3"], Lab.DemoQuestions(result.Program.State, "ans")[..2]);
        Assert.Equal(["q1", "q3"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
        Assert.Equal(["q2", "q4"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: false).Order());
        Assert.Equal(3, lab.Calls.Count);
    }

    [Fact]
    public async Task Harvesting_ends_with_the_last_demo_that_is_needed()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Question is "q1" or "q3", call.Question));
        var result = await CompileEverywhere(lab, 4, new() { MaxBootstrappedDemos = 1, MaxLabeledDemos = 4 });
        Assert.Equal(["q1"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
        Assert.Equal(["q2", "q3", "q4"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: false).Order());
        Assert.Single(lab.Calls);
    }

    [Fact]
    public async Task The_teacher_never_sees_the_example_itself()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.ShowsDemoOf(call.Question), call.Question));
        var result = await CompileEverywhere(lab, 4, new() { MaxLabeledDemos = 4 });
        Assert.Empty(Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
        Assert.Equal(4, result.Program.State["ans"].Demos.Length);
        Assert.Equal(4, lab.Calls.Count);
        Assert.All(lab.Calls, call => Assert.Equal(3, call.Demos.Length));
    }

    [Fact]
    public async Task The_example_is_left_out_of_predictors_that_have_none_of_its_inputs_too()
    {
        // The second predictor sees a hint alone, and the examples know theirs.
        var lab = new Lab(call => call.Path == "hint" ? FieldMap.Of(("hint", call.Question)) : Lab.AnswerIf(true, call.Text("hint")));
        var result = await new BootstrapFewShot<FieldMap, FieldMap>(Lab.Exact, new() { MaxLabeledDemos = 4 })
            .CompileAsync(new Blind().WithModel(lab.Model), [.. Lab.Examples(4).Select(example => example with { Labels = FieldMap.Of(("hint", example.Id)) })], cancellationToken: Token);
        Assert.Equal(4, result.Program.State["ans"].Demos.Count(demo => demo.IsAugmented));
        Assert.Equal(8, lab.Calls.Count);
        Assert.All(lab.Calls, call => Assert.Equal(3, call.Demos.Length));
        Assert.All(lab.Calls.Where(call => call.Path == "ans"), call => Assert.DoesNotContain(call.Demos, demo => Equals(demo["answer"], "a" + call.Text("hint")[1..])));
    }

    [Theory]
    [InlineData(1, 0, 4)]
    [InlineData(2, 4, 8)]
    public async Task Further_rounds_sample_anew(int rounds, int harvested, int attempts)
    {
        var lab = new Lab(call => Lab.AnswerIf(call is { Sample: 1, Temperature: 1 }, call.Question));
        var result = await CompileEverywhere(lab, 4, new() { MaxRounds = rounds });
        Assert.Equal(harvested, Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true).Length);
        Assert.Equal(attempts, lab.Calls.Count);
    }

    [Fact]
    public async Task A_failing_run_costs_its_example_alone()
    {
        var lab = new Lab(call => call.Question == "q2" ? throw new InvalidOperationException("down") : Lab.AnswerIf(true, call.Question));
        await CompileEverywhere(lab, 4, new() { MaxErrors = 2 });
        var optimizer = Optimizer(new() { MaxErrors = 2 });
        for (var i = 0; i < 2; i++)
        {
            // The second compilation counts errors anew.
            var result = await optimizer.CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token);
            Assert.Equal(["q1", "q3", "q4"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
            Assert.Equal(["q2"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: false));
        }

        Assert.Equal(["q1", "q2", "q4"], lab.Calls.First(call => call.Question == "q3").Demos.Select(demo => (string)demo["question"]!).Order());
        var error = await Assert.ThrowsAsync<HoneException>(() => Optimizer(new() { MaxErrors = 1 }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Contains("down", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, new[] { "q2" })]
    [InlineData(null, new[] { "q1", "q2" })]
    [InlineData(0.0, new[] { "q1", "q2" })]
    public async Task A_threshold_is_honoured_zero_included(double? threshold, string[] expected)
    {
        var lab = new Lab(call => Lab.AnswerIf(true, call.Question));
        var metric = Metric.From<FieldMap, FieldMap>((example, _) => example.Id == "q1" ? 0.4 : 0.6);
        var result = await lab.AtEveryParallelismAsync((lab, n) =>
            new BootstrapFewShot<FieldMap, FieldMap>(metric, new() { MetricThreshold = threshold, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(2), cancellationToken: Token));
        Assert.Equal(expected, Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
    }

    [Fact]
    public async Task Every_predictor_draws_its_labelled_demos_from_the_whole_pool()
    {
        var lab = new Lab(call => call.Path == "hint" ? FieldMap.Of(("hint", "h")) : Lab.Answer("wrong"));
        var result = await lab.AtEveryParallelismAsync((lab, n) => Compile(lab.Two(), 20, new() { MaxLabeledDemos = 16, MaxErrors = 100, MaxParallelism = n }));
        var (hint, ans) = (Lab.DemoQuestions(result.Program.State, "hint"), Lab.DemoQuestions(result.Program.State, "ans"));
        Assert.Equal((16, 16), (hint.Length, ans.Length));
        Assert.NotEqual(hint.Order(), ans.Order());

        // From all twenty: together they show more than one of them can.
        Assert.InRange(hint.Concat(ans).Distinct().Count(), 17, 20);
    }

    [Fact]
    public async Task A_predictor_called_several_times_gives_one_demo_an_example()
    {
        var lab = new Lab(call => Lab.Answer(call.Question + "!"));
        var program = new Repeating().WithModel(lab.Model);
        var chosen = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var result = await lab.AtEveryParallelismAsync((lab, n) => new BootstrapFewShot<FieldMap, FieldMap>(null, new() { MaxLabeledDemos = 0, MaxParallelism = n })
                .CompileAsync(program.WithModel(lab.Model), Lab.Examples(2), cancellationToken: Token));
            Assert.Equal(2, result.Program.State["ans"].Demos.Length);
            chosen.Add(string.Join(',', Lab.DemoQuestions(result.Program.State, "ans")));
        }

        Assert.Equal(chosen[0], chosen[1]);
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Random_search_keeps_the_best_set_and_ends_at_the_target(int parallelism)
    {
        var lab = new Lab(call => Lab.AnswerIf(call.ShowsDemoOf("q6"), call.Question));
        var result = await new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new()
        {
            MaxBootstrappedDemos = 6,
            MaxLabeledDemos = 0,
            TargetScore = 1,
            MaxParallelism = parallelism,
        })
        {
            Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
        }.CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(4, "v"), Token);
        Assert.Equal([0, 0, 0, 1], result.Candidates.Select(candidate => candidate.Score!.Value));
        Assert.Equal([null, "-3", "-2", "-1"], result.Candidates.Select(candidate => candidate.Notes.GetValueOrDefault("seed")));
        Assert.Equal(["q1", "q2", "q3", "q4", "q5", "q6"], Lab.DemoQuestions(result.Program.State, "ans", isAugmented: true));
        Assert.Equal(StopReason.TargetReached, result.StopReason);
        Assert.Equal(6, lab.Calls.Count(call => call.Question.StartsWith('q')));
        Assert.Equal(8, lab.Calls.Count(call => call.Question.StartsWith('v')));
        Assert.Equal(new ConfidenceInterval(1, 1), result.Comparison!.Interval);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public async Task Candidates_side_by_side_are_the_same_candidates(int atOnce)
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question));
        var one = await lab.AtEveryParallelismAsync((lab, n) => Search(lab, 1, n));
        var several = await new Lab(call => Lab.AnswerIf(call.Demos.Length >= (call.Question[^1] - '0'), call.Question)).AtEveryParallelismAsync((lab, n) => Search(lab, atOnce, n));
        Assert.Equal(one.Candidates.Select(candidate => (candidate.Origin, candidate.Score)), several.Candidates.Select(candidate => (candidate.Origin, candidate.Score)));
        Assert.Equal((one.Program.SaveState(), one.ProgramRuns), (several.Program.SaveState(), several.ProgramRuns));

        static Task<OptimizationResult<FieldMap, FieldMap>> Search(Lab lab, int atOnce, int parallelism) => new BootstrapRandomSearch<FieldMap, FieldMap>(
            Lab.Exact, new() { Candidates = 4, MaxLabeledDemos = 0, MaxBootstrappedDemos = 6, PerfectScore = null, CandidatesAtOnce = atOnce, MaxParallelism = parallelism })
        {
            Acceptance = Metric.From<FieldMap, FieldMap>((_, _) => true),
        }.CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(7, "v"), Token);
    }

    [Fact]
    public async Task A_restriction_without_candidates_is_refused_before_any_call()
    {
        var lab = new Lab(call => Lab.AnswerIf(false, call.Question));
        Assert.Throws<HoneException>(() => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Restrict = [999] }));
        var result = await lab.AtEveryParallelismAsync((lab, n) => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Restrict = OneShot(), MaxParallelism = n })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(2, "v"), Token));
        Assert.Equal(2, result.Candidates.Length);

        static IEnumerable<int> OneShot()
        {
            yield return -3;
        }
    }

    [Fact]
    public async Task Nothing_better_than_the_program_as_it_came_returns_it()
    {
        var lab = new Lab(call => Lab.AnswerIf(false, call.Question));
        var program = lab.One();
        var result = await lab.AtEveryParallelismAsync((lab, n) => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 3, MaxParallelism = n })
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(2, "v"), Token));
        Assert.Equal(0, result.BestIndex);
        Assert.Equal(program.State, result.Program.State);
        Assert.StartsWith("No significant change", result.Verdict, StringComparison.Ordinal);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static BootstrapFewShot<FieldMap, FieldMap> Optimizer(BootstrapFewShotOptions options) => new(Lab.Exact, options);

    private static Task<OptimizationResult<FieldMap, FieldMap>> CompileEverywhere(Lab world, int examples, BootstrapFewShotOptions options) =>
        world.AtEveryParallelismAsync((lab, n) => Compile(lab.One(), examples, options with { MaxParallelism = n }));

    private static Task<OptimizationResult<FieldMap, FieldMap>> Compile(Program<FieldMap, FieldMap> program, int examples, BootstrapFewShotOptions options) =>
        Optimizer(options).CompileAsync(program, Lab.Examples(examples), cancellationToken: Token);

    private sealed class Blind : Module<FieldMap, FieldMap>
    {
        private readonly Predict hint = Predict.Parse("question -> hint");
        private readonly Predict ans = Predict.Parse("hint -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) =>
            await ans.CallAsync(FieldMap.Of(("hint", (await hint.CallAsync(input, cancellationToken))["hint"])), cancellationToken);
    }

    private sealed class Repeating : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = Predict.Parse("question -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            await ans.CallAsync(input.With("question", input["question"] + ".1"), cancellationToken);
            await ans.CallAsync(input.With("question", input["question"] + ".2"), cancellationToken);
            return await ans.CallAsync(input.With("question", input["question"] + ".3"), cancellationToken);
        }
    }
}
