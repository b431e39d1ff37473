using System.Text.Json;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using Spectre.Console;

namespace Banking77;

/// <summary>One classifier: imitation first, then reinforcement; both measured on messages that neither has seen.</summary>
internal static class TrainingJob
{
    private static readonly Metric<Message, Intent> Accuracy = Metric.From<Message, Intent>((example, intent) => example.Expected.Category == intent.Category);

    /// <summary>Returns the held-out scores after imitation and after reinforcement.</summary>
    public static async Task<(IReadOnlyList<double> Tuned, IReadOnlyList<double> Reinforced)> RunAsync(Settings settings, CancellationToken stop)
    {
        var set = settings.Data is { } file ? Dataset.Read(file, settings.DataSeed) : Dataset.Mini(settings.DataSeed);
        var model = settings.Checkpoint is { } directory ? EngineLM.Load(directory) : EngineLM.Embedded();
        var start = new Predict<Message, Intent>("Name the intent of the customer's message.").WithModel(model);
        AnsiConsole.MarkupLineInterpolated($"{set.Imitate.Count} messages to imitate, {set.Test.Count} to report, {set.Test.Select(row => row.Expected.Category).Distinct().Count()} intents");

        // First by imitation: the format, and what the intents are called. Then by reinforcement: what the intents are worth telling apart.
        var tuned = await ImitateAsync(settings, start, set, stop);
        var display = new TrainingDisplay(settings.Steps, "accuracy");
        await using var dashboard = await RunPage.StartAsync(settings.DashboardPort, "Banking77", tuned.Model!, settings.Output, display, stop);
        var options = Configure(settings) with { Progress = dashboard?.Progress ?? display, Control = dashboard?.Control, Stop = stop };
        var result = await display.ShowAsync(() => Grpo.Create(Accuracy, options).CompileAsync(tuned, set.Train, set.Validation, CancellationToken.None));

        var scores = new List<(string Name, EvaluationResult<Message, Intent> Result)>();
        foreach (var (name, program) in new[] { ("untrained", start), ("imitation", tuned), ("reinforcement", result.Program) })
            scores.Add((name, await MeasureAsync(settings, program, set)));
        await ReportAsync(settings, scores, result);
        await RunPage.KeepAsync(dashboard, settings.KeepDashboard, stop);
        return (scores[1].Result.Scores, scores[2].Result.Scores);
    }

    /// <summary>The job with each of the seeds on the same messages, and what they show together.</summary>
    public static Task SweepAsync(Settings settings, IReadOnlyList<long> seeds, CancellationToken stop) => Sweep.RunAsync(
        seeds,
        settings.Output,
        async (seed, folder) =>
        {
            var (tuned, reinforced) = await RunAsync(settings with { Seed = seed, Output = folder }, stop);
            return [new("held", "held-out messages", tuned, reinforced)];
        },
        stop);

    internal static GrpoOptions Configure(Settings settings) => new()
    {
        Steps = settings.Steps,
        Seed = settings.Seed,
        ExamplesPerStep = 16,
        OverlapLearning = settings.Overlap,
        RolloutsPerExample = 8,
        MaxParallelism = 64,
        Sampling = new() { Temperature = 1, MaxOutputTokens = settings.MaxOutputTokens },
        Scaling = AdvantageScaling.Group,
        LearningRate = settings.Checkpoint is null ? 1e-4 : null,
        Lora = settings.Checkpoint is null ? null : new(),
        WarmupSteps = 3,
        ValidateEvery = 10,
        RunDirectory = settings.Output,
        Resume = settings.Resume,
    };

    // The tuned weights are kept, so that a resumed run starts from the same ones.
    private static async Task<Program<Message, Intent>> ImitateAsync(Settings settings, Program<Message, Intent> start, Dataset set, CancellationToken stop)
    {
        var folder = Path.Combine(settings.Output, "imitation");
        if (!Directory.Exists(folder))
        {
            var demonstrations = set.Imitate.Select(row => Demonstration.Of(start, "self", FieldMap.Of(("text", row.Input.Text)), FieldMap.Of(("category", row.Expected.Category)))).ToArray();
            var tuning = new SupervisedTuning<Message, Intent>(new()
            {
                Epochs = settings.Epochs,
                BatchSize = 16,
                LearningRate = settings.Checkpoint is null ? 1e-3 : 1e-4,
                Lora = settings.Checkpoint is null ? null : new(),
                Seed = settings.Seed,
                Progress = new SynchronousSteps(),
            });
            var tuned = (await tuning.CompileAsync(start, demonstrations, stop)).Program;
            await tuned.Model!.GetService<IWeightStore>()!.SaveWeightsAsync(folder, stop);
        }

        return start.WithModel(EngineLM.Load(folder));
    }

    private static Task<EvaluationResult<Message, Intent>> MeasureAsync(Settings settings, Program<Message, Intent> program, Dataset set) =>
        Evaluator.Create(Accuracy, new()
        {
            MaxParallelism = 64,
            MaxErrors = int.MaxValue,
            Options = new() { Temperature = 0, MaxOutputTokens = settings.MaxOutputTokens },
            Recovery = RecoveryPolicy.None,
        }).EvaluateAsync(program, set.Test);

    private static async Task ReportAsync(Settings settings, List<(string Name, EvaluationResult<Message, Intent> Result)> scores, GrpoResult<Message, Intent> result)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("held-out messages", "accuracy", "95 % interval");
        foreach (var (name, score) in scores)
            table.AddRow(name, $"{score.Mean:P1}", $"{100 * score.Interval.Low:0.0} … {100 * score.Interval.High:0.0}");
        AnsiConsole.Write(table);
        var gain = Bootstrap.Compare(scores[1].Result.Scores, scores[2].Result.Scores, settings.Seed);
        AnsiConsole.MarkupLineInterpolated($"{(gain.IsSignificant ? "Reinforcement" : "No significant change by reinforcement:")} {100 * gain.Gain:+0.0;-0.0} points [[{100 * gain.Interval.Low:0.0}, {100 * gain.Interval.High:0.0}]]");
        await result.Program.SaveAsync(Path.Combine(settings.Output, "program.json"));
        var evidence = scores.ToDictionary(score => score.Name, score => new { accuracy = score.Result.Mean, interval = new[] { score.Result.Interval.Low, score.Result.Interval.High } });
        await AtomicFile.WriteTextAsync(
            Path.Combine(settings.Output, "result.json"),
            JsonSerializer.Serialize(new { seed = settings.Seed, scores = evidence, gain = gain.Gain, interval = new[] { gain.Interval.Low, gain.Interval.High }, seconds = result.Duration.TotalSeconds }) + "\n");
    }
}
