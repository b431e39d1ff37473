namespace SampleCommon;

/// <summary>Where a run is kept when nobody says so.</summary>
public static class RunFolder
{
    private const string Root = "runs";

    /// <summary>The folder of a run: the given one, the latest when resuming, else a new one, so that a second run never meets the first one's files.</summary>
    public static string Choose(string name, string? given, bool resume)
    {
        if (given is not null)
            return given;
        var existing = Enumerable.Range(1, 9999).TakeWhile(number => Directory.Exists(PathOf(name, number))).Count();
        return Path.GetFullPath(PathOf(name, resume ? Math.Max(1, existing) : existing + 1));
    }

    private static string PathOf(string name, int number) => Path.Combine(Root, $"{name}-{number:D3}");
}
