namespace PrivateDelegation;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const int DefaultSteps = 30;

    public long Seed { get; init; } = 1;

    public int Steps { get; init; } = DefaultSteps;

    /// <summary>Queries that the embedded model is shown before it is trained.</summary>
    public int WarmUp { get; init; } = WarmStart.DefaultQueries;

    public required string Output { get; init; }

    public bool Resume { get; init; }

    /// <summary>The PUPA file; null writes queries of the sample's own world.</summary>
    public string? Data { get; init; }

    /// <summary>A model on a server that does the two local steps: it is evaluated, not trained.</summary>
    public LM? Model { get; init; }

    /// <summary>The strong model; null is the world's own.</summary>
    public LM? Untrusted { get; init; }

    /// <summary>The judging model; null is the world's own.</summary>
    public LM? Judge { get; init; }

    /// <summary>A Hugging Face directory to train instead of the embedded model.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own writes longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 96 : 1024;

    /// <summary>Port of the page on the run, 0 for any; null serves none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Whether the page outlives the run.</summary>
    public bool KeepDashboard { get; init; }
}
