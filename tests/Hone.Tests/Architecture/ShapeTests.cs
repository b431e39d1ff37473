using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Tests.Architecture;

/// <summary>Rule 2: small files, small methods.</summary>
public sealed class ShapeTests
{
    private const int MaxFileLines = 400;
    private const int MaxMethodLines = 80;

    // Methods that may be longer, each with its reason.
    private static readonly Dictionary<string, string> LongMethods = [];

    public static TheoryData<string> Projects => ["Hone", "Hone.AspNetCore", "Hone.Dashboard", "Hone.Datasets.Parquet", "Hone.Engine", "Hone.Engine.Cuda", "Hone.Evaluation", "Hone.Generators", "Hone.Mcp", "Hone.Retrieval", "Hone.Sandbox", "Hone.Testing", "Hone.VectorData"];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Files_HaveAtMost400Lines(string project) => Assert.All(
        Repository.Parse(project),
        tree => Assert.True(tree.GetText().Lines.Count - 1 <= MaxFileLines, $"{project}/{tree.FilePath} has {tree.GetText().Lines.Count - 1} lines; split it."));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Methods_HaveAtMost80Lines(string project)
    {
        foreach (var tree in Repository.Parse(project))
        {
            foreach (var method in tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes().OfType<BaseMethodDeclarationSyntax>())
            {
                var span = method.GetLocation().GetLineSpan();
                var lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
                var name = $"{Path.GetFileNameWithoutExtension(tree.FilePath)}.{(method as MethodDeclarationSyntax)?.Identifier.Text ?? ".ctor"}";
                Assert.True(lines <= MaxMethodLines || LongMethods.ContainsKey(name), $"{project}/{tree.FilePath}: {name} has {lines} lines.");
            }
        }
    }
}
