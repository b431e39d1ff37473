using System.Text.Json.Nodes;
using Hone;
using Spectre.Console;

namespace SampleCommon;

/// <summary>What one run has shown on one held-out set: the score of each example before and after it.</summary>
/// <param name="Key">The set's name in <c>sweep.json</c>.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Before">Scores before the run.</param>
/// <param name="After">Scores after it, in the same order.</param>
public sealed record SweepScores(string Key, string Name, IReadOnlyList<double> Before, IReadOnlyList<double> After);

/// <summary>A job with several seeds, and what they say together: one seed may have been lucky.</summary>
public static class Sweep
{
    /// <summary>Runs the job with each seed in a folder of its own, prints a table and writes <c>sweep.json</c>.</summary>
    /// <param name="seeds">The seeds.</param>
    /// <param name="output">The folder of all runs.</param>
    /// <param name="run">The job: seed and folder to the scores on every held-out set, always the same sets in the same order.</param>
    /// <param name="stop">Stops between two runs.</param>
    public static async Task RunAsync(IReadOnlyList<long> seeds, string output, Func<long, string, Task<IReadOnlyList<SweepScores>>> run, CancellationToken stop)
    {
        var runs = new List<IReadOnlyList<SweepScores>>();
        foreach (var seed in seeds)
        {
            stop.ThrowIfCancellationRequested();
            runs.Add(await run(seed, Path.Combine(output, $"seed-{seed}")));
        }

        SweepScores[] sets = [.. runs[0]];
        PairedComparison[] together = [.. sets.Select((_, set) => Bootstrap.CompareRuns([.. runs.Select(scores => (scores[set].Before, scores[set].After))]))];
        var table = new Table().Border(TableBorder.Rounded).AddColumn("seed");
        foreach (var set in sets)
            table.AddColumn(set.Name);
        foreach (var (seed, scores) in seeds.Zip(runs))
            table.AddRow([$"{seed}", .. scores.Select(set => $"{set.Before.Average():P1} → {set.After.Average():P1}")]);
        table.AddRow([$"[bold]all {runs.Count}[/]", .. together.Select(Text)]);
        AnsiConsole.Write(table);

        var file = new JsonObject { ["seeds"] = new JsonArray([.. seeds.Select(seed => (JsonNode)seed)]) };
        foreach (var (set, comparison) in sets.Zip(together))
            file[set.Key] = Described(comparison);
        await AtomicFile.WriteTextAsync(Path.Combine(output, "sweep.json"), file.ToJsonString(new() { WriteIndented = true }) + "\n", CancellationToken.None);
    }

    /// <summary>A comparison as it stands in result files.</summary>
    public static JsonObject Described(PairedComparison comparison) => new()
    {
        ["baseline"] = comparison.Baseline,
        ["best"] = comparison.Candidate,
        ["gain"] = comparison.Gain,
        ["interval"] = new JsonArray(comparison.Interval.Low, comparison.Interval.High),
    };

    private static string Text(PairedComparison comparison) =>
        $"[bold]{100 * comparison.Gain:+0.0;-0.0} points[/] ({100 * comparison.Interval.Low:0.0} … {100 * comparison.Interval.High:0.0})";
}
