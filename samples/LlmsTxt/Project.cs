namespace LlmsTxt;

/// <summary>A file of the project, or its first lines.</summary>
public sealed record SourceFile(string Path, string Text);

/// <summary>What is described.</summary>
public sealed record Project(string Name, IReadOnlyList<SourceFile> Files)
{
    private static readonly string[] Extensions = [".md", ".cs", ".txt", ".json", ".js", ".ts", ".csproj"];

    /// <summary>A made-up library.</summary>
    public static Project BuiltIn { get; } = new("Tideline",
    [
        new("README.md", "# Tideline\n\nTideline computes the tides of small harbours from a few weeks of readings.\n\nRun `tideline fit readings.csv`, then `tideline predict`."),
        new("docs/method.md", "# The method\n\nLeast squares over the eight strongest constituents, explained step by step with one worked example for the harbour of Farholm and all its readings."),
        new("src/Fit.cs", "// Fits constituents to readings.\npublic static class Fit { }"),
        new("src/Predict.cs", "// Predicts heights for a span of time.\npublic static class Predict { }"),
        new("tests/FitTests.cs", "// Fits made from known constituents give them back.\npublic class FitTests { }"),
        new("tools/format.js", "// Sorts the lines of a file of readings.\n"),
    ]);

    /// <summary>Text files of a folder, without hidden folders and what a build makes; those at the top come first.</summary>
    public static Project Read(DirectoryInfo folder, int count)
    {
        var found =
            from file in folder.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true })
            let path = Path.GetRelativePath(folder.FullName, file.FullName).Replace('\\', '/')
            where Extensions.Contains(file.Extension) && !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ['.', ..])
            orderby path.Contains('/'), path
            select (path, file.FullName);
        var taken = found.Take(count).ToList();
        if (taken.Count == 0)
            throw new FileNotFoundException($"The folder {folder.FullName} has no text files.");
        return new(folder.Name, [.. taken.Select(file => new SourceFile(file.path, string.Concat(File.ReadAllText(file.FullName).Take(2_000))))]);
    }
}
