namespace MultiHopResearch;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const int DefaultSteps = 80;

    public long Seed { get; init; } = 1;

    public int Steps { get; init; } = DefaultSteps;

    /// <summary>Most searches a claim.</summary>
    public int Hops { get; init; } = 3;

    /// <summary>Whether a search that finds nothing new is the last.</summary>
    public bool StopsEarly { get; init; }

    public required string Output { get; init; }

    public bool Resume { get; init; }

    public Uri? Server { get; init; }

    public string? ServerModel { get; init; }

    public string? Checkpoint { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own thinks longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 64 : 512;

    /// <summary>Port of the page on the run, 0 for any; null serves none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Whether the page outlives the run.</summary>
    public bool KeepDashboard { get; init; }
}
