namespace MultiHopResearch;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings : TrainingSettings
{
    public const int DefaultSteps = 80;

    public Settings() => Steps = DefaultSteps;

    /// <summary>Most searches a claim.</summary>
    public int Hops { get; init; } = Worlds.DefaultHops;

    /// <summary>Whether a search that finds nothing new is the last.</summary>
    public bool StopsEarly { get; init; }

    public Uri? Server { get; init; }

    public string? ServerModel { get; init; }

    /// <summary>A HoVer file; null takes the sample's own worlds.</summary>
    public string? Data { get; init; }

    /// <summary>The articles that are searched for HoVer's claims.</summary>
    public string? Corpus { get; init; }

    /// <summary>The folder of the index of <see cref="Corpus"/>.</summary>
    public string? Index { get; init; }

    /// <summary>Most tokens of an answer, in training as in measuring: a model of the world's own thinks longer than the embedded one.</summary>
    public int MaxOutputTokens => Checkpoint is null ? 64 : 512;
}
