using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

/// <summary>What the checks before training recognise, each by a program or metric that has the fault.</summary>
public sealed class PreflightTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CheckAsync_SoundTask_FindsNothingAndEstimates()
    {
        var report = await CheckAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Metric);
        Assert.DoesNotContain(report.Findings, finding => finding.Severity > PreflightSeverity.Note);
        Assert.InRange(report.Estimate.SampledTokens, 30 * 2 * 8, 30 * 2 * 8 * 2);
        Assert.Contains("estimate:", report.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The trap of the delegation tutorial: a program that swallows an unreadable answer, and a metric that pays for the silence.</summary>
    [Fact]
    public async Task CheckAsync_SilencePays_IsAProblem()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer.Length == 0 ? 0.5 : 0.3 + (output.Answer.EndsWith("right", StringComparison.Ordinal) ? 0.1 : 0));
        var report = await CheckAsync(new SwallowingProgram().WithModel(new LM(ToyTask.Policy(), "toy")), metric);
        var finding = Assert.Single(report.Findings, finding => finding.Check == "empty answers" && finding.Message.Contains("unreadable", StringComparison.Ordinal));
        Assert.Equal(PreflightSeverity.Problem, finding.Severity);
        Assert.Contains("learn to say nothing", finding.Message, StringComparison.Ordinal);
        Assert.True(report.HasProblems);
    }

    [Fact]
    public async Task CheckAsync_EmptyFieldsPay_IsAProblem()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer == "/" ? 1 : ToyValue(output));
        var report = await CheckAsync(ToyTask.Program(ToyTask.Policy()), metric);
        Assert.Contains("empty fields", Assert.Single(report.Findings, finding => finding.Check == "empty answers").Message, StringComparison.Ordinal);
    }

    /// <summary>Where nothing earns what the worst answers earn, there is only up: no reason to worry anybody.</summary>
    [Fact]
    public async Task CheckAsync_EmptyFieldsEarnTheLeast_IsNoFinding()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer.EndsWith("right", StringComparison.Ordinal) && output.Answer.StartsWith("good", StringComparison.Ordinal) ? 1 : 0.25);
        var report = await CheckAsync(ToyTask.Program(ToyTask.ReadablePolicy()), metric);
        Assert.DoesNotContain(report.Findings, finding => finding.Check == "empty answers");
    }

    [Fact]
    public async Task CheckAsync_EmptyFieldsEarnTheMedian_IsAWarning()
    {
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer == "/" ? 0.6 : ToyValue(output));
        var report = await CheckAsync(ToyTask.Program(ToyTask.ReadablePolicy()), metric);
        Assert.Equal(PreflightSeverity.Warning, Assert.Single(report.Findings, finding => finding.Check == "empty answers").Severity);
    }

    /// <summary>Every set of weights falls silent, wherever the program keeps it; a model that is not trained goes on talking.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CheckAsync_NamedModels_FallSilentWhenTheyAreTrained(bool plannerLearns)
    {
        var planner = plannerLearns ? new LM(ToyTask.Policy(), "planner") : new LM(ScriptedChatClient.By((_, _) => ToyTask.Completion("plan", "good")), "planner");
        var program = ToyTask.Program(ToyTask.ReadablePolicy()).WithNamedModel("planner", planner).With(ProgramState.Default.With("plan", new() { Model = "planner" }));
        var silent = new System.Collections.Concurrent.ConcurrentBag<string>();
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) =>
        {
            if (output.Answer.EndsWith('/'))
                silent.Add(output.Answer);
            return ToyValue(output);
        });
        await CheckAsync(program, metric);
        Assert.Equal([plannerLearns ? "/" : "good/"], silent.Distinct());
    }

    [Fact]
    public async Task CheckAsync_FlatReward_IsAProblem()
    {
        var policy = new ToyPolicy(
            new ToyChoice("[[ ## answer ## ]]\n{answer}", ToyTask.Completion("answer", "a"), ToyTask.Completion("answer", "b")),
            new ToyChoice("[[ ## plan ## ]]\n{plan}", ToyTask.Completion("plan", "c")));
        var report = await CheckAsync(ToyTask.Program(policy), Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => output.Answer == "/" ? 0 : 0.25));
        var finding = Assert.Single(report.Findings);
        Assert.Equal((PreflightSeverity.Problem, "reward spread"), (finding.Severity, finding.Check));
        Assert.Contains("4 of 4 examples", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_NoisyMetric_IsNoticed()
    {
        var calls = 0;
        var report = await CheckAsync(ToyTask.Program(ToyTask.ReadablePolicy()), Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) => ToyValue(output) + (Interlocked.Increment(ref calls) / 1000.0)));
        Assert.Contains(report.Findings, finding => finding.Check == "metric");
    }

    [Fact]
    public async Task CheckAsync_UnreadableAnswers_NameThePredictor()
    {
        var policy = new ToyPolicy(
            new ToyChoice("[[ ## answer ## ]]\n{answer}", ToyTask.Completion("answer", "right")),
            new ToyChoice("[[ ## plan ## ]]\n{plan}", "no field at all", "none here either"));
        var report = await CheckAsync(ToyTask.Program(policy), ToyTask.Metric);
        var finding = Assert.Single(report.Findings, finding => finding.Check == "format");
        Assert.Equal(PreflightSeverity.Problem, finding.Severity);
        Assert.Contains("'plan'", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckAsync_MetricThatRaises_NamesTheCause()
    {
        var report = await CheckAsync(ToyTask.Program(ToyTask.Policy()), Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => throw new InvalidDataException("no such column")));
        Assert.Contains(report.Findings, finding => finding.Check == "errors" && finding.Message.Contains("no such column", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CheckAsync_BudgetTooSmall_SaysHowFarItReaches()
    {
        var options = ToyTask.Options with { Budget = new() { MaxSampledTokens = 100 } };
        var report = await Grpo.Create(ToyTask.Metric, options).CheckAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, null, Token);
        Assert.Contains(report.Findings, finding => finding.Check == "budget" && finding.Message.Contains("MaxSampledTokens", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CompileAsync_RefuseMode_DoesNotTrainIntoAProblem()
    {
        var events = new List<GrpoEvent>();
        var options = ToyTask.Options with { Preflight = PreflightMode.Refuse, Progress = new GrpoTests.Recorder(events.Add) };
        var error = await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(Hone.Metric.From<ToyQuestion, ToyAnswer>((_, _) => 0.5), options)
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token));
        Assert.Contains("empty answers", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(events, happened => happened is GrpoStepCompleted or GrpoValidated);
    }

    /// <summary>Looking changes nothing: a run with checks learns exactly what one without them does.</summary>
    [Fact]
    public async Task CompileAsync_WithAndWithoutChecks_GiveTheSameSeries()
    {
        var with = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var without = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Preflight = PreflightMode.Off })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        GrpoTests.AssertSameSeries(without, with);
        Assert.NotNull(with.Preflight);
        Assert.Null(without.Preflight);
    }

    /// <summary>The models that say nothing cost nothing, and are no calls of other models either.</summary>
    [Fact]
    public async Task CompileAsync_Checks_CountTheCallsOfTheMetricAndNothingElse()
    {
        var judge = ScriptedChatClient.By((_, _) => ToyTask.Completion("verdict", "fine"));
        var verdict = Predict.Parse("answer -> verdict").WithModel(new LM(judge, "judge"));
        var result = await Grpo.Create<ToyQuestion, ToyAnswer>(
            async (example, prediction, cancellationToken) =>
            {
                await verdict.CallAsync(FieldMap.Of(("answer", prediction.Value.Answer)), cancellationToken);
                return await ToyTask.Metric(example, prediction, cancellationToken);
            },
            ToyTask.Options with { Steps = 2 }).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(judge.Requests.Count, result.ExternalCalls);
    }

    private static Task<PreflightReport> CheckAsync(Program<ToyQuestion, ToyAnswer> program, Metric<ToyQuestion, ToyAnswer> metric) =>
        Grpo.Create(metric, ToyTask.Options).CheckAsync(program, ToyTask.Train, null, Token);

    private static double ToyValue(ToyAnswer output) =>
        (output.Answer.StartsWith("good", StringComparison.Ordinal) ? .5 : 0) + (output.Answer.EndsWith("right", StringComparison.Ordinal) ? .5 : 0);

    private sealed class SwallowingProgram : Module<ToyQuestion, ToyAnswer>
    {
        private readonly Predict<ToyQuestion, ToyPlan> plan = new("Plan.");
        private readonly Predict<ToyAnswerInput, ToyAnswer> answer = new("Answer.");

        protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
        {
            try
            {
                var planned = await plan.CallAsync(input, cancellationToken);
                return await answer.CallAsync(new(input.Question, planned.Plan), cancellationToken);
            }
            catch (AdapterParseException)
            {
                return new(string.Empty);
            }
        }
    }
}
