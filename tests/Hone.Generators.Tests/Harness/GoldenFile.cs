namespace Hone.Generators.Tests;

/// <summary>Compares text with a file under <c>Golden</c>. Set HONE_UPDATE_GOLDEN=1 to write the files instead; then read the difference.</summary>
internal static class GoldenFile
{
    public static void Match(string name, string actual)
    {
        var path = Path.Combine(Folder(), $"{name}.g.txt");
        if (Environment.GetEnvironmentVariable("HONE_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"There is no golden file {path}. Run the tests once with HONE_UPDATE_GOLDEN=1 and check what they wrote.");
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual);
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Hone.slnx")))
                return Path.Combine(folder.FullName, "tests", "Hone.Generators.Tests", "Golden");
        }

        throw new InvalidOperationException("The golden files are in the repository; run the tests from a checkout.");
    }
}
