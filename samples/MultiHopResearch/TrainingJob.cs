using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using Spectre.Console;

namespace MultiHopResearch;

/// <summary>The main job: evaluate, train, evaluate again, save the program and the evidence.</summary>
internal static class TrainingJob
{
    /// <summary>Returns the scores before and after training.</summary>
    public static async Task<(Scores Before, Scores After)> RunAsync(Settings settings, CancellationToken stop)
    {
        AnsiConsole.MarkupLine("[bold]Multi-hop research, trained by reinforcement learning in this process[/]");
        var model = OpenModel(settings);
        using var worlds = new Worlds(settings.Hops, settings.StopsEarly);
        AnsiConsole.MarkupLineInterpolated(
            $"model {model.Name} · {worlds.Home.Articles.Count:N0} articles indexed · {worlds.Train.Count} training, {worlds.Validation.Count} validation, {worlds.Test.Count} test claims, {worlds.UnseenTest.Count} in an unseen world");

        var program = worlds.HomeProgram.WithModel(model);
        var before = await Scores.MeasureAsync(worlds, model, settings.MaxOutputTokens, stop);
        AnsiConsole.MarkupLineInterpolated($"untrained  held-out recall {before.Test.Mean:P1} · unseen world {before.Unseen.Mean:P1}");

        var display = new TrainingDisplay(settings.Steps, "recall");
        await using var dashboard = await RunPage.StartAsync(settings.DashboardPort, "Multi-hop research", model, settings.Output, display, stop);
        var options = Configure(settings) with { Progress = dashboard?.Progress ?? display, Control = dashboard?.Control, Stop = stop };
        var result = await display.ShowAsync(() => Grpo.Create(Worlds.Recall, options).CompileAsync(program, worlds.Train, worlds.Validation, CancellationToken.None));

        var after = await Scores.MeasureAsync(worlds, result.Program.Model!, settings.MaxOutputTokens, CancellationToken.None);
        await Evidence.WriteAsync(settings, options, result, before, after);
        await RunPage.KeepAsync(dashboard, settings.KeepDashboard, stop);
        return (before, after);
    }

    /// <summary>The job with each of the seeds, and what they show together.</summary>
    public static Task SweepAsync(Settings settings, IReadOnlyList<long> seeds, CancellationToken stop) => Sweep.RunAsync(
        seeds,
        settings.Output,
        async (seed, folder) =>
        {
            var (before, after) = await RunAsync(settings with { Seed = seed, Output = folder }, stop);
            return
            [
                new("held", "held-out claims", before.Test.Scores, after.Test.Scores),
                new("unseen", "unseen world", before.Unseen.Scores, after.Unseen.Scores),
            ];
        },
        stop);

    internal static GrpoOptions Configure(Settings settings) => new()
    {
        Steps = settings.Steps,
        Seed = settings.Seed,
        ExamplesPerStep = 4,
        RolloutsPerExample = 8,
        MaxParallelism = 64,
        Sampling = new() { Temperature = 1, MaxOutputTokens = settings.MaxOutputTokens },
        Scaling = AdvantageScaling.Group,

        // Runs that stop early make fewer calls: those that made the same one are compared.
        Grouping = settings.StopsEarly ? GroupingMode.Ragged : GroupingMode.Truncate,
        LearningRate = settings.Checkpoint is null ? 3e-4 : null,
        Lora = settings.Checkpoint is null ? null : new() { Rank = 16, Alpha = 32 },
        WarmupSteps = 3,
        Optimizer = new() { LearningRate = 0, Beta2 = 0.95 },
        ValidateEvery = 10,
        RunDirectory = settings.Output,
        Resume = settings.Resume,
    };

    private static LM OpenModel(Settings settings) => settings.Checkpoint is { } directory ? EngineLM.Load(directory) : EngineLM.Embedded();
}
