using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>Ledger B20: several models, and weights of their own for single predictors, are trained by the same loop.</summary>
public sealed class GrpoStudentsTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-students").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static GrpoOptions Separate => ToyTask.Options with { Multitask = false };

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task CompileAsync_WithoutMultitask_GivesEachPredictorItsOwnWeights()
    {
        var result = await Grpo.Create(ToyTask.Metric, Separate).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var (plan, answer) = (Learned(result.Program, "plan"), Learned(result.Program, "answer"));

        // Choice 1 is the plan's, choice 0 the answer's: each set has learned its own and nothing of the other's.
        Assert.True(plan.Probability(1, 1) > 0.8 && answer.Probability(0, 1) > 0.8);
        Assert.Equal(1 / 3.0, plan.Probability(0, 1), 6);
        Assert.Equal(1 / 4.0, answer.Probability(1, 1), 6);
        Assert.Equal("plan", result.Program.State["plan"].Model);
        Assert.True(result.Comparison!.IsSignificant);
        Assert.Equal(result.BestScore!.Value, (await Evaluate(result.Program)).Mean, 0.25);
    }

    [Fact]
    public async Task CompileAsync_TwoModels_TrainsBothAndPutsThemBack()
    {
        var program = ToyTask.Program(ToyTask.Policy())
            .WithNamedModel("planner", new LM(ToyTask.Policy(), "planner"))
            .With(ProgramState.Default.With("plan", new() { Model = "planner" }));
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);

        Assert.True(((ToyPolicy)result.Program.NamedModels["planner"].Client).Probability(1, 1) > 0.8);
        Assert.True(((ToyPolicy)result.Program.Model!.Client).Probability(0, 1) > 0.8);
        Assert.Equal("planner", result.Program.State["plan"].Model);
    }

    [Fact]
    public async Task CompileAsync_PredictorOnAModelThatCannotBeTrained_StaysAsItIs()
    {
        var warnings = new List<string>();
        var options = ToyTask.Options with { Progress = new GrpoTests.Recorder(happened => warnings.AddRange(happened is GrpoWarning warning ? [warning.Message] : [])) };
        var planner = new LM(ScriptedChatClient.By((_, _) => ToyTask.Completion("plan", "good")), "planner");
        var program = ToyTask.Program(ToyTask.Policy()).WithNamedModel("planner", planner).With(ProgramState.Default.With("plan", new() { Model = "planner" }));
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);

        Assert.Contains(warnings, warning => warning.Contains("stay as they are: plan", StringComparison.Ordinal));
        Assert.All(result.Steps, step => Assert.Equal(["answer"], step.Groups.Keys));
        Assert.Same(planner, result.Program.NamedModels["planner"]);
        Assert.True(((ToyPolicy)result.Program.Model!.Client).Probability(0, 1) > 0.8);
        Assert.True(result.ExternalCalls > 0);
    }

    [Fact]
    public async Task CompileAsync_SeparateWeightsInterruptedAndResumed_EndWhereAnUnbrokenRunEnds()
    {
        var options = Separate with { Steps = 12, ValidateEvery = 4, SaveStateEvery = 3, MaxParallelism = 1 };
        var expected = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        using var kill = new CancellationTokenSource();
        var interrupted = options with { RunDirectory = directory, Progress = new GrpoTests.Recorder(happened => Kill(happened, kill)) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Grpo.Create(ToyTask.Metric, interrupted).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, kill.Token));
        var resumed = await Grpo.Create(ToyTask.Metric, options with { RunDirectory = directory, Resume = true })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);

        GrpoTests.AssertSameSeries(expected, resumed);
        Assert.Equal(Learned(expected.Program, "plan").Probability(1, 1), Learned(resumed.Program, "plan").Probability(1, 1));

        static void Kill(GrpoEvent happened, CancellationTokenSource kill)
        {
            if (happened is GrpoStepCompleted { Report.Step: 7 })
                kill.Cancel();
        }
    }

    /// <summary>What a model that is not trained writes is no sample of the policy: it has no place in its tokens, its lengths or its budget.</summary>
    [Fact]
    public async Task CompileAsync_ModelThatIsNotTrained_DoesNotCountAsThePolicysTokens()
    {
        var planner = new LM(ScriptedChatClient.ByAsync((_, _, _) =>
        {
            var response = ScriptedChatClient.Respond(ToyTask.Completion("plan", "good"));
            response.Usage = new() { InputTokenCount = 100, OutputTokenCount = 1000 };
            return Task.FromResult(response);
        }), "planner");
        var program = ToyTask.Program(ToyTask.ReadablePolicy()).WithNamedModel("planner", planner).With(ProgramState.Default.With("plan", new() { Model = "planner" }));
        var options = ToyTask.Options with { Steps = 3, Preflight = PreflightMode.Off, Budget = new() { MaxSampledTokens = 3 * 16 } };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token);
        Assert.Equal((StopReason.Completed, 3 * 16), (result.StopReason, result.TokensSampled));
        Assert.All(result.Steps, step => Assert.Equal((1.0, 1, 1, 0.0), (step.CompletionLengthMean, step.CompletionLengthMin, step.CompletionLengthMax, step.TruncatedFraction)));
    }

    /// <summary>Sets of weights are told apart by their names, whatever the user calls his models.</summary>
    [Fact]
    public async Task CompileAsync_NamedModelCalledAsTheOwnWouldBe_IsTrainedBesideIt()
    {
        var program = ToyTask.Program(ToyTask.Policy()).WithNamedModel("model", new LM(ToyTask.Policy(), "planner")).With(ProgramState.Default.With("plan", new() { Model = "model" }));
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { RunDirectory = directory }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, Token);
        Assert.True(((ToyPolicy)result.Program.NamedModels["model"].Client).Probability(1, 1) > 0.8);
        Assert.True(((ToyPolicy)result.Program.Model!.Client).Probability(0, 1) > 0.8);
    }

    /// <summary>A job that a service has begun keeps its GPUs until it is told to end, also when the run does not come about.</summary>
    [Fact]
    public async Task CompileAsync_OneOfTwoSessionsCannotStart_EndsTheOther()
    {
        var first = new Starting(ToyTask.Policy(), starts: true);
        var second = new Starting(ToyTask.Policy(), starts: false);
        var program = new ToyProgram().WithModel(new LM(second, "second")).WithNamedModel("planner", new LM(first, "first"))
            .With(ProgramState.Default.With("plan", new() { Model = "planner" }));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => Grpo.Create(ToyTask.Metric, ToyTask.Options).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Equal("no GPU is free", error.Message);
        Assert.Equal((1, 1), (first.Started, first.Ended));
    }

    [Fact]
    public async Task ForwardBackward_DatumOfAnUnknownPredictor_IsRefused()
    {
        var inner = await ToyTask.Policy().StartTrainingAsync(new(), Token);
        await using var session = new RoutedTrainingSession([new("plan", inner, new HashSet<string>(["plan"]))]);
        TrainingDatum[] data = [new() { PromptIds = [1], CompletionIds = [3], Predictor = "answer" }];
        foreach (var ask in (Func<Task>[])[() => session.ForwardBackwardAsync(data, new(), Token), () => session.ScoreAsync(data, 1, Token)])
            Assert.Contains("'answer'", (await Assert.ThrowsAsync<HoneException>(ask)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SaveAsync_ProgramWithWeightsByPredictor_KeepsEachSet()
    {
        var result = await Grpo.Create(ToyTask.Metric, Separate with { Steps = 10 }).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        var path = Path.Combine(directory, "program.json");
        await result.Program.SaveAsync(path, Token);

        var weights = ProgramFile.NamedWeightsDirectoriesOf(path);
        Assert.Equal(["answer", "plan"], weights.Keys);
        Assert.All(weights.Values, folder => Assert.True(File.Exists(Path.Combine(folder, "toy.json"))));
        var loaded = await result.Program.LoadStateAsync(path, Token);
        Assert.Equal("plan", loaded.State["plan"].Model);
    }

    private static ToyPolicy Learned(Program<ToyQuestion, ToyAnswer> program, string name) => (ToyPolicy)program.NamedModels[name].Client;

    private static Task<EvaluationResult<ToyQuestion, ToyAnswer>> Evaluate(Program<ToyQuestion, ToyAnswer> program) =>
        Evaluator.Create(ToyTask.Metric, new() { Options = new() { Temperature = 1 } }).EvaluateAsync(program, ToyTask.Validation, Token);

    // A model whose training begins, or cannot; counts the sessions that were begun and ended.
    private sealed class Starting(ToyPolicy policy, bool starts) : DelegatingChatClient(policy), ITrainableModel
    {
        public int Started { get; private set; }

        public int Ended { get; private set; }

        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default)
        {
            if (!starts)
                throw new TrainingServiceException("no GPU is free");
            Started++;
            return new Session(await policy.StartTrainingAsync(options, cancellationToken), () => Ended++);
        }

        private sealed class Session(ITrainingSession inner, Action ended) : ForwardingSession(inner)
        {
            public override ValueTask DisposeAsync()
            {
                ended();
                return base.DisposeAsync();
            }
        }
    }
}
