using System.Globalization;
using System.Text.RegularExpressions;
using Samples.Tests.Tutorials;

namespace Samples.Tests;

/// <summary>The sample on a long document, run as a user runs it.</summary>
public sealed class LongDocumentTests
{
    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    public async Task Script_ComputesTheAnswer_FromTheTextOfItsSeed(string seed)
    {
        var (exitCode, text, errors) = await SampleProcess.RunAsync("LongDocument", ["--seed", seed, "--entries", "8000"], cancellationToken: TestContext.Current.CancellationToken);

        Assert.True(exitCode == 0, text + errors);
        Assert.Contains("    entries = report.trim().split('\\n');", text, StringComparison.Ordinal);
        Assert.Contains("characters, that is right.", text, StringComparison.Ordinal);
        Assert.InRange(Number(text, @"the longest of (\d+) characters"), 1000, 20_000);
        Assert.InRange(Number(text, @"a report of (\d+) characters"), 500_000, 1_000_000);
        Assert.InRange(Number(text, @"\((\d+) requests"), 15, 30);
    }

    private static int Number(string text, string pattern) => int.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);
}
