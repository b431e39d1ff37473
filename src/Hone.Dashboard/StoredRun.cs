using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hone.Optimizers;

/// <summary>A run as its directory tells it: the journal at once, rollouts when they are asked for.</summary>
internal sealed class StoredRun : IRunSource
{
    private readonly string directory;
    private readonly RolloutViews views;
    private readonly StatusMessage status;

    private StoredRun(string directory, DashboardOptions options, IReadOnlyList<StoredLine> lines, PreflightReport? checks)
    {
        this.directory = directory;
        views = new(options.TokenTexts);
        var steps = lines.Where(line => line.Report is not null).Select(line => line.Step).DefaultIfEmpty(-1).Max() + 1;
        status = new() { Phase = "stored", Step = steps - 1, Elapsed = lines.Sum(line => line.Report?.Seconds.Total ?? 0) };
        Append("started", new(0, steps), DashboardJson.Default.StartedMessage);
        if (checks is not null)
            Append("checked", checks, DashboardJson.Default.PreflightReport);
        var baseline = lines.FirstOrDefault(line => line.Validation is { Step: < 0 })?.Validation!.Scores;
        foreach (var line in lines)
        {
            if (line.Report is { } report)
                Append("step", new(report, RunRecorder.ErrorOf(report, report.RolloutsKept - report.Unscorable), null), DashboardJson.Default.StepMessage);
            if (line.Validation is { } validation)
                Append("validation", RunRecorder.ValidationOf(validation, baseline, hasAnswers: false), DashboardJson.Default.ValidationMessage);
        }
    }

    public bool IsLive => false;

    public RunFeed Feed { get; } = new(RunRecorder.FeedCapacity);

    public StatusMessage Status => status with { Dropped = Feed.Dropped };

    public IReadOnlyList<int> Steps => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "step-*.jsonl.gz").Select(StepOf).Where(step => step >= 0).Order()]
        : [];

    private string Folder => Path.Combine(directory, "rollouts");

    public static async Task<StoredRun> OpenAsync(string directory, DashboardOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (!File.Exists(Path.Combine(directory, "run.json")))
            throw new HoneException($"'{directory}' holds no run: run.json is missing. Pass the directory that the run had as GrpoOptions.RunDirectory.");
        var checks = Path.Combine(directory, "preflight.json");
        return new(
            directory,
            options,
            ReadJournal(directory),
            File.Exists(checks)
                ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(checks, cancellationToken).ConfigureAwait(false), DashboardJson.Default.PreflightReport)
                : null);
    }

    /// <summary>The whole lines of a journal, which a run may be writing.</summary>
    public static IReadOnlyList<StoredLine> ReadJournal(string directory)
    {
        var path = Path.Combine(directory, "journal.jsonl");
        if (!File.Exists(path))
            return [];
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var text = reader.ReadToEnd();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize(line, DashboardJson.Default.StoredLine)!)];
    }

    public async ValueTask<StepRollouts?> RolloutsOfAsync(int step, CancellationToken cancellationToken = default) =>
        await ReadAsync(step, cancellationToken).ConfigureAwait(false) is { } found ? RolloutViews.Summarize(step, found) : null;

    public async ValueTask<RolloutView?> RolloutAsync(int step, int position, CancellationToken cancellationToken = default) =>
        await ReadAsync(step, cancellationToken).ConfigureAwait(false) is { } found && (uint)position < (uint)found.Count ? views.Show(step, position, found) : null;

    public AnswerPage? Answers(AnswerQuery query) => null;

    private async Task<IReadOnlyList<StoredRollout>?> ReadAsync(int step, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"step-{step:D5}.jsonl.gz"));
        if (step < 0 || !File.Exists(path))
            return null;
        var rollouts = new List<StoredRollout>();
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
            rollouts.Add(JsonSerializer.Deserialize(line, DashboardJson.Default.StoredRollout)!);
        return rollouts;
    }

    private void Append<T>(string type, T message, JsonTypeInfo<T> json) => Feed.Append(type, JsonSerializer.SerializeToUtf8Bytes(message, json));

    private static int StepOf(string path)
    {
        var name = Path.GetFileName(path);
        return int.TryParse(name["step-".Length..name.IndexOf('.', StringComparison.Ordinal)], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }
}
