using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hone.Optimizers;
using Spectre.Console;

namespace MultiHopResearch;

/// <summary>What a held-out set shows.</summary>
internal sealed record Shown(HeldOut Set, EvaluationResult<Claim, Research> Before, EvaluationResult<Claim, Research> After, PairedComparison Comparison);

/// <summary>Says what the run has shown, and writes it down: program and weights, <c>result.json</c>, <c>report.html</c>.</summary>
internal static class Evidence
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task WriteAsync(Settings settings, GrpoOptions options, GrpoResult<Claim, Research> result, string note, ImmutableArray<Shown> shown)
    {
        Print(result, shown);
        await result.Program.SaveAsync(Path.Combine(settings.Output, "program.json"));
        await AtomicFile.WriteTextAsync(Path.Combine(settings.Output, "result.json"), ResultOf(settings, result, shown).ToJsonString(Json) + "\n");
        await GrpoReport.WriteAsync(
            Path.Combine(settings.Output, "report.html"),
            result,
            new()
            {
                Title = $"Multi-hop research, seed {settings.Seed}",
                Note = note,
                HeldOut = [.. shown.Select(each => (each.Set.Title, each.Before, each.After))],
                Configuration = Describe(options, settings),
                Describe = example => $"{example.Input.Text} → {string.Join(" · ", example.Expected.Titles)}",
                DescribeOutput = research => $"titles: {string.Join(" · ", research.Titles)}",
            });
        AnsiConsole.MarkupLineInterpolated($"saved      {settings.Output} (program.json, program.weights, report.html, result.json)");
    }

    private static void Print(GrpoResult<Claim, Research> result, ImmutableArray<Shown> shown)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("recall", "before", "after", "gain", "95 % interval");
        foreach (var (set, _, _, comparison) in shown)
            table.AddRow(set.Name, $"{comparison.Baseline:P1}", $"{comparison.Candidate:P1}", $"{100 * comparison.Gain:+0.0;-0.0} points", $"{100 * comparison.Interval.Low:0.0} … {100 * comparison.Interval.High:0.0}");
        AnsiConsole.Write(table);
        if (!shown[0].Comparison.IsSignificant)
            AnsiConsole.MarkupLine("[yellow]No significant change: the interval contains zero.[/]");
        AnsiConsole.MarkupLineInterpolated(
            $"{result.Steps.Count} steps in {result.Duration.TotalSeconds:0} s ({result.StopReason}) · rollouts used {result.RolloutsUsed:N0} of {result.RolloutsGenerated:N0} · {result.TokensSampled:N0} tokens sampled");
    }

    private static JsonObject ResultOf(Settings settings, GrpoResult<Claim, Research> result, ImmutableArray<Shown> shown)
    {
        var file = new JsonObject { ["seed"] = settings.Seed, ["steps"] = result.Steps.Count };
        foreach (var (name, value) in Sweep.Described(shown[0].Comparison))
            file[name] = value!.DeepClone();
        foreach (var (set, _, _, comparison) in shown.Skip(1))
            file[set.Key] = Sweep.Described(comparison);
        file["validation"] = new JsonArray([.. result.Validations.Select(validation => new JsonObject { ["step"] = validation.Step, ["score"] = validation.Score })]);
        file["best_step"] = result.BestStep;
        file["stop_reason"] = result.StopReason.ToString();
        file["rollouts_generated"] = result.RolloutsGenerated;
        file["rollouts_used"] = result.RolloutsUsed;
        file["tokens_sampled"] = result.TokensSampled;
        file["seconds"] = result.Duration.TotalSeconds;
        return file;
    }

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
