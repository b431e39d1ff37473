using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hone.Optimizers;

/// <summary>What every optimizer's run has: a seed, a clock with the time already spent, a budget, a journal and a directory.</summary>
internal sealed class OptimizationRun : IDisposable
{
    private readonly TimeProvider time;
    private readonly long started;
    private TimeSpan spentBefore;

    private OptimizationRun(string? directory, SeedStream seed, OptimizationBudget budget, TimeProvider time)
    {
        Directory = directory;
        Seed = seed;
        Budget = budget;
        this.time = time;
        started = time.GetTimestamp();
        if (directory is not null)
            (Journal, Entries) = Optimizers.Journal.Open(Path.Combine(directory, "journal.jsonl"));
    }

    /// <summary>Where the run is kept; null for one that lives in memory.</summary>
    public string? Directory { get; }

    public SeedStream Seed { get; }

    public OptimizationBudget Budget { get; }

    /// <summary>What an interrupted run had journaled.</summary>
    public IReadOnlyList<JsonElement> Entries { get; } = [];

    public Journal? Journal { get; }

    /// <summary>Time over all resumptions.</summary>
    public TimeSpan Elapsed => spentBefore + time.GetElapsedTime(started);

    /// <summary>Opens a run; its identity (options, data, program) must equal what the directory was started with.</summary>
    /// <exception cref="HoneException">The directory holds a run and resuming was not asked for, or another run.</exception>
    public static async Task<OptimizationRun> OpenAsync(
        string? directory, bool resume, RunIdentity identity, SeedStream seed, OptimizationBudget budget, TimeProvider time, CancellationToken cancellationToken)
    {
        if (directory is null)
            return new(null, seed, budget, time);
        var path = Path.Combine(directory, "run.json");
        if (!File.Exists(path))
            await AtomicFile.WriteTextAsync(path, JsonSerializer.Serialize(identity, RunJson.Indented.RunIdentity), cancellationToken)
                .ConfigureAwait(false);
        else
            RequireSame(path, identity, resume, await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false));
        return new(directory, seed, budget, time);
    }

    /// <summary>A run that leaves nothing behind.</summary>
    public static OptimizationRun InMemory(SeedStream seed, OptimizationBudget budget, TimeProvider time) => new(null, seed, budget, time);

    /// <summary>Takes the time of earlier sessions into account.</summary>
    public void ContinueFrom(TimeSpan spent) => spentBefore = spent;

    /// <summary>The limit that is spent, or null.</summary>
    public StopReason? Exhausted(long sampledTokens) =>
        Budget.MaxDuration is { } duration && Elapsed >= duration ? StopReason.TimeBudget
        : Budget.MaxSampledTokens is { } tokens && sampledTokens >= tokens ? StopReason.TokenBudget
        : null;

    public void Dispose() => Journal?.Dispose();

    private static void RequireSame(string path, RunIdentity identity, bool resume, string text)
    {
        if (!resume)
            throw new HoneException($"{path} exists: the directory holds an earlier run. Resume it, choose another directory, or delete it.");
        var stored = JsonSerializer.Deserialize(text, RunJson.Default.RunIdentity);
        if (stored is not null && stored.FormatVersion != identity.FormatVersion)
        {
            throw new HoneException(
                $"{path} was written in format {stored.FormatVersion} and this Hone writes format {identity.FormatVersion}: the run cannot be continued. Start in another directory.");
        }

        foreach (var (name, was, now) in new[]
        {
            ("optimizer", stored?.Optimizer, identity.Optimizer),
            ("program", stored?.Program, identity.Program),
            ("models", stored?.Models, identity.Models),
            ("state (instructions, demos, descriptions, options of predictors)", stored?.State, identity.State),
            ("teachers", stored?.Teachers, identity.Teachers),
            ("options", stored?.Options, identity.Options),
            ("data", stored?.Data, identity.Data),
            ("validation data", stored?.Validation, identity.Validation),
            ("version of Hone", stored?.Version, identity.Version),
        })
        {
            if (was != now)
            {
                throw new HoneException(
                    $"{path} was started with other {name} ('{RunIdentity.Rest(was, now)}', now '{RunIdentity.Rest(now, was)}'). "
                    + "Resume with the same settings, or start in another directory.");
            }
        }
    }
}

/// <summary>What makes two runs the same run. Data are digests.</summary>
internal sealed record RunIdentity(string Optimizer, string Program, string Options, string Data)
{
    /// <summary>What stands between the parts of a text.</summary>
    public const string Separator = "; ";

    public int FormatVersion { get; init; } = 1;

    /// <summary>The program's models with their options; null where the program's text says it already.</summary>
    public string? Models { get; init; }

    /// <summary>Digest of the program's state.</summary>
    public string? State { get; init; }

    /// <summary>Digests of the teachers.</summary>
    public string? Teachers { get; init; }

    /// <summary>Digest of the validation set where it is not part of the data's.</summary>
    public string? Validation { get; init; }

    /// <summary>Version of Hone.</summary>
    public string? Version { get; init; }

    /// <summary>The parts of a text that another one lacks: what has changed.</summary>
    public static string Rest(string? text, string? other) =>
        string.Join(Separator, (text ?? string.Empty).Split(Separator).Except((other ?? string.Empty).Split(Separator), StringComparer.Ordinal));

    /// <summary>Every property that is not null, with its name: what has changed can be told.</summary>
    public static string Words<T>(T value, JsonTypeInfo<T> type) =>
        string.Join(Separator, JsonSerializer.SerializeToElement(value, type).EnumerateObject().Select(property => $"{property.Name}: {property.Value.GetRawText()}"));

    /// <summary>SHA-256 of a value's JSON, shortened: enough to notice a difference.</summary>
    public static string Digest<T>(T value, JsonTypeInfo<T> type) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(value, type)))[..16];
}
