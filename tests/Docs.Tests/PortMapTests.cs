using System.Text.RegularExpressions;
using Docs.Tests.Checks;

namespace Docs.Tests;

/// <summary>Every row of the port map says what became of a part of DSPy, and names tests that exist.</summary>
public sealed partial class PortMapTests
{
    private const string Page = "docs/port-map.md";

    [Fact]
    public void Rows_NameTestsThatExist_OrSayWhyThereAreNone()
    {
        var rows = File.ReadLines(Checkout.PathOf(Page)).Where(line => line.StartsWith("| `", StringComparison.Ordinal)).ToList();
        Assert.True(rows.Count > 100, "The table of the port map was not found.");
        var faults = new List<string>();
        foreach (var row in rows)
        {
            var cells = row.Trim('|').Replace(@"\|", "¦", StringComparison.Ordinal).Split('|', StringSplitOptions.TrimEntries);
            if (cells.Length != 3)
            {
                faults.Add($"not three cells: {row}");
                continue;
            }

            var tests = Test().Matches(cells[2]);
            if (tests.Count == 0 && !IsLeftOut(cells[1]))
                faults.Add($"neither a test nor a reason: {row}");
            faults.AddRange(tests.Where(test => !Exists(test.Groups["file"].Value, test.Groups["method"].Value)).Select(test => $"no such test: {test.Value}"));
        }

        Assert.Empty(faults);
    }

    private static bool IsLeftOut(string cell) => cell.StartsWith("not yet", StringComparison.Ordinal) || cell.StartsWith("on purpose not", StringComparison.Ordinal);

    private static bool Exists(string file, string method)
    {
        var path = Checkout.PathOf($"tests/{file}.cs");
        return File.Exists(path) && Regex.IsMatch(File.ReadAllText(path), $@"\b(void|Task) {Regex.Escape(method)}\(");
    }

    [GeneratedRegex(@"`(?<file>[\w.]+(/\w+)+)\.(?<method>\w+)`")]
    private static partial Regex Test();
}
