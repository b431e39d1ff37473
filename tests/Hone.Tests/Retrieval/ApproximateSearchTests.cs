namespace Hone.Tests.Retrieval;

/// <summary>Inverted lists: what they find, and that nothing but documents and seed decides.</summary>
public sealed class ApproximateSearchTests
{
    private const int Clouds = 60;
    private const int Each = 50;

    private static readonly ApproximateSearchOptions Soon = new() { Threshold = 1000, Probes = 8 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Search_Clustered_FindsNearlyAllOfTheExactTen(bool normalize)
    {
        using var exact = await EmbeddingIndex.CreateAsync(Documents(), new CloudGenerator(32), new() { Normalize = normalize }, Token);
        using var index = await EmbeddingIndex.CreateAsync(Documents(), new CloudGenerator(32), new() { Normalize = normalize, Approximate = Soon }, Token);
        Assert.True(index.IsApproximate);
        Assert.False(exact.IsApproximate);
        Assert.InRange(await RecallAsync(exact, index), 0.95, 1);
    }

    [Fact]
    public async Task Search_EveryListProbed_IsExact()
    {
        using var exact = await EmbeddingIndex.CreateAsync(Documents(), new CloudGenerator(32), cancellationToken: Token);
        using var index = await EmbeddingIndex.CreateAsync(Documents(), new CloudGenerator(32), new() { Approximate = Soon with { Probes = int.MaxValue } }, Token);
        foreach (var query in Queries())
            Assert.Equal(await exact.SearchAsync(query, 20, Token), await index.SearchAsync(query, 20, Token));
    }

    [Fact]
    public async Task Search_FewerInTheProbedLists_LooksIntoFurtherOnes()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents(), new CloudGenerator(32), new() { Approximate = Soon with { Probes = 1, Lists = 200 } }, Token);
        Assert.Equal(Clouds * Each, (await index.SearchAsync("0 1", Clouds * Each, Token)).Count);
        Assert.Equal(500, (await index.SearchAsync("0 1", 500, Token)).Count);
    }

    [Fact]
    public async Task Search_SameSeed_IsTheSameAtAnyParallelism()
    {
        using var one = await EmbeddingIndex.CreateAsync(
            Documents(), new CloudGenerator(32), new() { Approximate = Soon with { Probes = 1 }, MaxParallelism = 1, MaxConcurrency = 1 }, Token);
        using var many = await EmbeddingIndex.CreateAsync(
            Documents(), new CloudGenerator(32), new() { Approximate = Soon with { Probes = 1 }, MaxParallelism = 6, BatchSize = 77 }, Token);
        foreach (var query in Queries())
            Assert.Equal(await one.SearchAsync(query, 10, Token), await many.SearchAsync(query, 10, Token));
    }

    [Fact]
    public async Task Threshold_IsCrossedBothWays()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents()[..999], new CloudGenerator(32), new() { Approximate = Soon }, Token);
        Assert.False(index.IsApproximate);
        await index.AddAsync(Documents()[999..1000], Token);
        Assert.True(index.IsApproximate);
        await index.RemoveAsync(["0-0"], Token);
        Assert.False(index.IsApproximate);
        Assert.Equal(999, index.Count);
    }

    [Fact]
    public async Task Changes_AfterTheListsWereMade_AreFoundAndForgotten()
    {
        using var exact = await EmbeddingIndex.CreateAsync(Documents()[..1200], new CloudGenerator(32), cancellationToken: Token);
        using var index = await EmbeddingIndex.CreateAsync(Documents()[..1200], new CloudGenerator(32), new() { Approximate = Soon }, Token);
        foreach (var each in (EmbeddingIndex[])[exact, index])
        {
            await each.RemoveAsync(Documents()[..150].Select(document => document.Id!), Token);
            foreach (var batch in Documents()[1200..].Chunk(300))
                await each.AddAsync(batch, Token); // the centres are made anew on the way
        }

        Assert.True(index.IsApproximate);
        Assert.Equal(exact.Count, index.Count);
        Assert.InRange(await RecallAsync(exact, index), 0.95, 1);
    }

    [Fact]
    public async Task Search_AllEqual_KeepsTheOrder()
    {
        var same = Enumerable.Range(0, 1500).Select(i => new SearchDocument("", "1 1", $"{i}")).ToArray();
        using var index = await EmbeddingIndex.CreateAsync(same, new CloudGenerator(8), new() { Approximate = Soon }, Token);
        Assert.Equal(["0", "1", "2"], (await index.SearchAsync("1 1", 3, Token)).Select(each => each.Id));
    }

    private static SearchDocument[] Documents() =>
        [.. Enumerable.Range(0, Clouds * Each).Select(i => new SearchDocument("", $"{i % Clouds} {i / Clouds}", $"{i % Clouds}-{i / Clouds}"))];

    private static IEnumerable<string> Queries() => Enumerable.Range(0, Clouds).Select(i => $"{i} {1000 + i}");

    private static async Task<double> RecallAsync(EmbeddingIndex exact, EmbeddingIndex index)
    {
        var (found, wanted) = (0, 0);
        foreach (var query in Queries())
        {
            var right = (await exact.SearchAsync(query, 10, Token)).Select(each => each.Id).ToHashSet();
            found += (await index.SearchAsync(query, 10, Token)).Count(each => right.Contains(each.Id));
            wanted += right.Count;
        }

        return found / (double)wanted;
    }
}
