using System.Text.Json;
using Spectre.Console;

namespace MultiHopResearch;

/// <summary>The main job with several seeds, and what they say together: one seed may have been lucky.</summary>
internal static class SweepJob
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task RunAsync(Settings settings, IReadOnlyList<long> seeds, CancellationToken stop)
    {
        var runs = new List<(long Seed, Scores Before, Scores After)>();
        foreach (var seed in seeds)
        {
            stop.ThrowIfCancellationRequested();
            var (before, after) = await TrainingJob.RunAsync(settings with { Seed = seed, Output = Path.Combine(settings.Output, $"seed-{seed}") }, stop);
            runs.Add((seed, before, after));
        }

        var (held, unseen) = (Over(runs, scores => scores.Test.Scores), Over(runs, scores => scores.Unseen.Scores));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("seed", "held-out claims", "unseen world");
        foreach (var (seed, before, after) in runs)
            table.AddRow($"{seed}", $"{before.Test.Mean:P1} → {after.Test.Mean:P1}", $"{before.Unseen.Mean:P1} → {after.Unseen.Mean:P1}");
        table.AddRow($"[bold]all {runs.Count}[/]", Text(held), Text(unseen));
        AnsiConsole.Write(table);
        await AtomicFile.WriteTextAsync(
            Path.Combine(settings.Output, "sweep.json"),
            JsonSerializer.Serialize(new { seeds, held = Described(held), unseen = Described(unseen) }, Json) + "\n",
            CancellationToken.None);
    }

    private static PairedComparison Over(IReadOnlyList<(long Seed, Scores Before, Scores After)> runs, Func<Scores, IReadOnlyList<double>> scores) =>
        Bootstrap.CompareRuns([.. runs.Select(run => (scores(run.Before), scores(run.After)))]);

    private static string Text(PairedComparison comparison) =>
        $"[bold]{100 * comparison.Gain:+0.0;-0.0} points[/] ({100 * comparison.Interval.Low:0.0} … {100 * comparison.Interval.High:0.0})";

    private static object Described(PairedComparison comparison) => new
    {
        baseline = comparison.Baseline,
        best = comparison.Candidate,
        gain = comparison.Gain,
        interval = new[] { comparison.Interval.Low, comparison.Interval.High },
    };
}
