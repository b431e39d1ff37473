using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Search;

/// <summary>
/// Scenario X-1 for the optimizers that have no such test of their own, and X-4: budgets of runs, calls, tokens and money, at any cut, with 64 units at once.
/// Cut and resumed they end as they do unbroken.
/// </summary>
public sealed class BudgetSweepTests
{
    private static readonly Metric<FieldMap, FieldMap> Any = Metric.From<FieldMap, FieldMap>((_, _) => true);

    public static TheoryData<string> Optimizers =>
        ["labeled", "bootstrap", "random", "random-three", "knn", "simba", "gepa", "gepa-slices", "avatar", "together", "finetune"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public Task No_budget_is_exceeded_and_the_best_so_far_is_returned(string optimizer) => Check(optimizer).CheckBudgetsAsync();

    [Theory]
    [MemberData(nameof(Optimizers))]
    public Task Cut_and_resumed_a_run_ends_like_an_unbroken_one(string optimizer) => Check(optimizer).CheckResumptionAsync();

    /// <summary>Scenario X-6, and equal evidence at any degree of parallelism.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public Task A_run_costs_no_more_than_was_estimated_at_any_parallelism(string optimizer) => Check(optimizer).CheckAsync();

    /// <summary>Scenario X-2: stopped after any call, with 64 units at once, the best so far is returned.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public async Task Stopped_anywhere_a_run_returns_the_best_so_far(string optimizer)
    {
        var whole = World();
        var expected = await Make(optimizer, new(64)).CompileAsync(whole.One(), Lab.Examples(6), Lab.Examples(5, "v"), Token);
        for (var call = 1; call < whole.Calls.Count; call += 1 + (whole.Calls.Count / 12))
        {
            using var stop = new CancellationTokenSource();
            var (count, at) = (0, call);
            var lab = World(() =>
            {
                if (Interlocked.Increment(ref count) == at)
                    stop.Cancel();
            });
            var result = await Make(optimizer, new(64) { Stop = stop.Token }).CompileAsync(lab.One(), Lab.Examples(6), Lab.Examples(5, "v"), Token);
            Assert.Equal(result.Candidates.IsEmpty ? null : result.Candidates.Max(candidate => candidate.Score), result.BestScore);
            Assert.True(result.BestScore is null || result.BestScore >= result.BaselineScore);

            // A stop that comes when all was asked for already has nothing to stop.
            if (lab.Calls.Count < whole.Calls.Count)
                Assert.Equal(StopReason.Requested, result.StopReason);
            if (result.StopReason != StopReason.Requested)
                Assert.Equal(Lab.Evidence(expected), Lab.Evidence(result));
        }
    }

    /// <summary>D5: the reference's resets drop the models of predictors.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public async Task Models_of_predictors_stay(string optimizer)
    {
        var lab = World();
        var student = lab.One().WithNamedModel("large", lab.Model);
        student = student.With(student.State.With("ans", new() { Model = "large" }));
        var result = await Make(optimizer, new(4)).CompileAsync(student, Lab.Examples(6), Lab.Examples(5, "v"), Token);
        Assert.True(result.Candidates.Length > 1);
        if (optimizer != "finetune")
            Assert.All(result.Candidates, candidate => Assert.Equal("large", candidate.State["ans"].Model));
        Assert.Contains("large", result.Program.NamedModels.Keys);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Durability Check(string optimizer) => new(() => World(), setup => Make(optimizer, setup), lab => lab.One(), Lab.Examples(6), Lab.Examples(5, "v"))
    {
        LoadedInto = optimizer == "knn" ? lab => new KnnDemos<FieldMap, FieldMap>(lab.One().Module, new Angles()).WithModel(lab.Model) : null,
        LooksAtHalves = optimizer == "together",
    };

    // Words help, demos too, each with some questions; samples differ, so that there is a contrast. Texts depend on the request alone.
    private static Lab World(Action? onCall = null) => new(call =>
    {
        onCall?.Invoke();
        return Answer(call);
    });

    private static FieldMap Answer(LabCall call) => call.Role is "prompt" or "reflection"
        ? FieldMap.Of(
            ("proposed_instructions", $"ALPHA {call.Sample % 7}"), ("new_instruction", $"ALPHA {call.Sample % 7}"), ("feedback", "none"), ("discussion", "none"),
            ("advice", FieldMap.Of(("ans", $"BETA {call.Sample % 7}"))))
        : Lab.AnswerIf(
            call.Question[0] == 'q' ? call.Question is "q1" or "q4" or "q5" || call.Has("ALPHA") || call.Has("BETA") || (call.Temperature == 1 && (call.Sample + call.Question[^1]) % 2 == 0)
                : call.Question[^1] - '0' <= 1 + (call.Has("ALPHA") ? 2 : 0) + (call.Has("BETA") ? 1 : 0) + Math.Min(2, call.Demos.Length),
            call.Question);

    private static PromptOptimizer<FieldMap, FieldMap> Make(string name, LabSetup setup)
    {
        var common = new LabeledFewShotOptions { MaxParallelism = setup.Parallelism, RunDirectory = setup.Directory, Resume = setup.Resume, Budget = setup.Budget, Stop = setup.Stop, PerfectScore = null };
        return name switch
        {
            "labeled" => new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, common with { Demos = 2 }),
            "bootstrap" => new BootstrapFewShot<FieldMap, FieldMap>(Lab.Exact, Of(new BootstrapFewShotOptions { MaxRounds = 2, MaxLabeledDemos = 0 })),
            "random" => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, Of(new BootstrapRandomSearchOptions { Candidates = 3 })) { Acceptance = Any },
            "random-three" => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, Of(new BootstrapRandomSearchOptions { Candidates = 4, CandidatesAtOnce = 3 })) { Acceptance = Any },
            "knn" => new KnnFewShot<FieldMap, FieldMap>(new Angles(), Lab.Exact, Of(new KnnFewShotOptions { Nearest = 2 })),
            "simba" => new Simba<FieldMap, FieldMap>(Lab.Exact, Of(new SimbaOptions { BatchSize = 3, Candidates = 2, MaxSteps = 3, MaxDemos = 1 })),
            "gepa" => new Gepa<FieldMap, FieldMap>(Lab.Exact, Of(new GepaOptions { MaxMetricCalls = 90, ConfirmationExamples = 2 })),
            "gepa-slices" => new Gepa<FieldMap, FieldMap>(Lab.Exact, Of(new GepaOptions { MaxMetricCalls = 90, ValidationSlice = 5, Sampling = new(2, 1) })),
            "avatar" => new AvatarOptimizer<FieldMap, FieldMap>(Lab.Exact, Of(new AvatarOptions { MaxIterations = 3 })),
            "finetune" => new BootstrapFinetune<FieldMap, FieldMap>(Lab.Exact, Of(new BootstrapFinetuneOptions())) { Provider = new Untouched() },
            _ => new BetterTogether<FieldMap, FieldMap>(
                Lab.Exact,
                new Dictionary<string, IOptimizer<FieldMap, FieldMap>>
                {
                    ["d"] = new BootstrapFewShot<FieldMap, FieldMap>(Lab.Exact, new() { MaxParallelism = setup.Parallelism, PerfectScore = null, MaxBootstrappedDemos = 2, MaxLabeledDemos = 0 }),
                    ["i"] = new Copro<FieldMap, FieldMap>(Lab.Exact, new() { MaxParallelism = setup.Parallelism, PerfectScore = null, Breadth = 3, Depth = 1 }),
                },
                Of(new BetterTogetherOptions { Strategy = "d -> i -> d" })),
        };

