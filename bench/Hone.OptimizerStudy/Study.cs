using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.OptimizerStudy;

/// <summary>One task: a program on a model, its metric, and four sets.</summary>
internal sealed record Study<TIn, TOut>(
    Program<TIn, TOut> Program,
    Metric<TIn, TOut> Metric,
    IReadOnlyList<Example<TIn, TOut>> Train,
    IReadOnlyList<Example<TIn, TOut>> Validation,
    IReadOnlyList<Example<TIn, TOut>> Test)
{
    /// <summary>Runs one optimizer and prints a row of the log's table.</summary>
    public async Task RunAsync(string name, long seed, int steps)
    {
        var writer = ScriptedWriter.Create();
        var optimizer = Create(name, seed, steps, writer);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var result = await optimizer.CompileAsync(Program, Train, Validation);
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
        var test = result.Test ?? throw new InvalidOperationException("The test set was not scored.");
        Console.WriteLine(FormattableString.Invariant(
            $"| {name} | {seed} | {result.BaselineScore:.000} → {result.BestScore:.000} | {test.Baseline:.000} → {test.Candidate:.000} | {100 * test.Gain:+0.0;-0.0;0.0} [{100 * test.Interval.Low:0.0}, {100 * test.Interval.High:0.0}] | {result.Candidates.Length} | {result.ProgramRuns} | {seconds:0} |"));
        foreach (var candidate in result.Candidates.Where(candidate => candidate.Index == result.BestIndex))
            Console.Error.WriteLine($"  chosen: {candidate.Origin}; {string.Join("; ", candidate.State.Predictors.Select(entry => $"{entry.Key}: {entry.Value.Instructions ?? "as it came"}, {entry.Value.Demos.Length} demos"))}");
        foreach (var warning in result.Warnings)
            Console.Error.WriteLine($"  {warning}");
    }

    private PromptOptimizer<TIn, TOut> Create(string name, long seed, int steps, LM writer) => name switch
    {
        "random-search" => new BootstrapRandomSearch<TIn, TOut>(Metric, new() { Seed = seed, Candidates = 8, MaxBootstrappedDemos = 2, MaxLabeledDemos = 2, MetricThreshold = 1, MaxErrors = int.MaxValue, MaxParallelism = 64 }) { Test = Test },
        "mipro" => new MiproV2<TIn, TOut>(Metric, new() { Seed = seed, Auto = MiproAuto.Light, MaxBootstrappedDemos = 2, MaxLabeledDemos = 2, MetricThreshold = 1, MaxErrors = int.MaxValue, PromptModel = writer, MaxParallelism = 64 }) { Test = Test },
        "simba" => new Simba<TIn, TOut>(Metric, new() { Seed = seed, BatchSize = Math.Min(24, Train.Count), MaxSteps = 4, MaxDemos = 2, PromptModel = writer, MaxParallelism = 64 }) { Test = Test },
        "gepa" => new Gepa<TIn, TOut>(Metric, new() { Seed = seed, MaxMetricCalls = 800, MinibatchSize = 8, ReflectionModel = writer, MaxParallelism = 64 }) { Test = Test },
        "gepa-grpo" => new BetterTogether<TIn, TOut>(
            Metric,
            new Dictionary<string, IOptimizer<TIn, TOut>> { ["p"] = Create("gepa", seed, steps, writer), ["w"] = Reinforcement(seed, steps) },
            new() { Seed = seed, Strategy = "p -> w", MaxParallelism = 64 })
        { Test = Test },
        _ => throw new HoneException($"There is no optimizer '{name}'. There are: random-search, mipro, simba, gepa, gepa-grpo."),
    };

    private Grpo<TIn, TOut> Reinforcement(long seed, int steps) => Grpo.Create(Metric, new()
    {
        Steps = steps,
        Seed = seed,
        ExamplesPerStep = 4,
        RolloutsPerExample = 8,
        MaxParallelism = 64,
        Sampling = new() { Temperature = 1, MaxOutputTokens = 64 },
        Scaling = AdvantageScaling.Group,
        LearningRate = 3e-4,
        WarmupSteps = 3,
        Optimizer = new() { LearningRate = 0, Beta2 = 0.95 },
        ValidateEvery = 10,
    });
}
