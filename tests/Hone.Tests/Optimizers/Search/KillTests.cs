using System.Diagnostics;

namespace Hone.Tests.Optimizers.Search;

/// <summary>Kills a process that runs an optimizer, again and again: what it ends with is what an unbroken run ends with, and nothing is paid for twice.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 20;

    private const int Parallelism = 4;

    // A program of two steps may have paid for the first call of a run and be in the middle of the second.
    private const int CallsPerRun = 2;

    private readonly string directory = Directory.CreateTempSubdirectory("hone-kill-").FullName;

    public static TheoryData<string> Optimizers => ["simba", "mipro", "gepa", "gepa-two"];

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [Trait("Speed", "Slow")]
    [MemberData(nameof(Optimizers))]
    public async Task A_run_that_is_killed_twenty_times_ends_like_an_unbroken_one(string optimizer)
    {
        var whole = Path.Combine(directory, "whole");
        var expected = await FinishAsync(optimizer, whole);
        var calls = Paid(whole).Length;

        var broken = Path.Combine(directory, "broken");
        var random = new Random(17);
        for (var kill = 0; kill < Kills; kill++)
            await KillAsync(optimizer, broken, after: calls * random.Next(1, 12) / 100);
        Assert.Equal(expected, await FinishAsync(optimizer, broken));

        // Only what was under way in the moment of a kill is asked again.
        var paid = Paid(broken);
        Assert.Equal(Paid(whole).Distinct().Order(), paid.Distinct().Order());
        Assert.InRange(paid.Length, calls, calls + (Kills * Parallelism * CallsPerRun));
    }

    /// <summary>What was under way in the moment of a kill is unknown to the next process, and counts: no number of kills exceeds a budget.</summary>
    [Theory]
    [Trait("Speed", "Slow")]
    [MemberData(nameof(Optimizers))]
    public async Task A_budget_holds_over_twenty_kills(string optimizer)
    {
        const int Most = 120;
        var broken = Path.Combine(directory, "capped");
        var random = new Random(23);
        for (var kill = 0; kill < Kills; kill++)
            await KillAsync(optimizer, broken, after: random.Next(1, 8), Most);
        await FinishAsync(optimizer, broken, Most);
        Assert.InRange(Paid(broken).Length, 60, Most);
    }

    private static string[] Paid(string folder) => File.Exists(Path.Combine(folder, "paid.txt")) ? File.ReadAllLines(Path.Combine(folder, "paid.txt")) : [];

    // Kill -9 as soon as the process has paid for so many further calls.
    private static async Task KillAsync(string optimizer, string folder, int after, int? most = null)
    {
        using var process = Start(optimizer, folder, most);
        for (var paid = 0; paid < after && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is not null;)
            paid++;
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string> FinishAsync(string optimizer, string folder, int? most = null)
    {
        using var process = Start(optimizer, folder, most);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        return string.Join('\n', (await output).Split('\n').Where(line => line != "paid"));
    }

    private static Process Start(string optimizer, string folder, int? most)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var tests = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.FullName;
        var program = Path.Combine(tests, "Hone.KillTarget", "bin", configuration, "net10.0", "Hone.KillTarget.dll");
        string[] limit = most is { } calls ? [calls.ToString(System.Globalization.CultureInfo.InvariantCulture)] : [];
        return Process.Start(new ProcessStartInfo("dotnet", [program, optimizer, folder, .. limit]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
