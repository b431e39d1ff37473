using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Tests.Architecture;

/// <summary>Rule 3: no hidden globals. Time and randomness are passed in; the only ambient value is the scope.</summary>
public sealed class BannedSymbolTests
{
    private static readonly string[] Banned =
        ["DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.Now", "DateTimeOffset.UtcNow", "Random.Shared", "Thread.Sleep", "Environment.TickCount"];

    [Theory]
    [MemberData(nameof(ShapeTests.Projects), MemberType = typeof(ShapeTests))]
    public void Sources_UseNoHiddenGlobals(string project)
    {
        foreach (var tree in Repository.Parse(project))
        {
            foreach (var access in tree.GetRoot(TestContext.Current.CancellationToken).DescendantNodes().OfType<MemberAccessExpressionSyntax>())
            {
                var text = access.ToString();
                Assert.False(Banned.Contains(text), $"{project}/{tree.FilePath} uses {text}.");
                Assert.False(text.StartsWith("Console.", StringComparison.Ordinal), $"{project}/{tree.FilePath} writes to the console.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(ShapeTests.Projects), MemberType = typeof(ShapeTests))]
    public void AsyncLocal_LivesInTheScopeOnly(string project) => Assert.All(Repository.Parse(project), tree =>
    {
        var uses = tree.GetRoot().DescendantNodes().OfType<GenericNameSyntax>().Any(name => name.Identifier.Text == "AsyncLocal");
        Assert.True(!uses || (project == "Hone" && tree.FilePath == "Runtime/HoneScope.cs"), $"{project}/{tree.FilePath} has ambient state of its own.");
    });

    [Theory]
    [MemberData(nameof(ShapeTests.Projects), MemberType = typeof(ShapeTests))]
    public void Catch_NamesWhatItCatchesAndDoesSomething(string project) => Assert.All(Repository.Parse(project), tree =>
    {
        foreach (var handler in tree.GetRoot().DescendantNodes().OfType<CatchClauseSyntax>())
        {
            Assert.True(handler.Declaration is not null, $"{project}/{tree.FilePath} has a bare catch.");
            Assert.True(handler.Block.Statements.Count > 0, $"{project}/{tree.FilePath} swallows {handler.Declaration}.");
        }
    });
}
