using System.Text.Json;
using Samples.Tests.Tutorials;

namespace Samples.Tests;

/// <summary>The classifier's command line in small: a sweep, and a run of it that goes on.</summary>
public sealed class BankingJobTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-banking-job").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Seeds_AreRunInFoldersOfTheirOwn_AndEachGoesOn()
    {
        var (exitCode, output, errors) = await SampleProcess.RunAsync(
            "Banking77", ["--seeds", "3", "--steps", "1", "--epochs", "1", "--output", folder], cancellationToken: Token);
        Assert.True(exitCode == 0, output + errors);
        Assert.Contains("all 1", output, StringComparison.Ordinal);
        using var sweep = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "sweep.json"), Token));
        Assert.Equal([3], sweep.RootElement.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetInt64()));
        Assert.Equal(Gain(Path.Combine(folder, "seed-3")), sweep.RootElement.GetProperty("held").GetProperty("gain").GetDouble(), 9);

        // A finished run goes on to its own end: nothing is learned again, nothing is different.
        var run = Path.Combine(folder, "seed-3");
        var before = Gain(run);
        (exitCode, output, errors) = await SampleProcess.RunAsync("Banking77", ["--seeds", "3", "--steps", "1", "--epochs", "1", "--resume", "--output", folder], cancellationToken: Token);
        Assert.True(exitCode == 0, output + errors);
        Assert.DoesNotMatch(@"imitation +\d+/", output);
        Assert.Equal(before, Gain(run));
    }

    [Theory]
    [InlineData("--steps")]
    [InlineData("--epochs")]
    public async Task NumberThatMakesNoSense_IsToldInALine(string option)
    {
        var (exitCode, _, errors) = await SampleProcess.RunAsync("Banking77", [option, "0", "--output", folder], cancellationToken: Token);
        Assert.Equal(1, exitCode);
        Assert.Equal($"error: {option} expects 1 or more, got 0.", errors.Trim());
    }

    private static double Gain(string run)
    {
        using var result = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "result.json")));
        return result.RootElement.GetProperty("gain").GetDouble();
    }
}
