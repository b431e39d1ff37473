using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>What a step of a sequence cost and said.</summary>
/// <param name="Step">Its name.</param>
/// <param name="Verdict">What its own comparison shows.</param>
internal sealed record StepOutcome(string Step, string Verdict)
{
    public long ProgramRuns { get; init; }

    public ImmutableSortedDictionary<string, Usage> UsageByRole { get; init; } = ImmutableSortedDictionary<string, Usage>.Empty;

    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>Runs that were under way when a process was killed.</summary>
    public long LostRuns { get; init; }

    /// <summary>What the step takes of a budget of runs.</summary>
    public long BudgetedRuns => ProgramRuns + LostRuns;

    /// <summary>Which limit of the sequence ended the step before it was done; null for one that is finished.</summary>
    public StopReason? Cut { get; init; }

    public static StepOutcome Of<TIn, TOut>(string step, OptimizationResult<TIn, TOut> result) => new(step, result.Verdict)
    {
        ProgramRuns = result.ProgramRuns,
        LostRuns = result.LostRuns,
        UsageByRole = result.UsageByRole,
        Warnings = result.Warnings,
    };
}

/// <summary>The folder of a step in the directory of a sequence: its own run, and, when it is finished, its program with the weights that it tuned.</summary>
/// <param name="directory">The directory of the sequence.</param>
/// <param name="index">Number of the step, from 0.</param>
/// <param name="step">Its name.</param>
internal sealed class StepStore<TIn, TOut>(string directory, int index, string step)
{
    private const string ProgramName = "program.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string folder = Path.Combine(directory, "steps", FormattableString.Invariant($"{index + 1:00}"));

    /// <summary>Where the step's own run is kept.</summary>
    public string RunDirectory => Path.Combine(folder, "run");

    private string StepFile => Path.Combine(folder, "step.json");

    /// <summary>What a step starts from: its program, its name and the steps before it.</summary>
    public static string InputOf(Program<TIn, TOut> program, int index, ImmutableArray<string> steps) =>
        CandidateKeys.Of(program, string.Create(CultureInfo.InvariantCulture, $"{index} {string.Join(',', steps[..(index + 1)])}"));

    /// <summary>Keeps a finished step; one whose program could not be read back is not kept.</summary>
    public async Task SaveAsync(
        Program<TIn, TOut> from, Program<TIn, TOut> program, StepOutcome outcome, string input, CancellationToken cancellationToken)
    {
        if (!CanKeep(from, program))
            return;
        var (path, tuned) = (Path.Combine(folder, ProgramName), Tuned(from, program).ToArray());
        await AtomicFile.WriteTextAsync(path, program.SaveState() + "\n", cancellationToken).ConfigureAwait(false);
        var weights = new JsonObject();
        for (var i = 0; i < tuned.Length; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"weights-{i}");
            await tuned[i].Model.GetService<IWeightStore>()!.SaveWeightsAsync(Path.Combine(folder, name), cancellationToken).ConfigureAwait(false);
            weights[tuned[i].Name] = new JsonArray(name, tuned[i].Model.Name);
        }

        // The last thing written: without it the step is not finished.
        var saved = new JsonObject
        {
            ["step"] = step,
            ["input"] = input,
            ["verdict"] = outcome.Verdict,
            ["programRuns"] = outcome.ProgramRuns,
            ["lostRuns"] = outcome.LostRuns,
            ["usage"] = UsageJson.Write(outcome.UsageByRole),
            ["warnings"] = new JsonArray([.. outcome.Warnings.Select(warning => (JsonNode)warning)]),
            ["weights"] = weights,
        };
        await AtomicFile.WriteTextAsync(StepFile, saved.ToJsonString(Indented) + "\n", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The program and outcome of a step that was finished before, from the same program; null when there is none.</summary>
    public async Task<(Program<TIn, TOut> Program, StepOutcome Outcome)?> LoadAsync(Program<TIn, TOut> from, string input, CancellationToken cancellationToken)
    {
        if (!File.Exists(StepFile))
            return null;
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(StepFile, cancellationToken).ConfigureAwait(false));
        var saved = document.RootElement;
        if (saved.GetProperty("input").GetString() != input)
            return null;
        var program = from;
        foreach (var entry in saved.GetProperty("weights").EnumerateObject())
        {
            if (BaseOf(from, entry.Name) is not { } model)
                return null;
            var tuned = await TunedWeights.LoadAsync(
                model, Path.Combine(folder, entry.Value[0].GetString()!), entry.Value[1].GetString()!, new() { Sampling = model.Options }, cancellationToken).ConfigureAwait(false);
            program = entry.Name.Length == 0 ? program.WithModel(tuned) : program.WithNamedModel(entry.Name, tuned);
        }

        var path = Path.Combine(folder, ProgramName);
        program = program.LoadState(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), path);
        return (program, new(step, saved.GetProperty("verdict").GetString()!)
        {
            ProgramRuns = saved.GetProperty("programRuns").GetInt64(),
            LostRuns = saved.TryGetProperty("lostRuns", out var lost) ? lost.GetInt64() : 0,
            UsageByRole = UsageJson.Read(saved.GetProperty("usage")),
            Warnings = [.. saved.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)],
        });
    }

    private static bool CanKeep(Program<TIn, TOut> from, Program<TIn, TOut> program) =>
        ReferenceEquals(from.Module, program.Module)
        && Tuned(from, program).All(tuned => TunedWeights.CanKeep(tuned.Model, BaseOf(from, tuned.Name)));

    // A new name is that of weights which the program's own model was tuned to; beside other models it is not known which one.
    private static LM? BaseOf(Program<TIn, TOut> from, string name) =>
        name.Length == 0 || from.NamedModels.IsEmpty ? from.Model : from.NamedModels.GetValueOrDefault(name);

    // Models that the step made: the program's own has an empty name.
    private static IEnumerable<(string Name, LM Model)> Tuned(Program<TIn, TOut> from, Program<TIn, TOut> program)
    {
        if (program.Model is { } model && !ReferenceEquals(model, from.Model))
            yield return (string.Empty, model);
        foreach (var (name, named) in program.NamedModels.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (!ReferenceEquals(from.NamedModels.GetValueOrDefault(name), named))
                yield return (name, named);
        }
    }
}
