using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Simba;

/// <summary>Scenarios SIMBA-1 to SIMBA-5.</summary>
public sealed class SimbaTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-simba-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task A_rule_from_the_contrast_of_two_samples_is_kept(int parallelism)
    {
        var lab = RuleLab();
        var program = lab.One();
        var result = await new Simba<FieldMap, FieldMap>(Lab.Exact, Small() with { MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(4), cancellationToken: Token);
        Assert.Equal("base\n\nALPHA", result.Program.State["ans"].Instructions);
        Assert.Equal([0, 1], result.Candidates.Select(candidate => candidate.Score!.Value));
        Assert.Equal(3, lab.Calls.Count(call => call.Role == "prompt"));
        Assert.Equal(8, lab.Calls.Count(call => call.Temperature == 1 && call.Role == "task"));

        // The three candidates are alike, so that twelve runs cost four; scoring the winner on the set costs nothing more.
        Assert.Equal(4 + 8 + 3 + 4, lab.Calls.Count);
        Assert.Equal("base", program.Predictors[0].Value.Instructions);
    }

    [Fact]
    public async Task Outcomes_that_are_all_perfect_ask_for_nothing()
    {
        var lab = new Lab(call => Lab.AnswerIf(true, call.Question));
        var program = lab.One();
        var result = await lab.AtEveryParallelismAsync((lab, n) => new Simba<FieldMap, FieldMap>(Lab.Exact, Small() with { MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Equal(program.State, result.Program.State);
        Assert.DoesNotContain(lab.Calls, call => call.Role == "prompt");

        // Without a known best score the samples are drawn, but no strategy sees a contrast.
        result = await lab.AtEveryParallelismAsync((lab, n) =>
            new Simba<FieldMap, FieldMap>(Lab.Exact, Small() with { PerfectScore = null, MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Equal(program.State, result.Program.State);
        Assert.DoesNotContain(lab.Calls, call => call.Role == "prompt");
        Assert.Contains(result.Warnings, warning => warning.Contains("no contrast", StringComparison.Ordinal));
    }

    [Fact]
    public void A_demo_is_the_last_call_of_the_best_attempt_with_long_inputs_cut()
    {
        var steps = new[] { Step("first", "1"), Step(new string('x', 50), "2") };
        var bucket = new SimbaBucket(0, [new RunRecord(new(0.2)), new RunRecord(new(0.9)) { Steps = [.. steps] }]);
        var state = SimbaEdits.AddDemos(ProgramState.Default, bucket, low: 0.2, new() { MaxDemoInputLength = 10 })!;
        var demo = Assert.Single(state["ans"].Demos);
        Assert.True(demo.IsAugmented);
        Assert.Equal("2", demo.Fields["answer"]);
        Assert.Equal("xxxxxxxxxx… [cut]", demo.Fields["question"]);
        Assert.Null(SimbaEdits.AddDemos(ProgramState.Default, bucket, low: 0.9, new() { MaxDemoInputLength = 10 }));

        static StepRecord Step(string question, string answer) => new("ans", FieldMap.Of(("question", question)), FieldMap.Of(("answer", answer)));
    }

    [Fact]
    public void Softmax_percentiles_and_picks_are_exact()
    {
        for (var i = 0; i < 100; i++)
            Assert.Equal(2, SimbaMath.SoftmaxPick([0, 500, 1000], 0.2, new Random(i)));
        Assert.Equal(1, SimbaMath.Percentile([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.9));
        Assert.Equal(0, SimbaMath.Percentile([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.1));
        Assert.Equal(9, SimbaMath.Percentile([0, 10], 0.9));
        var random = new Random(1);
        Assert.Equal(2.0, Enumerable.Range(0, 20_000).Average(_ => SimbaMath.Poisson(2, random)), 0.05);
        Assert.Equal(0, SimbaMath.Poisson(0, random));
    }

    [Fact]
    public async Task A_training_set_smaller_than_a_batch_is_refused()
    {
        var lab = RuleLab();
        var error = await Assert.ThrowsAsync<HoneException>(() =>
            new Simba<FieldMap, FieldMap>(Lab.Exact, Small()).CompileAsync(lab.One(), Lab.Examples(3), Lab.Examples(2, "v"), Token));
        Assert.Contains("BatchSize", error.Message, StringComparison.Ordinal);
        Assert.Empty(lab.Calls);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Instructions_that_advice_has_made_too_long_are_written_anew(bool isShorter)
    {
        var rule = "ALPHA, " + string.Join(' ', Enumerable.Repeat("and mind the details", 9));
        var world = new Lab(call => call.Role != "prompt"
            ? Lab.AnswerIf(call.Has("ALPHA") || call is { Temperature: 1, Sample: 0 }, call.Question)
            : call.Inputs.ContainsKey("most_words") ? FieldMap.Of(("proposed_instructions", isShorter ? "Short: ALPHA." : new string('x', 999))) : Advice(rule));
        var options = Small() with { MaxInstructionTokens = 20 };
        var result = await world.AtEveryParallelismAsync((lab, n) => new Simba<FieldMap, FieldMap>(Lab.Exact, options with { MaxParallelism = n }).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token));
        Assert.Equal(isShorter ? "Short: ALPHA." : $"base\n\n{rule}", result.Program.State["ans"].Instructions);
        Assert.Equal(15, int.Parse(world.Calls.First(call => call.Inputs.ContainsKey("most_words")).Text("most_words"), System.Globalization.CultureInfo.InvariantCulture));
        var estimate = new Simba<FieldMap, FieldMap>(Lab.Exact, options).Estimate(world.One(), Lab.Examples(4));
        Assert.InRange(world.Calls.Count(call => call.Role == "prompt"), 1, estimate.ProposalCalls);
    }

    [Theory]
    [InlineData(new[] { 2 }, new[] { 2 })]
    [InlineData(new[] { 1 }, new[] { 1 })]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7, 8 }, new[] { 2, 3, 4, 6, 7, 8 })]
    [InlineData(new[] { 1, 2, 5, 6, 7, 8 }, new[] { 1, 2, 5, 6, 7, 8 })]
    public void Winners_are_scored_whichever_step_they_are_of_while_there_are_places(int[] steps, int[] expected)
    {
        var program = RuleLab().One();
        var winners = new SimbaWinners<FieldMap, FieldMap>(steps: 8, candidates: 6);
        var scored = steps.Select(step => winners.Add(new(program, $"{step}", ""), step)).Where(winner => winner is not null).ToArray();
        Assert.Equal(expected.Select(step => $"{step}").Order(), scored.Concat(winners.Rest()).Select(winner => winner!.Key).Order());
        Assert.InRange(expected.Length, 1, SimbaWinners<FieldMap, FieldMap>.Places(8, 6));
    }

    [Fact]
    public async Task A_gain_at_the_second_step_alone_is_found()
    {
        // Advice of the second step alone helps; with eight steps and six candidates, no pick is at the second one.
        var lab = new Lab(call => call.Role == "prompt"
            ? Advice(call is { Sample: 1 } ? "ALPHA" : "nothing")
            : Lab.AnswerIf(call.Has("ALPHA") || (call.Temperature == 1 && call.Sample % 2 == 0), call.Question));
        var result = await new Simba<FieldMap, FieldMap>(Lab.Exact, new() { BatchSize = 4, Candidates = 6, MaxSteps = 8, MaxDemos = 0, TargetScore = 1 })
            .CompileAsync(lab.One(), Lab.Examples(8), Lab.Examples(3, "v"), Token);
        Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
        Assert.Equal("2", result.Candidates[result.BestIndex].Notes["step"]);
    }

    [Fact]
    public async Task An_interrupted_search_ends_where_an_unbroken_one_does()
    {
        var whole = MixedLab();
        var expected = Lab.Evidence(await CompileAsync(whole, Mixed()));
        var calls = 0;
        OptimizationResult<FieldMap, FieldMap>? last = null;
        for (var most = 20; last?.StopReason is null or StopReason.CallBudget; most += 41)
        {
            var lab = MixedLab();
            last = await CompileAsync(lab, Mixed() with { RunDirectory = directory, Resume = true, Budget = new() { MaxCalls = most } });
            calls += lab.Calls.Count;
        }

        Assert.Equal(expected, Lab.Evidence(last));
        Assert.Equal(whole.Calls.Count, calls);
        Assert.True(last.BestScore > last.BaselineScore);
    }

    [Fact]
    public async Task More_steps_learn_rules_and_demos_at_any_parallelism_within_the_estimate()
    {
        var evidence = new HashSet<string>();
        foreach (var parallelism in new[] { 1, 4, 32 })
        {
            var lab = MixedLab();
            var result = await CompileAsync(lab, Mixed() with { MaxParallelism = parallelism });
            evidence.Add(Lab.Evidence(result));
            var estimate = new Simba<FieldMap, FieldMap>(Lab.Exact, Mixed()).Estimate(lab.One(), Lab.Examples(12), Lab.Examples(6, "v"));
            Assert.InRange(result.ProgramRuns, 1, estimate.ProgramRuns);
            Assert.InRange(lab.Calls.Count(call => call.Role == "prompt"), 1, estimate.ProposalCalls);
        }

        Assert.Single(evidence);
    }

    private static SimbaOptions Small() => new() { BatchSize = 4, Candidates = 2, MaxSteps = 1, MaxDemos = 0 };

    private static SimbaOptions Mixed() => new() { BatchSize = 4, Candidates = 3, MaxSteps = 4, MaxDemos = 2 };

    private static Task<SimbaResult<FieldMap, FieldMap>> CompileAsync(Lab lab, SimbaOptions options) =>
        new Simba<FieldMap, FieldMap>(Lab.Exact, options).CompileAsync(lab.One(), Lab.Examples(12), Lab.Examples(6, "v"), Token);

    private static Lab RuleLab() => new(call => call.Role == "prompt"
        ? Advice("ALPHA")
        : Lab.AnswerIf(call.Has("ALPHA") || call is { Temperature: 1, Sample: 0 }, call.Question));

    // Half of the questions need the rule, half a demo.
    private static Lab MixedLab() => new(call => call.Role == "prompt"
        ? Advice("ALPHA")
        : Lab.AnswerIf((call.Question[^1] % 2 == 0 ? call.Has("ALPHA") : call.Demos.Length > 0) || (call.Temperature == 1 && (call.Sample + call.Question[^1]) % 3 == 0), call.Question));

    private static FieldMap Advice(string rule) => FieldMap.Of(("discussion", "the second attempt knew"), ("advice", FieldMap.Of(("ans", rule))));
}
