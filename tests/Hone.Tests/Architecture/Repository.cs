using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Hone.Tests.Architecture;

/// <summary>The sources under test, parsed once.</summary>
internal static class Repository
{
    private static readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<SyntaxTree>>> Parsed = new();

    public static string Root { get; } = FindRoot();

    /// <summary>Source files of a project, without build output: path relative to the project, and text tree.</summary>
    public static IReadOnlyList<SyntaxTree> Parse(string project) => Parsed.GetOrAdd(project, name => new(() => ParseFiles(name))).Value;

    private static IReadOnlyList<SyntaxTree> ParseFiles(string project)
    {
        var folder = Path.Combine(Root, "src", project);
        return [.. Files(folder).Select(path => CSharpSyntaxTree.ParseText(
            File.ReadAllText(path), new CSharpParseOptions(LanguageVersion.Preview), Path.GetRelativePath(folder, path).Replace('\\', '/')))];
    }

    public static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    public static string RoomOf(SyntaxTree tree) => tree.FilePath.Contains('/', StringComparison.Ordinal) ? tree.FilePath[..tree.FilePath.IndexOf('/')] : string.Empty;

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Hone.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests must run from a checkout of the repository: Hone.slnx was not found above them.");
    }
}
