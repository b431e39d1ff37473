using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using PrivateDelegation.World;
using Spectre.Console;

namespace PrivateDelegation;

/// <summary>Trains the program's local model, or evaluates it on a server.</summary>
internal static class Jobs
{
    /// <summary>Returns the held-out scores before and after training; null when a server was evaluated.</summary>
    public static async Task<(EvaluationResult<UserQuery, Delegation> Before, EvaluationResult<UserQuery, Delegation> After)?> RunAsync(Settings settings, CancellationToken stop)
    {
        AnsiConsole.MarkupLine("[bold]Private delegation: ask a strong model without telling it who you are[/]");
        var isWorld = settings.Data is null;
        if (!isWorld && (settings.Model is not null || settings.Checkpoint is not null) && (settings.Untrusted is null || settings.Judge is null))
            throw new HoneException("--data needs --untrusted and --judge: the model and the judge of the small office are rules, which know nothing of other texts.");
        var data = isWorld ? Dataset.Mini() : Dataset.Read(settings.Data!);
        using var answers = new ServerAnswers(settings.Output);
        var untrusted = settings.Untrusted is { } strong ? answers.KeptOf(strong) : RuleClient.Untrusted();
        var metric = new PrivacyMetric(settings.Judge is { } judge ? answers.KeptOf(judge) : RuleClient.Judge());
        var module = new Papillon(untrusted);
        AnsiConsole.MarkupLineInterpolated($"{data.Train.Count} training, {data.Validation.Count} validation, {data.Test.Count} test queries · untrusted model {untrusted.Name}");
        if (settings.Model is { } server)
        {
            await EvaluateAsync(settings, module.WithModel(server), metric, data, stop);
            return null;
        }

        var program = await StartAsync(settings, module, data, isWorld, stop);
        var before = await MeasureAsync(settings, program, metric, data, stop);
        AnsiConsole.MarkupLineInterpolated($"before    held-out score {before.Mean:P1}");

        var display = new TrainingDisplay(settings.Steps, "score");
        await using var dashboard = await RunPage.StartAsync(settings.DashboardPort, "Private delegation", program.Model!, settings.Output, display, stop);
        var options = Configure(settings) with { Progress = dashboard?.Progress ?? display, Control = dashboard?.Control, Stop = stop };
        var result = await display.ShowAsync(() => Grpo.Create<UserQuery, Delegation>(metric.ScoreAsync, options).CompileAsync(program, data.Train, data.Validation, CancellationToken.None));
        var after = await MeasureAsync(settings, result.Program, metric, data, CancellationToken.None);
        await Evidence.WriteAsync(settings, options, result, before, after);
        await RunPage.KeepAsync(dashboard, settings.KeepDashboard, stop);
        return (before, after);
    }

    /// <summary>The job with each of the seeds, and what they show together.</summary>
    public static Task SweepAsync(Settings settings, IReadOnlyList<long> seeds, CancellationToken stop) => settings.Model is not null
        ? throw new HoneException("--seeds is for training; --model evaluates.")
        : Sweep.RunAsync(
            seeds,
            settings.Output,
            async (seed, folder) =>
            {
                var (before, after) = (await RunAsync(settings with { Seed = seed, Output = folder }, stop))!.Value;
                return [new("held", "held-out queries", before.Scores, after.Scores)];
            },
            stop);

    internal static GrpoOptions Configure(Settings settings) => new()
    {
        Steps = settings.Steps,
        Seed = settings.Seed,
        ExamplesPerStep = 4,
        OverlapLearning = settings.Overlap,
        RolloutsPerExample = 8,
        MaxParallelism = 32,
        Sampling = new() { Temperature = 1, MaxOutputTokens = settings.MaxOutputTokens },
        Scaling = AdvantageScaling.Group,
        LearningRate = settings.Checkpoint is null ? 1.5e-4 : null,
        Lora = settings.Checkpoint is null ? null : new() { Rank = 8, Alpha = 16 },
        WarmupSteps = 3,
        Optimizer = new() { LearningRate = 0, Beta2 = 0.95 },
        ValidateEvery = 10,
        RunDirectory = settings.Output,
        Resume = settings.Resume,
        Collapse = new(),
    };

    // The embedded model first learns what the two steps look like. Its weights are kept, so that a resumed run starts from the same ones.
    private static async Task<Program<UserQuery, Delegation>> StartAsync(Settings settings, Papillon module, Dataset data, bool isWorld, CancellationToken stop)
    {
        if (settings.Checkpoint is { } directory)
            return module.WithModel(EngineLM.Load(directory));
        if (!isWorld)
            throw new HoneException("--data needs --checkpoint (to train a model of yours) or --model (to evaluate one on a server): the embedded model knows nothing of the world.");
        var folder = Path.Combine(settings.Output, "warm-start");
        if (!Directory.Exists(folder))
        {
            var learned = await WarmStart.LearnAsync(module.WithModel(EngineLM.Embedded()), settings.WarmUp, settings.Seed, stop);
            await learned.Model!.GetService<IWeightStore>()!.SaveWeightsAsync(folder, stop);
        }

        return module.WithModel(EngineLM.Load(folder));
    }

    private static Task<EvaluationResult<UserQuery, Delegation>> MeasureAsync(
        Settings settings, Program<UserQuery, Delegation> program, PrivacyMetric metric, Dataset data, CancellationToken cancellationToken) =>
        Evaluator.Create<UserQuery, Delegation>(metric.ScoreAsync, new()
        {
            MaxParallelism = 32,
            MaxErrors = int.MaxValue,
            Options = new() { Temperature = 0, MaxOutputTokens = settings.MaxOutputTokens },
            Recovery = RecoveryPolicy.None,
        }).EvaluateAsync(program, data.Test, cancellationToken);

    private static async Task EvaluateAsync(
        Settings settings, Program<UserQuery, Delegation> program, PrivacyMetric metric, Dataset data, CancellationToken cancellationToken)
    {
        var evaluator = Evaluator.Create<UserQuery, Delegation>(metric.ScoreAsync, new() { MaxErrors = 20, Options = new() { Temperature = 0 }, Seed = null });
        var result = await evaluator.EvaluateAsync(program, data.Test, cancellationToken);
        var parts = Evidence.PartsOf(result);
        AnsiConsole.MarkupLineInterpolated(
            $"score {result.Mean:P1} ({result.Interval.Low:P1} … {result.Interval.High:P1}) · quality {parts.GetValueOrDefault("quality"):P1} · privacy {parts.GetValueOrDefault("privacy"):P1} · {result.FailureCount} failed runs");
        await Evidence.WriteJsonAsync(settings, new
        {
            model = program.Model!.Name,
            score = result.Mean,
            interval = new[] { result.Interval.Low, result.Interval.High },
            parts,
            failures = result.FailureCount,
        });
    }
}
