using System.Diagnostics;

namespace Samples.Tests;

/// <summary>The agent's sample, run as a user runs it.</summary>
public sealed class ReActAgentTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Script_ArrangesTheJourney()
    {
        var (exitCode, text) = await RunAsync("--yes");

        Assert.True(exitCode == 0, text);
        Assert.Contains("  find_trains(Berlin, Prague)", text, StringComparison.Ordinal);
        Assert.Contains("  error: The tool 'seats' failed: There is no train called 'Nite Owl'.", text, StringComparison.Ordinal);
        Assert.Contains("  = Booked: Night Owl, seat 4A.", text, StringComparison.Ordinal);
        Assert.Contains("Night Owl, 29 euros. You leave at 22:50, in seat 4A. (5 requests)", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutApproval_NothingIsBooked()
    {
        var (exitCode, text) = await RunAsync();

        Assert.True(exitCode == 0, text);
        Assert.Contains("  error: The call of 'book' was not approved.", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Url_ThatIsNone_IsRefused()
    {
        var (exitCode, text) = await RunAsync("--url", "nowhere");

        Assert.Equal(1, exitCode);
        Assert.Contains("--url expects the address", text, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Text)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [MultiHopServerTests.SamplePath("ReActAgent"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, await output + await errors);
    }
}
