namespace Docs.Tests.Checks;

/// <summary>An empty folder that is deleted in the end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hone-docs-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
