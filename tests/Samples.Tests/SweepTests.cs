using System.Text.Json;

namespace Samples.Tests;

/// <summary>What several runs say together.</summary>
public sealed class SweepTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-sweep").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task RunAsync_SeveralSeeds_ComparesEachSetOverAllRuns()
    {
        var asked = new List<(long Seed, string Folder)>();
        await Sweep.RunAsync(
            [4, 7],
            folder,
            (seed, place) =>
            {
                asked.Add((seed, Path.GetFileName(place)));
                return Task.FromResult<IReadOnlyList<SweepScores>>(
                [
                    new("held", "held-out", [0, 0, 1, 1], [1, seed == 4 ? 1 : 0, 1, 1]),
                    new("unseen", "unseen world", [0.5, 0.5], [0.5, 0.5]),
                ]);
            },
            Token);
        Assert.Equal([(4, "seed-4"), (7, "seed-7")], asked);
        using var file = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "sweep.json"), Token));
        var root = file.RootElement;
        Assert.Equal([4, 7], root.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetInt32()));
        Assert.Equal(0.375, root.GetProperty("held").GetProperty("gain").GetDouble(), 9); // the mean of a half and a quarter
        Assert.Equal(0, root.GetProperty("unseen").GetProperty("gain").GetDouble(), 9);
        Assert.Equal(2, root.GetProperty("held").GetProperty("interval").GetArrayLength());
    }

    [Fact]
    public async Task RunAsync_Stopped_EndsBetweenTwoRuns()
    {
        using var stop = new CancellationTokenSource();
        var runs = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sweep.RunAsync(
            [1, 2],
            folder,
            (_, _) =>
            {
                runs++;
                stop.Cancel();
                return Task.FromResult<IReadOnlyList<SweepScores>>([new("held", "held-out", [0], [1])]);
            },
            stop.Token));
        Assert.Equal(1, runs);
    }
}
