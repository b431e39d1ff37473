using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// The run directory: <c>journal.jsonl</c> (a line a step or validation), <c>state/step-N</c> (to go on from), <c>best</c> or <c>best-step-N</c>
/// (weights), <c>rollouts/step-N.jsonl.gz</c>, <c>spending.json</c>. Everything appears by renaming, so a kill at any moment leaves a directory that can be resumed.
/// </summary>
internal sealed class GrpoStore(OptimizationRun run, GrpoOptions options) : IDisposable
{
    public const string SessionFolder = "session";

    private const string SpendingFile = "spending.json";
    private const string ChecksFile = "preflight.json";
    private const string StepPrefix = "step-";
    private const string RolloutsEnd = ".jsonl.gz";
    private const string GoodPrefix = "good-";

    private string? temporary;

    private string Rollouts => Path.Combine(run.Directory!, "rollouts");

    private string? StateRoot => run.Directory is null ? null : Path.Combine(run.Directory, "state");

    public void Append(GrpoStepReport report) => run.Journal?.Append(new GrpoJournalLine(report.Step, report, null), RunJson.Default.GrpoJournalLine);

    public void Append(GrpoValidation validation) => run.Journal?.Append(new GrpoJournalLine(validation.Step, null, validation), RunJson.Default.GrpoJournalLine);

    /// <summary>The newest complete state, or null.</summary>
    public string? LatestState() => StateRoot is { } root && Directory.Exists(root)
        ? Directory.GetDirectories(root, StepPrefix + "*").Where(path => StepOf(path) >= 0).MaxBy(StepOf)
        : null;

    /// <summary>Writes down what has been spent so far: unlike the journal's lines it is never taken back.</summary>
    public Task WriteSpendingAsync(GrpoSpending spending, CancellationToken cancellationToken) => run.Directory is null
        ? Task.CompletedTask
        : AtomicFile.WriteTextAsync(Path.Combine(run.Directory, SpendingFile), JsonSerializer.Serialize(spending, RunJson.Default.GrpoSpending) + "\n", cancellationToken);

