namespace PrivateDelegation;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings : TrainingSettings
{
    private const int DefaultSteps = 30;

    public Settings() => Steps = DefaultSteps;

    /// <summary>Queries that the embedded model is shown before it is trained.</summary>
    public int WarmUp { get; init; } = WarmStart.DefaultQueries;

    /// <summary>The PUPA file; null writes queries of the sample's own world.</summary>
    public string? Data { get; init; }

    /// <summary>A model on a server that does the two local steps: it is evaluated, not trained.</summary>
    public LM? Model { get; init; }

    /// <summary>The strong model; null is the world's own.</summary>
    public LM? Untrusted { get; init; }

    /// <summary>The judging model; null is the world's own.</summary>
    public LM? Judge { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own writes longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 96 : 1024;
}
