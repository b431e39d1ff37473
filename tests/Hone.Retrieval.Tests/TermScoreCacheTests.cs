namespace Hone.Retrieval.Tests;

/// <summary>The memory of scores: bounded, and never seen in a result.</summary>
public sealed class TermScoreCacheTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(4000)]
    public void Search_SmallMemory_FindsTheSame(long bytes)
    {
        var documents = Enumerable.Range(0, 500).Select(i => new SearchDocument($"d{i}", $"word{i % 3} word{i % 7} word{i % 50} kind{i % 11}")).ToArray();
        using var all = new LuceneRetriever();
        using var little = new LuceneRetriever(new() { ScoreCacheBytes = bytes });
        all.Add(documents);
        little.Add(documents);
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 50; i++)
                Assert.Equal(all.Search($"word{i} kind{i % 11} word2", 20), little.Search($"word{i} kind{i % 11} word2", 20));
        }
    }

    [Fact]
    public void Search_AfterAChange_UsesNoScoreFromBefore()
    {
        using var retriever = new LuceneRetriever();
        retriever.Add(new SearchDocument("a", "red fox"));
        var alone = retriever.Search("red", 1)[0].Score;
        retriever.Add(new SearchDocument("b", "blue fox"));
        Assert.True(retriever.Search("red", 1)[0].Score > alone);
        retriever.Delete("b");
        Assert.Equal(alone, retriever.Search("red", 1)[0].Score);
    }

    [Fact]
    public void Keep_Full_ForgetsWhatNobodyAskedFor()
    {
        var cache = new TermScoreCache(8_000);
        TermScores Scores(int length) => new(new int[length], new float[length]);
        cache.Keep("used", Scores(10));
        cache.Keep("unused", Scores(10));
        for (var i = 0; i < 100; i++)
        {
            cache.Keep($"t{i}", Scores(50));
            Assert.NotNull(cache.Find("used"));
        }

        Assert.Null(cache.Find("unused"));
        Assert.Null(cache.Find("t0"));
        cache.Keep("large", Scores(1000));
        Assert.Null(cache.Find("large"));
    }

    [Fact]
    public void Options_NegativeMemory_IsRefused() =>
        Assert.Equal("ScoreCacheBytes", Assert.Throws<ArgumentOutOfRangeException>(() => new LuceneOptions { ScoreCacheBytes = -1 }).ParamName);
}
