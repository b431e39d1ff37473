using System.Collections.Immutable;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using MultiHopResearch.Hover;
using Spectre.Console;

namespace MultiHopResearch;

/// <summary>The main job: evaluate, train, evaluate again, save the program and the evidence.</summary>
internal static class TrainingJob
{
    /// <summary>Returns what each held-out set scored before and after training.</summary>
    public static async Task<IReadOnlyList<SweepScores>> RunAsync(Settings settings, CancellationToken stop)
    {
        AnsiConsole.MarkupLine("[bold]Multi-hop research, trained by reinforcement learning in this process[/]");
        if (settings is { Data: not null, Checkpoint: null })
            throw new HoneException("--data needs --checkpoint (to train a model of yours) or --model (to evaluate one on a server): the embedded model knows nothing of the world.");
        var model = OpenModel(settings);
        using var data = await ResearchData.OpenAsync(settings, stop);
        AnsiConsole.MarkupLineInterpolated($"model {model.Name} · {data.Description}");

        var before = await Scores.MeasureAsync(data, model, settings.MaxOutputTokens, stop);
        AnsiConsole.MarkupLineInterpolated($"untrained  {string.Join(" · ", data.HeldOut.Zip(before, (set, score) => $"{set.Name} {score.Mean:P1}"))}");

        var display = new TrainingDisplay(settings.Steps, "recall");
        await using var dashboard = await RunPage.StartAsync(settings.DashboardPort, "Multi-hop research", model, settings.Output, display, stop);
        var options = Configure(settings) with { Progress = dashboard?.Progress ?? display, Control = dashboard?.Control, Stop = stop };
        var result = await display.ShowAsync(
            () => Grpo.Create(ResearchData.Recall, options).CompileAsync(data.Program.WithModel(model), data.Train, data.Validation, CancellationToken.None));

        var after = await Scores.MeasureAsync(data, result.Program.Model!, settings.MaxOutputTokens, CancellationToken.None);
        ImmutableArray<Shown> shown = [.. data.HeldOut.Select((set, i) => new Shown(set, before[i], after[i], Bootstrap.Compare(before[i].Scores, after[i].Scores, settings.Seed)))];
        await Evidence.WriteAsync(settings, options, result, data.Note, shown);
        await RunPage.KeepAsync(dashboard, settings.KeepDashboard, stop);
        return [.. shown.Select(each => new SweepScores(each.Set.Key, each.Set.Name, each.Before.Scores, each.After.Scores))];
    }

    /// <summary>The job with each of the seeds, and what they show together.</summary>
    public static Task SweepAsync(Settings settings, IReadOnlyList<long> seeds, CancellationToken stop) =>
        Sweep.RunAsync(seeds, settings.Output, (seed, folder) => RunAsync(settings with { Seed = seed, Output = folder }, stop), stop);

    internal static GrpoOptions Configure(Settings settings) => settings.Data is not null ? HoverTraining.Configure(settings) : new()
    {
        Steps = settings.Steps,
        Seed = settings.Seed,
        ExamplesPerStep = 4,
        OverlapLearning = settings.Overlap,
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
