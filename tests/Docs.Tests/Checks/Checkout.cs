namespace Docs.Tests.Checks;

/// <summary>The files of the repository that the checks read.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <summary>The pages whose examples and links are checked, relative to the root.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories).Select(Relative).Order(StringComparer.Ordinal),
    ];

    /// <summary>The source files that hold the examples.</summary>
    public static IEnumerable<string> SnippetFiles =>
        Directory.EnumerateFiles(Path.Combine(Root, "tests", "Docs.Tests", "Snippets"), "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Hone.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests must run from a checkout of the repository: Hone.slnx was not found above them.");
    }
}
