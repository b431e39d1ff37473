namespace SampleCommon;

/// <summary>What the command line of every training sample asks for.</summary>
public abstract record TrainingSettings
{
    /// <summary>Seed of the run.</summary>
    public long Seed { get; init; } = 1;

    public int Steps { get; init; }

    /// <summary>The folder that the run is kept in.</summary>
    public string Output { get; init; } = string.Empty;

    public bool Resume { get; init; }

    /// <summary>A Hugging Face directory to train instead of the embedded model.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Whether examples that are scored are learned from while others still wait.</summary>
    public bool Overlap { get; init; }

    /// <summary>Port of the page on the run, 0 for any; null serves none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Whether the page outlives the run.</summary>
    public bool KeepDashboard { get; init; }
}
