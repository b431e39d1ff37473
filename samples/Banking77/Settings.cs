namespace Banking77;

/// <summary>What the command line asks for; <see cref="TrainingSettings.Seed"/> is that of imitation and reinforcement.</summary>
internal sealed record Settings : TrainingSettings
{
    public const int DefaultEpochs = 5;
    private const int DefaultSteps = 40;

    public Settings() => Steps = DefaultSteps;

    /// <summary>Seed that deals out the messages: the same for all runs of a sweep.</summary>
    public long DataSeed { get; init; } = 1;

    /// <summary>How often every message is imitated first.</summary>
    public int Epochs { get; init; } = DefaultEpochs;

    /// <summary>The Banking77 file; null writes messages of the sample's own.</summary>
    public string? Data { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own writes longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 48 : 128;
}
