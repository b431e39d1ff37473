using System.Collections.Immutable;
using System.IO.Compression;
using System.Text.Json;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

/// <summary>What keeps a run in hand: budgets, parts of rewards, resampling, collapse, teachers.</summary>
public sealed class GrpoControlsTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-controls").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(32)]
    public async Task CompileAsync_ExternalCallBudget_StopsWithTheBestSoFar(int parallelism)
    {
        var judge = Predict.Parse("answer -> verdict").WithModel(new LM(Judge(), "judge") { Price = new(1m, 0m) });
        var options = ToyTask.Options with { Preflight = PreflightMode.Off, MaxParallelism = parallelism, Budget = new() { MaxExternalCalls = 100 } };
        var result = await Grpo.Create(Judged(judge), options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);

        Assert.Equal(StopReason.ExternalCallBudget, result.StopReason);
        Assert.InRange(result.ExternalCalls, 100, 100 + parallelism);
        Assert.Equal((100 - 6) / 16, result.Steps.Count);
        Assert.All(result.Steps, step => Assert.Equal(16, step.ExternalCalls));
        Assert.NotNull(result.BestScore);
        Assert.True(result.Cost > 0);
    }

    [Fact]
    public async Task CompileAsync_MoneyBudget_StopsWithTheBestSoFar()
    {
        var judge = Predict.Parse("answer -> verdict").WithModel(new LM(Judge(), "judge") { Price = new(1_000_000m, 0m) });
        var options = ToyTask.Options with { Preflight = PreflightMode.Off, Budget = new() { MaxCost = 100m } };
        var result = await Grpo.Create(Judged(judge), options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);

        Assert.Equal(StopReason.CostBudget, result.StopReason);
        Assert.True(result.Cost >= 100m);
    }

    /// <summary>A judge whose own budget refuses a call ends the run; it must not look like a rollout that cannot be scored.</summary>
    [Fact]
    public async Task CompileAsync_JudgesOwnBudgetIsSpent_StopsWithTheBestSoFar()
    {
        using var budget = new CallBudget(new() { MaxCalls = 60 });
        var judge = Predict.Parse("answer -> verdict").WithModel(new LM(ScriptedChatClient.By((_, _) => ToyTask.Completion("verdict", "fine")), "judge") { Budget = budget });
        var result = await Grpo.Create(Judged(judge), ToyTask.Options with { Preflight = PreflightMode.Off })
            .CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);

        Assert.Equal(StopReason.ModelBudget, result.StopReason);
        Assert.Equal(3, result.Steps.Count);
        Assert.Equal(60, budget.GetSnapshot().Spent.Calls);
        Assert.Equal(0, result.Steps.Sum(step => step.Unscorable));
    }

    [Fact]
    public async Task CompileAsync_RunDirectory_KeepsPartsFeedbackAndAdvantages()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => ScoreOf(output));
        var options = ToyTask.Options with { Steps = 1, RunDirectory = directory };
        await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        await using var zipped = new GZipStream(File.OpenRead(Path.Combine(directory, "rollouts", "step-00000.jsonl.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(zipped);
        JsonElement[] lines = [.. (await reader.ReadToEndAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(16, lines.Length);
        var scored = lines.First(line => line.GetProperty("outcome").GetString() == "scored");
        Assert.Contains(scored.GetProperty("feedback").GetString(), new[] { "The plan is good.", "Plan better." });
        Assert.Equal(["answer", "plan"], scored.GetProperty("parts").EnumerateObject().Select(part => part.Name));
        var advantages = lines.SelectMany(line => line.GetProperty("calls").EnumerateArray()).Where(call => call.TryGetProperty("advantage", out _)).ToArray();
        Assert.Equal(0, advantages.GroupBy(call => call.GetProperty("predictor").GetString()).Max(group => Math.Abs(group.Sum(call => call.GetProperty("advantage").GetDouble()))), 6);
        Assert.True(File.Exists(Path.Combine(directory, "preflight.json")));
    }

    /// <summary>A part with a hundred times the range must not drown the other.</summary>
    [Fact]
    public async Task CompileAsync_PartWeights_LearnBothPartsWhateverTheirRange()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => new Score(0)
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty
                .Add("plan", output.Answer.StartsWith("good", StringComparison.Ordinal) ? 100 : 0)
                .Add("answer", output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0),
        });
        var options = ToyTask.Options with
        {
            FailureScore = -0.5,
            PartWeights = ImmutableSortedDictionary<string, double>.Empty.Add("plan", 1).Add("answer", 1),
            Return = ReturnPolicy.Last,
            Preflight = PreflightMode.Off,
        };
        var result = await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;
        Assert.True(learned.Probability(0, 1) > 0.8 && learned.Probability(1, 1) > 0.8, $"{learned.Probability(0, 1):0.00}, {learned.Probability(1, 1):0.00}");
    }

    [Fact]
    public async Task CompileAsync_PartThatTheMetricLacks_IsNamed()
    {
        var options = ToyTask.Options with { PartWeights = ImmutableSortedDictionary<string, double>.Empty.Add("style", 1) };
        var error = await Assert.ThrowsAsync<HoneException>(() =>
            Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token));
        Assert.Contains("'style'", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Examples that every rollout solves teach nothing: they give way to others, a bounded number of times.</summary>
    [Fact]
    public async Task CompileAsync_Resampling_ReplacesExamplesWithoutSpread()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((example, output) =>
            example.Input.Question is "q3" ? (output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0) : 0);
        var options = ToyTask.Options with { Steps = 4, FormatFailureScore = -1, FailureScore = 0, Preflight = PreflightMode.Off };
        var program = ToyTask.Program(new ToyPolicy(
            new ToyChoice("[[ ## answer ## ]]\n{answer}", ToyTask.Completion("answer", "wrong"), ToyTask.Completion("answer", "right")),
            new ToyChoice("[[ ## plan ## ]]\n{plan}", ToyTask.Completion("plan", "good"), ToyTask.Completion("plan", "bad"))));
        var plain = await Grpo.Create(metric, options).CompileAsync(program, ToyTask.Train, null, Token);
        var resampled = await Grpo.Create(metric, options with { MaxResamples = 3 }).CompileAsync(program, ToyTask.Train, null, Token);
        var again = await Grpo.Create(metric, options with { MaxResamples = 3, MaxParallelism = 1 }).CompileAsync(program, ToyTask.Train, null, Token);

        Assert.True(resampled.Steps.Sum(step => step.TokensTrained) > plain.Steps.Sum(step => step.TokensTrained));
        Assert.Equal(0, plain.Steps.Sum(step => step.ResampledExamples));
        Assert.All(resampled.Steps, step => Assert.InRange(step.ResampledExamples, 1, 3 * 2));
        Assert.All(resampled.Steps, step => Assert.Equal(16 + (8 * step.ResampledExamples), step.RolloutsGenerated));
        Assert.All(resampled.Steps, step => Assert.Equal(16, step.RolloutsKept));
        GrpoTests.AssertSameSeries(resampled, again);
    }

    /// <summary>Examples on which nothing can be earned are drawn seldom once that is known; the same whatever the parallelism.</summary>
    [Fact]
    public async Task CompileAsync_SelectionBySpread_PassesOverExamplesWithoutSpread()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((example, output) =>
            example.Input.Question is "q3" or "q5" ? (output.Answer.EndsWith("right", StringComparison.Ordinal) ? 1 : 0) : 0);
        var options = ToyTask.Options with { Steps = 30, LearningRate = 0.01, Preflight = PreflightMode.Off };
        var program = ToyTask.Program(ToyTask.ReadablePolicy());
        var even = await Grpo.Create(metric, options).CompileAsync(program, ToyTask.Train, null, Token);
        var spread = await Grpo.Create(metric, options with { Selection = ExampleSelection.Spread }).CompileAsync(program, ToyTask.Train, null, Token);
        var again = await Grpo.Create(metric, options with { Selection = ExampleSelection.Spread, MaxParallelism = 1 }).CompileAsync(program, ToyTask.Train, null, Token);

        Assert.InRange(even.Steps.Average(step => step.ZeroVarianceFraction), 0.7, 0.8);
        Assert.InRange(spread.Steps.Average(step => step.ZeroVarianceFraction), 0.1, 0.5);
        GrpoTests.AssertSameSeries(spread, again);
    }

    [Fact]
    public async Task CompileAsync_RewardCollapses_ReturnsToGoodWeightsAndLowersTheRate()
    {
        var (options, metric) = Collapsing();
        var events = new List<GrpoRolledBack>();
        var result = await Grpo.Create(metric(), options with { Progress = new GrpoTests.Recorder(happened => events.AddRange(happened is GrpoRolledBack back ? [back] : [])) })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        var back = Assert.Single(events);
        Assert.Equal(1, result.Rollbacks);
        Assert.Contains("mean reward", back.Reason, StringComparison.Ordinal);
        var fall = result.Steps[back.Step];
        Assert.Equal(back.Reason, fall.Collapse);
        Assert.Equal(options.LearningRate!.Value / 2, result.Steps[back.Step + 1].LearningRate, 9);
        Assert.Equal(StopReason.Collapsed, result.StopReason);
    }

    [Fact]
    public async Task CompileAsync_CollapsesOnceTooOften_EndsWithTheBestBefore()
    {
        var (options, metric) = Collapsing();
        var result = await Grpo.Create(metric(), options with { Collapse = options.Collapse! with { MaxRollbacks = 0 } })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(StopReason.Collapsed, result.StopReason);
        Assert.Equal(result.Validations.Max(validation => validation.Score), result.BestScore);
    }

    [Fact]
    public async Task CompileAsync_InterruptedAfterARollback_EndsWhereAnUnbrokenRunEnds()
    {
        var (options, metric) = Collapsing();
        options = options with { SaveStateEvery = 2, MaxParallelism = 1 };
        var expected = await Grpo.Create(metric(), options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        using var kill = new CancellationTokenSource();
        var interrupted = options with { RunDirectory = directory, Progress = new GrpoTests.Recorder(happened => CancelAfter(happened, kill)) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Grpo.Create(metric(), interrupted).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, kill.Token));
        var resumed = await Grpo.Create(metric(), options with { RunDirectory = directory, Resume = true })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        GrpoTests.AssertSameSeries(expected, resumed);
        Assert.Equal(1, resumed.Rollbacks);

        static void CancelAfter(GrpoEvent happened, CancellationTokenSource kill)
        {
            if (happened is GrpoRolledBack)
                kill.Cancel();
        }
    }

    /// <summary>Upstream learns from a teacher as if the policy had written it; here its own probabilities weigh it.</summary>
    [Fact]
    public async Task CompileAsync_TeacherWithTokens_IsLearnedFromOffPolicyAndCounted()
    {
        var teacher = ToyTask.Program(new ToyPolicy(
            new ToyChoice("[[ ## answer ## ]]\n{answer}", ToyTask.Completion("answer", "wrong"), ToyTask.Completion("answer", "right"), "garbage"),
            new ToyChoice("[[ ## plan ## ]]\n{plan}", ToyTask.Completion("plan", "bad"), ToyTask.Completion("plan", "good"), ToyTask.Completion("plan", "worse"), "no field at all")));
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 90 }) { Teachers = [teacher] };
        var result = await optimizer.CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var learned = (ToyPolicy)result.Program.Model!.Client;

        Assert.All(result.Steps, step => Assert.Equal(8, step.OffPolicyRollouts));
        Assert.True(learned.Probability(0, 1) > 0.8 && learned.Probability(1, 1) > 0.8, $"{learned.Probability(0, 1):0.00} {learned.Probability(1, 1):0.00}");
    }

    [Fact]
    public async Task CompileAsync_TeacherWithoutTokens_IsLeftOutAndCounted()
    {
        var warnings = new List<string>();
        var teacher = new ToyProgram().WithModel(ScriptedChatClient.By((_, _) => $"{ToyTask.Completion("plan", "good")}\n{ToyTask.Completion("answer", "right")}"));
        var options = ToyTask.Options with { Steps = 2, Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])) };
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, options) { Teachers = [teacher] };
        var result = await optimizer.CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        Assert.All(result.Steps, step => Assert.Equal((8, 0, 8), (step.OpaqueRollouts, step.OffPolicyRollouts, step.RolloutsUsed)));
        Assert.Contains(warnings, warning => warning.Contains("does not tell its tokens", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CompileAsync_TeachersThatDoNotFit_AreRefused()
    {
        var program = ToyTask.Program(ToyTask.Policy());
        var odd = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { RolloutsPerExample = 3 }) { Teachers = [program] };
        Assert.Contains("RolloutsPerExample", (await Assert.ThrowsAsync<HoneException>(() => odd.CompileAsync(program, ToyTask.Train, null, Token))).Message, StringComparison.Ordinal);
        var other = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options)
        {
            Teachers = [new Predict<ToyQuestion, ToyAnswer>("Answer.").WithModel(ToyTask.Policy())],
        };
        Assert.Contains("plan, answer", (await Assert.ThrowsAsync<HoneException>(() => other.CompileAsync(program, ToyTask.Train, null, Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompileAsync_ValidationSamples_ReportWhatSamplingCouldReach()
    {
        var options = ToyTask.Options with { Steps = 10, ValidateEvery = 10, ValidationTemperature = 0, ValidationSamples = 6 };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.All(result.Validations, validation => Assert.True(validation.BestOfSamples > validation.SampledScore));
        Assert.True(result.Validations[^1].SampledScore > result.Validations[0].SampledScore);
    }

    [Fact]
    public async Task Verdict_SaysWhenNothingChanged()
    {
        var flat = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => 0.5);
        var options = ToyTask.Options with { Steps = 2, FailureScore = 0.5 };
        var nothing = await Grpo.Create(flat, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.StartsWith("No significant change: 0.500 before, 0.500 after", nothing.Verdict, StringComparison.Ordinal);
        var much = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.DoesNotContain("No significant change", much.Verdict, StringComparison.Ordinal);
    }

    // One token in, one token out a call.
    private static ScriptedChatClient Judge() => ScriptedChatClient.ByAsync((_, _, _) =>
    {
        var response = ScriptedChatClient.Respond(ToyTask.Completion("verdict", "fine"));
        response.Usage = new() { InputTokenCount = 1, OutputTokenCount = 1 };
        return Task.FromResult(response);
    });

    private static Score ScoreOf(ToyAnswer output)
    {
        var (plan, answer) = (output.Answer.StartsWith("good", StringComparison.Ordinal) ? .5 : 0, output.Answer.EndsWith("right", StringComparison.Ordinal) ? .5 : 0);
        return new(plan + answer)
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty.Add("plan", plan).Add("answer", answer),
            Feedback = plan > 0 ? "The plan is good." : "Plan better.",
        };
    }

    private static Metric<ToyQuestion, ToyAnswer> Judged(Program<FieldMap, FieldMap> judge) => async (example, prediction, cancellationToken) =>
    {
        await judge.CallAsync(FieldMap.Of(("answer", prediction.Value.Answer)), cancellationToken);
        return await ToyTask.Metric(example, prediction, cancellationToken);
    };

    // What some versions of the policy do earns nothing: the reward falls as it does when a policy has gone astray, once more after the return.
    private static (GrpoOptions Options, Func<Metric<ToyQuestion, ToyAnswer>> Metric) Collapsing()
    {
        var options = ToyTask.Options with
        {
            ValidateEvery = 5,
            Preflight = PreflightMode.Off,
            Collapse = new() { MaxFormatFailures = null, MaxRewardDrop = 0.3, MaxRollbacks = 1 },
        };
        return (options, () => (example, prediction, cancellationToken) =>
            prediction.Trace.Calls[0].Tokens is { PolicyVersion: >= 17 and <= 19 } ? ValueTask.FromResult<Score>(0.0) : ToyTask.Metric(example, prediction, cancellationToken));
    }
}
