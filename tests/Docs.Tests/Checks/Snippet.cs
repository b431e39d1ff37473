namespace Docs.Tests.Checks;

/// <summary>A region of compiled source that a page shows.</summary>
internal sealed record Snippet(string Name, string File, int Line, string Text)
{
    private const string Opening = "#region ";

    public static IEnumerable<Snippet> In(string file)
    {
        var lines = System.IO.File.ReadAllLines(file);
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].TrimStart().StartsWith(Opening, StringComparison.Ordinal))
                continue;
            var end = Array.FindIndex(lines, i, line => line.Trim() == "#endregion");
            Assert.True(end > 0, $"{file}, line {i + 1}: the region never ends.");
            yield return new(lines[i].Trim()[Opening.Length..], Path.GetFileName(file), i + 1, Normalize(lines[(i + 1)..end]));
            i = end;
        }
    }

    /// <summary>The text without the indentation that all lines share, blanks at the ends of lines, and empty lines around it.</summary>
    public static string Normalize(IReadOnlyList<string> lines)
    {
        var indentation = lines.Where(line => line.Trim().Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Join('\n', lines.Select(line => line.Length <= indentation ? string.Empty : line[indentation..].TrimEnd())).Trim('\n');
    }
}
