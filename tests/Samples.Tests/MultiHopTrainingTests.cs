using System.Text.Json;

namespace Samples.Tests;

/// <summary>The main job as a user runs it: in a process of its own, killed and resumed.</summary>
public sealed class MultiHopTrainingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-multihop").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Killed without warning after a few steps and resumed, the run ends with the same journal and the same weights as an unbroken one.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Run_KilledAndResumed_EndsExactlyWhereAnUnbrokenRunEnds()
    {
        var (unbroken, broken) = (Path.Combine(folder, "unbroken"), Path.Combine(folder, "broken"));
        var (exitCode, text) = await MultiHopServerTests.RunSampleAsync("--steps", "8", "--seed", "5", "--output", unbroken);
        Assert.True(exitCode == 0, text);

        using (var process = MultiHopServerTests.StartSample("--steps", "8", "--seed", "5", "--output", broken))
        {
            while (await process.StandardOutput.ReadLineAsync(Token) is { } line && !line.StartsWith("step   7", StringComparison.Ordinal))
            {
            }

            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(Token);
        }

        Assert.False(File.Exists(Path.Combine(broken, "result.json")));
        (exitCode, text) = await MultiHopServerTests.RunSampleAsync("--steps", "8", "--seed", "5", "--output", broken, "--resume");
        Assert.True(exitCode == 0, text);
        Assert.Contains("resuming at step 6", text, StringComparison.Ordinal);
        Assert.Equal(Series(unbroken), Series(broken));
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(unbroken, "state", "step-00008", "session", "trained.safetensors"), Token),
            await File.ReadAllBytesAsync(Path.Combine(broken, "state", "step-00008", "session", "trained.safetensors"), Token));

        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(broken, "result.json"), Token));
        foreach (var name in new[] { "seed", "steps", "baseline", "best", "gain", "interval", "rollouts_generated", "rollouts_used", "tokens_sampled", "seconds" })
            Assert.True(result.RootElement.TryGetProperty(name, out _), $"result.json lacks {name}.");
        using var expected = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(unbroken, "result.json"), Token));
        foreach (var name in new[] { "rollouts_generated", "rollouts_used" })
            Assert.Equal(expected.RootElement.GetProperty(name).GetInt64(), result.RootElement.GetProperty(name).GetInt64());
        Assert.InRange(result.RootElement.GetProperty("rollouts_used").GetInt64(), 1, result.RootElement.GetProperty("rollouts_generated").GetInt64());
        var report = await File.ReadAllTextAsync(Path.Combine(broken, "report.html"), Token);
        Assert.Contains("rollouts used / generated", report, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", report, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", report, StringComparison.Ordinal);
    }

    /// <summary>Several seeds in one command, each in its own folder, and what they show together.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Seeds_Several_AreComparedTogether()
    {
        var output = Path.Combine(folder, "sweep");
        var (exitCode, text) = await MultiHopServerTests.RunSampleAsync("--seeds", "5", "6", "--steps", "1", "--output", output);
        Assert.True(exitCode == 0, text);
        using var sweep = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(output, "sweep.json"), Token));
        var gains = new[] { "seed-5", "seed-6" }.Select(name =>
        {
            using var result = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, name, "result.json")));
            return result.RootElement.GetProperty("gain").GetDouble();
        }).ToArray();
        Assert.Equal(gains.Average(), sweep.RootElement.GetProperty("held").GetProperty("gain").GetDouble(), 9);
        Assert.Contains("all 2", text, StringComparison.Ordinal);
    }

    /// <summary>A termination signal ends the run cleanly: the best so far is saved with its evidence.</summary>
    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Run_Interrupted_SavesTheBestSoFar()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        var output = Path.Combine(folder, "interrupted");
        using var process = MultiHopServerTests.StartSample("--steps", "1000", "--output", output);
        while (await process.StandardOutput.ReadLineAsync(Token) is { } line && !line.StartsWith("step   3", StringComparison.Ordinal))
        {
        }

        using (var signal = System.Diagnostics.Process.Start("kill", ["-TERM", $"{process.Id}"]))
            await signal.WaitForExitAsync(Token);
        await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.Equal(0, process.ExitCode);
        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(output, "result.json"), Token));
        Assert.Equal("Requested", result.RootElement.GetProperty("stop_reason").GetString());
        Assert.True(File.Exists(Path.Combine(output, "program.json")));
    }

    // What happened, without how long it took.
    private static string[] Series(string directory) => [.. File.ReadLines(Path.Combine(directory, "journal.jsonl")).Select(line =>
    {
        using var entry = JsonDocument.Parse(line);
        var root = entry.RootElement;
        return root.TryGetProperty("report", out var report)
            ? $"{report.GetProperty("step")} {report.GetProperty("rewardMean")} {report.GetProperty("gradientNorm")} {report.GetProperty("tokensSampled")}"
            : $"{root.GetProperty("step")} validation {root.GetProperty("validation").GetProperty("score")}";
    })];
}
