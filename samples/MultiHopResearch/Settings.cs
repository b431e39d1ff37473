namespace MultiHopResearch;

/// <summary>What the command line asks for.</summary>
internal sealed record Settings
{
    public const int DefaultSteps = 80;

    private const string RunsFolder = "runs";

    public long Seed { get; init; } = 1;

    public int Steps { get; init; } = DefaultSteps;

    public required string Output { get; init; }

    public bool Resume { get; init; }

    public Uri? Server { get; init; }

    public string? ServerModel { get; init; }

    public string? Checkpoint { get; init; }

    /// <summary>Port of the page on the run, 0 for any; null serves none.</summary>
    public int? DashboardPort { get; init; }

    /// <summary>Whether the page outlives the run.</summary>
    public bool KeepDashboard { get; init; }

    /// <summary>The folder of a run: the given one, the latest when resuming, else a new one, so that a second run never meets the first one's files.</summary>
    public static string ChooseOutput(string? given, bool resume)
    {
        if (given is not null)
            return given;
        var existing = Enumerable.Range(1, 9999).TakeWhile(number => Directory.Exists(PathOf(number))).Count();
        return Path.GetFullPath(PathOf(resume ? Math.Max(1, existing) : existing + 1));
    }

    /// <summary>The address of a server.</summary>
    /// <exception cref="HoneException">The text is no absolute http or https address.</exception>
    public static Uri? ParseServer(string? text) => text is null ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
            ? uri
        : throw new HoneException($"--model expects the address of an OpenAI-compatible server such as http://localhost:8000/v1, got '{text}'.");

    /// <summary>The port of the page; null when nothing asks for one.</summary>
    /// <exception cref="HoneException">There is no such port.</exception>
    public static int? ChoosePort(bool isWanted, int? given, bool isKept) =>
        given is < 0 or > 65535 ? throw new HoneException($"--dashboard-port expects 0 to 65535, got {given}.")
        : given ?? (isWanted || isKept ? 0 : null);

    private static string PathOf(int number) => Path.Combine(RunsFolder, $"multi-hop-{number:D3}");
}
