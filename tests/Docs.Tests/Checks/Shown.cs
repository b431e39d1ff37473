namespace Docs.Tests.Checks;

/// <summary>Output that a page shows: a fence behind the line <c>&lt;!-- output: NAME --&gt;</c>.</summary>
internal static class Shown
{
    /// <summary>Fails unless the page shows exactly this text under the name.</summary>
    public static void Equal(string page, string name, string actual) =>
        Assert.Equal(Find(page, name), Snippet.Normalize(actual.ReplaceLineEndings("\n").Split('\n')));

    private static string Find(string page, string name)
    {
        var lines = File.ReadAllLines(Checkout.PathOf(page));
        var start = Array.IndexOf(lines, $"<!-- output: {name} -->");
        Assert.True(start >= 0, $"{page} does not show the output '{name}'.");
        var end = Array.IndexOf(lines, "```", start + 2);
        Assert.True(end > 0 && lines[start + 1].StartsWith("```", StringComparison.Ordinal), $"{page}: there is no fence behind the output '{name}'.");
        return Snippet.Normalize(lines[(start + 2)..end]);
    }
}
