using Docs.Tests.Checks;

namespace Docs.Tests;

/// <summary>Every C# example of every page is source of this project, so it compiles; many of them also run in the tests beside it.</summary>
public sealed class SnippetTests
{
    public static TheoryData<string> Pages => [.. Checkout.Pages];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Fences_OfAPage_EqualTheirRegions(string page)
    {
        var snippets = Snippets();
        foreach (var fence in Fence.In(page))
        {
            Assert.True(fence.Regions.Count > 0, $"{page}, line {fence.Line}: put <!-- snippet: NAME --> on the line before the example, and the example into a region of tests/Docs.Tests.");
            foreach (var name in fence.Regions)
                Assert.True(snippets.ContainsKey(name), $"{page}, line {fence.Line}: no file in tests/Docs.Tests/Snippets has the region '{name}'.");
            Assert.Equal(string.Join("\n\n", fence.Regions.Select(name => snippets[name].Text)), fence.Text);
        }
    }

    [Fact]
    public void Regions_AreAllShown()
    {
        var shown = Checkout.Pages.SelectMany(Fence.In).SelectMany(fence => fence.Regions).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Snippets().Values.Where(snippet => !shown.Contains(snippet.Name)).Select(snippet => $"{snippet.Name} ({snippet.File}, line {snippet.Line})"));
    }

    private static Dictionary<string, Snippet> Snippets()
    {
        var all = Checkout.SnippetFiles.SelectMany(Snippet.In).ToList();
        Assert.Empty(all.GroupBy(snippet => snippet.Name).Where(group => group.Count() > 1).Select(group => $"The region '{group.Key}' is there twice."));
        return all.ToDictionary(snippet => snippet.Name, StringComparer.Ordinal);
    }
}
