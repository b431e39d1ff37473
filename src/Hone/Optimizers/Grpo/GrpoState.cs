using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>What the loop must remember to go on after an interruption, besides the session's own state.</summary>
internal sealed record GrpoState
{
    public int NextStep { get; init; }

    public int OptimizerSteps { get; init; }

    public double ElapsedSeconds { get; init; }

    public long RolloutsGenerated { get; init; }

    public long RolloutsUsed { get; init; }

    public long TokensSampled { get; init; }

    public long ExternalCalls { get; init; }

    public decimal Cost { get; init; }

    /// <summary>Returns to good weights so far.</summary>
    public int Rollbacks { get; init; }

    /// <summary>First step after the last return; earlier steps say nothing about the weights in use.</summary>
    public int WatchedFrom { get; init; }

    /// <summary>What returns have left of the learning rate.</summary>
    public double LearningRateScale { get; init; } = 1;

    /// <summary>Name of the directory with the session's state at the best validation; null when collapses are not watched.</summary>
    public string? GoodState { get; init; }

    /// <summary>How far apart the rewards of each example lay when it was last rolled out; null when examples are taken evenly.</summary>
    public IReadOnlyDictionary<int, double>? Spreads { get; init; }

    /// <summary>The step after which the last validation was made that this state knows of: one that is journaled only is made again.</summary>
    public int ValidatedThrough { get; init; } = NotValidated;

    /// <summary>The validation before training.</summary>
    public GrpoValidation? Baseline { get; init; }

    /// <summary>The best validation so far; the baseline until one beats it.</summary>
    public GrpoValidation? Best { get; init; }

    /// <summary>Name of the directory that holds the best weights; null while the baseline is best.</summary>
    public string? BestWeights { get; init; }

    /// <summary>Not even before training.</summary>
    public const int NotValidated = -2;

    private const string FileName = "loop.json";

    public static async Task<GrpoState> LoadAsync(string directory, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, FileName);
        var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Deserialize(text, RunJson.Default.GrpoState) ?? throw new HoneException($"{path} holds no state.");
    }

    public Task SaveAsync(string directory, CancellationToken cancellationToken) =>
        File.WriteAllTextAsync(Path.Combine(directory, FileName), JsonSerializer.Serialize(this, RunJson.Default.GrpoState), cancellationToken);
}
