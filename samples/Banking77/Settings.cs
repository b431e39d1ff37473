namespace Banking77;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const int DefaultSteps = 40;
    public const int DefaultEpochs = 5;

    /// <summary>Seed of imitation and reinforcement.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Seed that deals out the messages: the same for all runs of a sweep.</summary>
    public long DataSeed { get; init; } = 1;

    public int Steps { get; init; } = DefaultSteps;

    /// <summary>How often every message is imitated first.</summary>
    public int Epochs { get; init; } = DefaultEpochs;

    public required string Output { get; init; }

    public bool Resume { get; init; }

    /// <summary>The Banking77 file; null writes messages of the sample's own.</summary>
    public string? Data { get; init; }

    /// <summary>A Hugging Face directory to train instead of the embedded model.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own writes longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 48 : 128;

    /// <summary>Port of the page on the run, 0 for any; null serves none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Whether the page outlives the run.</summary>
    public bool KeepDashboard { get; init; }
}
