using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Samples.Tests;

/// <summary>The sample on a long document, run as a user runs it.</summary>
public sealed class LongDocumentTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    public async Task Script_ComputesTheAnswer_FromTheTextOfItsSeed(string seed)
    {
        var (exitCode, text) = await RunAsync("--seed", seed, "--entries", "8000");

        Assert.True(exitCode == 0, text);
        Assert.Contains("    entries = report.trim().split('\\n');", text, StringComparison.Ordinal);
        Assert.Contains("characters, that is right.", text, StringComparison.Ordinal);
        Assert.InRange(Number(text, @"the longest of (\d+) characters"), 1000, 20_000);
        Assert.InRange(Number(text, @"a report of (\d+) characters"), 500_000, 1_000_000);
        Assert.InRange(Number(text, @"\((\d+) requests"), 15, 30);
    }

    [Fact]
    public async Task Model_ThatIsNone_IsRefused()
    {
        var (exitCode, text) = await RunAsync("--model", "nowhere");

        Assert.Equal(1, exitCode);
        Assert.Contains("--model expects a server's address and a model's name", text, StringComparison.Ordinal);
    }

    private static int Number(string text, string pattern) => int.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);

    private static async Task<(int ExitCode, string Text)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [MultiHopServerTests.SamplePath("LongDocument"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, await output + await errors);
    }
}
