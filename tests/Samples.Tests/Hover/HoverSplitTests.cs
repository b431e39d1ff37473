using MultiHopResearch.Hover;
using Samples.Tests.Privacy;

namespace Samples.Tests.Hover;

public sealed class HoverSplitTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-hover").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Recorded with <c>random.Random(seed).shuffle(list(range(n)))</c>.</summary>
    [Theory]
    [InlineData(0u, 7, "4 2 1 0 5 3 6")]
    [InlineData(0u, 30, "3 10 18 17 5 0 7 26 29 14 20 25 21 2 19 4 23 6 11 22 9 28 15 16 8 1 13 24 12 27")]
    [InlineData(4294967295u, 20, "8 2 3 14 11 1 0 12 7 13 4 10 17 5 15 9 16 18 6 19")]
    public void Shuffle_IsPythons(uint seed, int count, string expected)
    {
        var items = Enumerable.Range(0, count).ToList();
        PythonShuffle.Shuffle(items, seed);
        Assert.Equal(expected, string.Join(' ', items));
    }

    /// <summary>More draws than the generator's state holds.</summary>
    [Fact]
    public void Shuffle_LongList_IsPythons()
    {
        var items = Enumerable.Range(0, 1000).ToList();
        PythonShuffle.Shuffle(items, 0);
        Assert.Equal([439, 621, 160, 549, 237, 389, 658, 507], items[..8]);
        Assert.Equal([911, 776, 394, 864], items[^4..]);
    }

    [Fact]
    public async Task ReadAsync_MixedRows_KeepsTheFirstOfEachQuestionOverThreeArticles()
    {
        var path = Path.Combine(folder, "hover.jsonl");
        await File.WriteAllLinesAsync(path, [HoverFiles.Claim(90, 2), .. Enumerable.Range(0, 7).Select(i => HoverFiles.Claim(i, 3)), HoverFiles.Claim(91, 3, "question-2"), HoverFiles.Claim(92, 4)], Token);

        var split = await HoverSplit.ReadAsync(path, Token);

        Assert.Equal((3, 1, 3), (split.Train.Count, split.Validation.Count, split.Test.Count));
        Assert.Equal([4, 2, 1, 0, 5, 3, 6], split.Train.Concat(split.Validation).Concat(split.Test).Select(row => int.Parse(row.Id![6..], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(["Alpha 104", "BETA 504", "Gamma, 1004"], split.Train[0].Expected.Titles);
    }

    [Fact]
    public async Task ReadAsync_NothingOverThreeArticles_NamesTheFile()
    {
        var path = Path.Combine(folder, "hover.jsonl");
        await File.WriteAllLinesAsync(path, [HoverFiles.Claim(1, 2)], Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => HoverSplit.ReadAsync(path, Token));
        Assert.Contains("hover.jsonl holds 0 claims over 3 articles", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The real file, where it lies beside the checkout.</summary>
    [Fact]
    public async Task ReadAsync_TheRealFile_GivesClaimsOverThreeArticles()
    {
        var path = PupaFileTests.Find("hover_dev.jsonl");
        Assert.SkipWhen(path is null, "The HoVer file is not here: set HONE_DATA to its folder.");
        var split = await HoverSplit.ReadAsync(path!, Token);
        Example<Claim, Research>[] all = [.. split.Train, .. split.Validation, .. split.Test];
        Assert.True(all.Length > 100, $"{all.Length} claims");
        Assert.Equal((all.Length > 900 ? 600 : all.Length / 2, all.Length > 900 ? 300 : all.Length / 4), (split.Train.Count, split.Validation.Count));
        Assert.Equal(all.Length, all.Select(row => row.Id).Distinct().Count());
        Assert.All(all, row => Assert.Equal(3, row.Expected.Titles.Count));
    }

    /// <summary>The tutorial's sizes, and that the sample's own worlds keep theirs.</summary>
    [Fact]
    public void Configure_Hover_TakesTheTutorialsNumbers()
    {
        var hover = TrainingJob.Configure(new() { Data = "hover.jsonl", Steps = HoverTraining.Steps, Checkpoint = "model", Output = folder });
        Assert.Equal((6, 24, 1000, 50, 1e-6), (hover.ExamplesPerStep, hover.RolloutsPerExample, hover.Steps, hover.ValidateEvery, hover.LearningRate));
        Assert.Equal((8, 16d), (hover.Lora!.Rank, hover.Lora.Alpha));
        var own = TrainingJob.Configure(new() { Output = folder });
        Assert.Equal((4, 8, 80, 10, 3e-4), (own.ExamplesPerStep, own.RolloutsPerExample, own.Steps, own.ValidateEvery, own.LearningRate));
    }

    /// <summary>Recall compares titles without case and punctuation: that changes no figure of the worlds, whose titles stay apart.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Titles_OfTheSamplesWorlds_StayApartWhenNormalized(long seed)
    {
        var titles = Encyclopedia.Create(seed).Articles.Select(article => article.Title).ToArray();
        Assert.Equal(titles.Distinct(StringComparer.Ordinal).Count(), titles.Select(title => TextMetrics.Normalize(title)).Distinct(StringComparer.Ordinal).Count());
    }
}