    /// <summary>What the run has spent, steps that were lost included.</summary>
    public async Task<GrpoSpending> ReadSpendingAsync(CancellationToken cancellationToken) =>
        run.Directory is not null && Path.Combine(run.Directory, SpendingFile) is var path && File.Exists(path)
            ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), RunJson.Default.GrpoSpending)!
            : new(0, 0, 0);

    /// <summary>
    /// Removes all weights of a finished run that is to keep none. What the loop remembers stays, so that a resume finds out why there is nothing to go on
    /// from.
    /// </summary>
    public void DropWeights()
    {
        if (run.Directory is not { } directory || StateRoot is not { } root)
            return;
        string[] weights = [
            .. Directory.GetDirectories(directory, $"best-{StepPrefix}*"),
            .. Directory.GetDirectories(directory, $"{GoodPrefix}{StepPrefix}*"),
            .. Directory.GetDirectories(root, StepPrefix + "*").Select(state => Path.Combine(state, SessionFolder)).Where(Directory.Exists),
        ];
        foreach (var path in weights)
            Directory.Delete(path, recursive: true);
    }

    /// <summary>Cuts the journal, and the kept rollouts, to what happened before a step, and to the validations that the state knows: others belong to work that will be done again.</summary>
    public (IReadOnlyList<GrpoStepReport> Steps, IReadOnlyList<GrpoValidation> Validations) KeepEntriesBefore(int step, int validatedThrough)
    {
        if (run.Journal is null)
            return ([], []);
        if (Directory.Exists(Rollouts))
        {
            foreach (var lost in Directory.GetFiles(Rollouts, $"{StepPrefix}*{RolloutsEnd}").Where(path => StepOf(path[..^RolloutsEnd.Length]) >= step))
                File.Delete(lost);
        }

        var kept = run.Entries
            .Select(entry => (Element: entry, Line: entry.Deserialize(RunJson.Default.GrpoJournalLine)!))
            .Where(entry => entry.Line.Step < step && (entry.Line.Validation is null || entry.Line.Step <= validatedThrough))
            .ToArray();
        run.Journal.Rewrite(kept.Select(entry => entry.Element));
        return (
            [.. kept.Where(entry => entry.Line.Report is not null).Select(entry => entry.Line.Report!)],
            [.. kept.Where(entry => entry.Line.Validation is not null).Select(entry => entry.Line.Validation!)]);
    }

    /// <summary>Writes the state and removes all older ones but the one before it.</summary>
    public async Task<string?> SaveStateAsync(GrpoState state, ITrainingSession session, CancellationToken cancellationToken)
    {
        if (StateRoot is not { } root)
            return null;
        var directory = Path.Combine(root, Name(state.NextStep));
        await AtomicFile.WriteDirectoryAsync(
            directory,
            async (temporary, token) =>
            {
                Directory.CreateDirectory(temporary);
                await session.SaveStateAsync(Path.Combine(temporary, SessionFolder), token).ConfigureAwait(false);
                await state.SaveAsync(temporary, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        await CleanAsync(root, state, cancellationToken).ConfigureAwait(false);
        return directory;
    }

    /// <summary>Writes the best weights under a new name for every improvement, so that an older state finds its own.</summary>
    public async Task<string?> SaveBestAsync(LM best, int step, CancellationToken cancellationToken)
    {
        if (run.Directory is null || best.GetService<IWeightStore>() is not { } weights)
            return null;
        var name = $"best-{Name(step + 1)}";
        await weights.SaveWeightsAsync(Path.Combine(run.Directory, name), cancellationToken).ConfigureAwait(false);
        return name;
    }

    /// <summary>Keeps what the checks before training found: <c>preflight.json</c>.</summary>
    public Task WriteChecksAsync(PreflightReport report, CancellationToken cancellationToken) => run.Directory is null
        ? Task.CompletedTask
        : AtomicFile.WriteTextAsync(
            Path.Combine(run.Directory, ChecksFile), JsonSerializer.Serialize(report, RunJson.Indented.PreflightReport) + "\n", cancellationToken);

    /// <summary>What the checks found when the run began; null when they were not made.</summary>
    public async Task<PreflightReport?> ReadChecksAsync(CancellationToken cancellationToken) =>
        run.Directory is not null && Path.Combine(run.Directory, ChecksFile) is var path && File.Exists(path)
            ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), RunJson.Default.PreflightReport)
            : null;

    /// <summary>Writes the session's state at a good validation, to return to. Without a run directory it goes to a temporary one.</summary>
    public async Task<string> SaveGoodAsync(ITrainingSession session, int step, CancellationToken cancellationToken)
    {
        var name = $"{GoodPrefix}{Name(step + 1)}";
        await AtomicFile.WriteDirectoryAsync(GoodPath(name), session.SaveStateAsync, cancellationToken).ConfigureAwait(false);
        return name;
    }

    /// <summary>Where a good state lies.</summary>
    public string GoodPath(string name) => Path.Combine(run.Directory ?? (temporary ??= Directory.CreateTempSubdirectory("hone-good-").FullName), name);

    /// <summary>Removes good states that nothing refers to any more.</summary>
    public void KeepGood(IReadOnlySet<string?> needed)
    {
        if ((run.Directory ?? temporary) is not { } root)
            return;
        foreach (var old in Directory.GetDirectories(root, GoodPrefix + StepPrefix + "*").Where(path => !needed.Contains(Path.GetFileName(path))))
            Directory.Delete(old, recursive: true);
    }

    public void Dispose()
    {
        if (temporary is not null)
            Directory.Delete(temporary, recursive: true);
    }

    // Keeps the two newest states and the best weights that they refer to.
    private async Task CleanAsync(string root, GrpoState current, CancellationToken cancellationToken)
    {
        var states = Directory.GetDirectories(root, StepPrefix + "*").Where(path => StepOf(path) >= 0).OrderByDescending(StepOf).ToArray();
        foreach (var old in states.Skip(2))
            Directory.Delete(old, recursive: true);
        var needed = new HashSet<string?> { current.BestWeights };
        var good = new HashSet<string?> { current.GoodState };
        foreach (var kept in states.Take(2))
        {
            var state = await GrpoState.LoadAsync(kept, cancellationToken).ConfigureAwait(false);
            needed.Add(state.BestWeights);
            good.Add(state.GoodState);
        }

        KeepGood(good);
        if (options.Checkpoint == CheckpointPolicy.Improvements)
            return;
        foreach (var old in Directory.GetDirectories(run.Directory!, $"best-{StepPrefix}*").Where(path => !needed.Contains(Path.GetFileName(path))))
            Directory.Delete(old, recursive: true);
    }

    /// <summary>Keeps the step's rollouts for browsing: one JSON line a rollout.</summary>
    public async Task WriteRolloutsAsync(int step, GrpoStepOutcome outcome, CancellationToken cancellationToken)
    {
        if (run.Directory is null)
            return;
        var path = Path.Combine(Rollouts, $"{Name(step)}{RolloutsEnd}");
        await AtomicFile.WriteAsync(
            path,
            async (stream, token) =>
            {
                var zipped = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
                await using (zipped.ConfigureAwait(false))
                {
                    foreach (var rollout in outcome.Rollouts)
                    {
                        await JsonSerializer.SerializeAsync(zipped, GrpoRolloutLine.From(rollout, outcome.Batch), RunJson.Default.GrpoRolloutLine, token).ConfigureAwait(false);
                        zipped.WriteByte((byte)'\n');
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static string Name(int step) => StepPrefix + step.ToString("D5", CultureInfo.InvariantCulture);

    private static int StepOf(string path)
    {
        var name = Path.GetFileName(path);
        var digits = name[(name.LastIndexOf(StepPrefix, StringComparison.Ordinal) + StepPrefix.Length)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }
}
