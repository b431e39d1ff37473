using System.Text.Json;
using Hone.Optimizers;
using Spectre.Console;

namespace PrivateDelegation;

/// <summary>Says what the run has shown, and writes it down: program and weights, <c>result.json</c>, <c>report.html</c>.</summary>
internal static class Evidence
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task WriteAsync(
        Settings settings,
        GrpoOptions options,
        GrpoResult<UserQuery, Delegation> result,
        EvaluationResult<UserQuery, Delegation> before,
        EvaluationResult<UserQuery, Delegation> after)
    {
        var held = Bootstrap.Compare(before.Scores, after.Scores, settings.Seed);
        Print(result, held, PartsOf(before), PartsOf(after));
        await result.Program.SaveAsync(Path.Combine(settings.Output, "program.json"));
        await WriteJsonAsync(settings, new
        {
            seed = settings.Seed,
            steps = result.Steps.Count,
            baseline = held.Baseline,
            best = held.Candidate,
            gain = held.Gain,
            interval = new[] { held.Interval.Low, held.Interval.High },
            parts = new { before = PartsOf(before), after = PartsOf(after) },
            validation = result.Validations.Select(validation => new { step = validation.Step, score = validation.Score }),
            best_step = result.BestStep,
            stop_reason = result.StopReason.ToString(),
            rollouts_generated = result.RolloutsGenerated,
            rollouts_used = result.RolloutsUsed,
            tokens_sampled = result.TokensSampled,
            external_calls = result.ExternalCalls,
            seconds = result.Duration.TotalSeconds,
        });
        await GrpoReport.WriteAsync(
            Path.Combine(settings.Output, "report.html"),
            result,
            new()
            {
                Title = $"Private delegation, seed {settings.Seed}",
                Note = "Half quality, half privacy, greedy decoding. A toy model in a small made-up office: the gain shows that the method works, not that the model knows anything.",
                HeldOut = [("Held-out queries", before, after)],
                Configuration = new { settings.Seed, options.Steps, options.ExamplesPerStep, options.RolloutsPerExample, options.LearningRate, options.Scaling, options.Sampling, settings.Checkpoint },
                Describe = example => $"{example.Input.Text} → {example.Expected.Answer}",
                DescribeOutput = given => $"asked: {given.Request} · answered: {given.Answer}",
            });
        AnsiConsole.MarkupLineInterpolated($"saved      {settings.Output} (program.json, program.weights, report.html, result.json)");
    }

    public static Task WriteJsonAsync(Settings settings, object value) =>
        AtomicFile.WriteTextAsync(Path.Combine(settings.Output, "result.json"), JsonSerializer.Serialize(value, Json) + "\n");

    /// <summary>Means of the score's parts; a run without a score has none, and counts as zero.</summary>
    public static Dictionary<string, double> PartsOf(EvaluationResult<UserQuery, Delegation> result) => result.Rows
        .SelectMany(row => row.Score.Parts)
        .GroupBy(part => part.Key)
        .ToDictionary(part => part.Key, part => part.Sum(each => each.Value) / result.Rows.Length);

    private static void Print(
        GrpoResult<UserQuery, Delegation> result, PairedComparison held, Dictionary<string, double> before, Dictionary<string, double> after)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("held-out queries", "before", "after", "gain", "95 % interval");
        table.AddRow("score", $"{held.Baseline:P1}", $"{held.Candidate:P1}", $"{100 * held.Gain:+0.0;-0.0} points", $"{100 * held.Interval.Low:0.0} … {100 * held.Interval.High:0.0}");
        foreach (var part in new[] { "quality", "privacy" })
            table.AddRow(part, $"{before.GetValueOrDefault(part):P1}", $"{after.GetValueOrDefault(part):P1}", string.Empty, string.Empty);
        AnsiConsole.Write(table);
        if (!held.IsSignificant)
            AnsiConsole.MarkupLine("[yellow]No significant change: the interval contains zero.[/]");
        AnsiConsole.MarkupLineInterpolated(
            $"{result.Steps.Count} steps in {result.Duration.TotalSeconds:0} s ({result.StopReason}) · rollouts used {result.RolloutsUsed:N0} of {result.RolloutsGenerated:N0} · {result.TokensSampled:N0} tokens sampled · {result.ExternalCalls:N0} calls of judges");
    }
}