        TOptions Of<TOptions>(TOptions options)
            where TOptions : OptimizerOptions =>
            (TOptions)((OptimizerOptions)options with { MaxParallelism = common.MaxParallelism, RunDirectory = common.RunDirectory, Resume = common.Resume, Budget = common.Budget, Stop = common.Stop, PerfectScore = null });
    }

    // Leaves the model as it is: the runs that it would learn from are what a budget is about.
    private sealed class Untouched : IFineTuneProvider
    {
        public int MaxParallelJobs => 1;

        public void Check(LM model)
        {
        }

        public Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default) => Task.FromResult(job.Model with { Name = "tuned" });
    }

    private sealed class Angles : Microsoft.Extensions.AI.IEmbeddingGenerator<string, Microsoft.Extensions.AI.Embedding<float>>
    {
        public Task<Microsoft.Extensions.AI.GeneratedEmbeddings<Microsoft.Extensions.AI.Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, Microsoft.Extensions.AI.EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new Microsoft.Extensions.AI.GeneratedEmbeddings<Microsoft.Extensions.AI.Embedding<float>>(
                values.Select(value => new Microsoft.Extensions.AI.Embedding<float>(new[] { MathF.Cos(value[^1] * 0.1f), MathF.Sin(value[^1] * 0.1f) }))));

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
