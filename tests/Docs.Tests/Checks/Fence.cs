namespace Docs.Tests.Checks;

/// <summary>A C# example in a page: where it starts, the line before it that says what is on it, and its text.</summary>
internal sealed record Fence(string Page, int Line, string Before, string Text)
{
    private const string Opening = "<!-- snippet: ";
    private const string Closing = " -->";

    /// <summary>Names of the regions that the example shows, in order; empty when the line before it names none.</summary>
    public IReadOnlyList<string> Regions => Before.StartsWith(Opening, StringComparison.Ordinal) && Before.EndsWith(Closing, StringComparison.Ordinal)
        ? Before[Opening.Length..^Closing.Length].Split(", ", StringSplitOptions.TrimEntries)
        : [];

    public static IEnumerable<Fence> In(string page)
    {
        var lines = File.ReadAllLines(Checkout.PathOf(page));
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("```", StringComparison.Ordinal))
                continue;
            var end = Array.IndexOf(lines, "```", i + 1);
            Assert.True(end > 0, $"{page}, line {i + 1}: the example never ends.");
            if (lines[i] is "```csharp" or "```cs" or "```c#")
                yield return new(page, i + 1, i > 0 ? lines[i - 1] : string.Empty, Snippet.Normalize(lines[(i + 1)..end]));
            i = end;
        }
    }
}
