using System.Diagnostics;
using System.Text.Json;

namespace Samples.Tests;

/// <summary>The sample of prompt optimization, run as a user runs it.</summary>
public sealed class PromptSearchTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-prompt-search-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("gepa")]
    [InlineData("mipro")]
    [InlineData("simba")]
    [InlineData("random-search")]
    public async Task EveryOptimizer_LearnsTheHouse(string optimizer)
    {
        var (exitCode, text) = await RunAsync("--optimizer", optimizer, "--output", directory);
        Assert.True(exitCode == 0, text);
        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "result.json"), Token));
        var test = result.RootElement.GetProperty("test");
        Assert.True(test.GetProperty("significant").GetBoolean(), text);
        Assert.InRange(test.GetProperty("gain").GetDouble(), 0.15, 1);
    }

    [Fact]
    public async Task ASpentBudget_IsContinuedByALargerOne()
    {
        var (exitCode, text) = await RunAsync("--calls", "60", "--output", directory);
        Assert.True(exitCode == 0, text);
        (exitCode, text) = await RunAsync("--resume", "--output", directory);
        Assert.True(exitCode == 0, text);
        Assert.Contains("pieces of work are done", text, StringComparison.Ordinal);
        Assert.Contains("100.0 % after", text.Replace("\n", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsNone_IsRefused()
    {
        var (exitCode, text) = await RunAsync("--optimizer", "magic", "--output", directory);
        Assert.Equal(1, exitCode);
        Assert.Contains("There is no optimizer 'magic'", text, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Text)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [MultiHopServerTests.SamplePath("PromptSearch"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, await output + await errors);
    }
}
