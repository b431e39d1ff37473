namespace Hone.Engine.Tests;

/// <summary>Where the recorded cases lie: HONE_VECTORS, or a shared/vectors folder beside one of the checkout's parents.</summary>
public static class VectorsFolder
{
    public const string Absent =
        "The recorded vectors are absent: set HONE_VECTORS, or place a shared/vectors folder beside a parent of the checkout.";

    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable("HONE_VECTORS") is { Length: > 0 } named) return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "vectors");
            if (Directory.Exists(candidate)) return candidate;
        }
        return null;
    }
}
