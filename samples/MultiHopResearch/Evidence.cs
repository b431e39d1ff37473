using System.Text.Json;
using Hone.Optimizers;
using Spectre.Console;

namespace MultiHopResearch;

/// <summary>Says what the run has shown, and writes it down: program and weights, <c>result.json</c>, <c>report.html</c>.</summary>
internal static class Evidence
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task WriteAsync(Settings settings, GrpoOptions options, GrpoResult<Claim, Research> result, Scores before, Scores after)
    {
        var held = Bootstrap.Compare(before.Test.Scores, after.Test.Scores, settings.Seed);
        var unseen = Bootstrap.Compare(before.Unseen.Scores, after.Unseen.Scores, settings.Seed);
        Print(result, held, unseen);

        await result.Program.SaveAsync(Path.Combine(settings.Output, "program.json"));
        await WriteResultAsync(settings, result, held, unseen);
        await GrpoReport.WriteAsync(
            Path.Combine(settings.Output, "report.html"),
            result,
            new()
            {
                Title = $"Multi-hop research, seed {settings.Seed}",
                Note = "Recall of gold titles, greedy decoding. A toy model on a synthetic encyclopedia: the gain shows that the method works, not that the model knows anything.",
                HeldOut = [("Held-out claims", before.Test, after.Test), ("A world that training never saw", before.Unseen, after.Unseen)],
                Configuration = Describe(options, settings),
                Describe = example => $"{example.Input.Text} → {string.Join(" · ", example.Expected.Titles)}",
                DescribeOutput = research => $"titles: {string.Join(" · ", research.Titles)}",
            });
        AnsiConsole.MarkupLineInterpolated($"saved      {settings.Output} (program.json, program.weights, report.html, result.json)");
    }

    private static void Print(GrpoResult<Claim, Research> result, PairedComparison held, PairedComparison unseen)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("recall", "before", "after", "gain", "95 % interval");
        foreach (var (name, comparison) in new[] { ("held-out claims", held), ("unseen world", unseen) })
            table.AddRow(name, $"{comparison.Baseline:P1}", $"{comparison.Candidate:P1}", $"{100 * comparison.Gain:+0.0;-0.0} points", $"{100 * comparison.Interval.Low:0.0} … {100 * comparison.Interval.High:0.0}");
        AnsiConsole.Write(table);
        if (!held.IsSignificant)
            AnsiConsole.MarkupLine("[yellow]No significant change: the interval contains zero.[/]");
        AnsiConsole.MarkupLineInterpolated(
            $"{result.Steps.Count} steps in {result.Duration.TotalSeconds:0} s ({result.StopReason}) · rollouts used {result.RolloutsUsed:N0} of {result.RolloutsGenerated:N0} · {result.TokensSampled:N0} tokens sampled");
    }

    private static Task WriteResultAsync(Settings settings, GrpoResult<Claim, Research> result, PairedComparison held, PairedComparison unseen) =>
        AtomicFile.WriteTextAsync(
            Path.Combine(settings.Output, "result.json"),
            JsonSerializer.Serialize(
                new
                {
                    seed = settings.Seed,
                    steps = result.Steps.Count,
                    baseline = held.Baseline,
                    best = held.Candidate,
                    gain = held.Gain,
                    interval = new[] { held.Interval.Low, held.Interval.High },
                    unseen = new { baseline = unseen.Baseline, best = unseen.Candidate, gain = unseen.Gain, interval = new[] { unseen.Interval.Low, unseen.Interval.High } },
                    validation = result.Validations.Select(validation => new { step = validation.Step, score = validation.Score }),
                    best_step = result.BestStep,
                    stop_reason = result.StopReason.ToString(),
                    rollouts_generated = result.RolloutsGenerated,
                    rollouts_used = result.RolloutsUsed,
                    tokens_sampled = result.TokensSampled,
                    seconds = result.Duration.TotalSeconds,
                },
                Json) + "\n");

    private static object Describe(GrpoOptions options, Settings settings) => new
    {
        settings.Seed,
        options.Steps,
        options.ExamplesPerStep,
        options.RolloutsPerExample,
        options.LearningRate,
        options.Schedule,
        options.WarmupSteps,
        options.Scaling,
        options.Loss,
        options.Sampling,
        options.Lora,
        options.ValidateEvery,
        options.ValidationTemperature,
        options.FormatFailureScore,
        settings.Checkpoint,
    };
}
