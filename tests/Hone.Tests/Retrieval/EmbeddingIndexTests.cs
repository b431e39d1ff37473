using CsCheck;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Retrieval;

/// <summary>Exact search in memory.</summary>
public sealed class EmbeddingIndexTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Search_Cosine_OrdersByAngleWithTheScore()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents("1;0", "0;5", "3;3", "-1;0"), new CloudGenerator(), cancellationToken: Token);
        var found = await index.SearchAsync("2;0", 3, Token);
        Assert.Equal(["0", "2", "1"], found.Select(each => each.Id));
        Assert.Equal(1, found[0].Score, 1e-6);
        Assert.Equal(Math.Sqrt(0.5), found[1].Score, 1e-6);
        Assert.Equal(0, found[2].Score, 1e-6);
        Assert.Equal((4, 2, false), (index.Count, index.Dimensions, index.IsApproximate));
    }

    [Fact]
    public async Task Search_NotNormalized_OrdersByProduct()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents("1;0", "0;5", "3;3"), new CloudGenerator(), new() { Normalize = false }, Token);
        Assert.Equal([("1", 10.0), ("2", 9.0), ("0", 1.0)], (await index.SearchAsync("1;2", 9, Token)).Select(each => (each.Id, each.Score)));
    }

    [Fact]
    public async Task Search_EqualScores_KeepsTheOrderOfAdding_AtAnyParallelism()
    {
        const int count = 20_000;
        var documents = Enumerable.Range(0, count).Select(i => new SearchDocument("", $"{i % 5} 0", $"d{i}")).ToArray();
        using var one = await EmbeddingIndex.CreateAsync(documents, new CloudGenerator(64), new() { MaxParallelism = 1 }, Token);
        using var many = await EmbeddingIndex.CreateAsync(documents, new CloudGenerator(64), new() { MaxParallelism = 7, BatchSize = 333, MaxConcurrency = 5 }, Token);
        foreach (var query in (string[])["0 0", "1 0", "3 8"])
            Assert.Equal(await one.SearchAsync(query, 5000, Token), await many.SearchAsync(query, 5000, Token));
        Assert.Equal(Enumerable.Range(0, count / 5).Select(i => $"d{(i * 5) + 2}"), (await many.SearchAsync("2 0", count / 5, Token)).Select(each => each.Id));
    }

    [Fact]
    public void TopScores_AnyOffers_AreTheFirstOfASort() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 60], Gen.Int[0, 20], Gen.Int[1, 4]).Sample((scores, count, parts) =>
        {
            var whole = new TopScores(count);
            foreach (var part in scores.Index().GroupBy(entry => entry.Index % parts))
            {
                var some = new TopScores(count);
                foreach (var (row, score) in part)
                    some.Offer(score, row);
                whole.Merge(some);
            }

            var expected = scores.Index().OrderByDescending(entry => entry.Item).ThenBy(entry => entry.Index).Take(count).Select(entry => ((float)entry.Item, entry.Index));
            Assert.Equal(expected, whole.TakeSorted());
        });

    [Fact]
    public async Task Search_Empty_ZeroOrTooMany_AreNoErrors()
    {
        var generator = new CloudGenerator();
        using var index = new EmbeddingIndex(generator);
        Assert.Empty(await index.SearchAsync("1;0", 5, Token));
        Assert.Equal(0, generator.Requests);
        await index.AddAsync([], Token);
        await index.AddAsync(Documents("1;0"), Token);
        Assert.Empty(await index.SearchAsync("1;0", 0, Token));
        Assert.Single(await index.SearchAsync("1;0", int.MaxValue, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => index.SearchAsync("1;0", -1, Token));
    }

    [Fact]
    public async Task Search_ZeroVectors_ScoreZero()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents("0;0", "1;0", "-1;0"), new CloudGenerator(), cancellationToken: Token);
        Assert.Equal([("1", 1.0), ("0", 0.0), ("2", -1.0)], (await index.SearchAsync("5;0", 3, Token)).Select(each => (each.Id, each.Score)));
        Assert.Equal(["0", "1", "2"], (await index.SearchAsync("0;0", 3, Token)).Select(each => each.Id));
    }

    [Theory]
    [InlineData("NaN;1")]
    [InlineData("1;Infinity")]
    public async Task Add_NotFinite_NamesTheDocumentAndAddsNothing(string bad)
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents("1;0"), new CloudGenerator(), cancellationToken: Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => index.AddAsync([new("", "1;1", "good"), new("", bad, "bad one")], Token));
        Assert.Contains("'bad one'", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, index.Count);
        Assert.Contains("the query", (await Assert.ThrowsAsync<HoneException>(() => index.SearchAsync(bad, 1, Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_TooLargeToMultiply_IsRefusedWhereProductsAreScores()
    {
        using var cosine = await EmbeddingIndex.CreateAsync(Documents("1E30;0", "0;1"), new CloudGenerator(), cancellationToken: Token);
        Assert.Equal("0", (await cosine.SearchAsync("1;0", 1, Token))[0].Id);
        await Assert.ThrowsAsync<HoneException>(() => EmbeddingIndex.CreateAsync(Documents("1E30;0"), new CloudGenerator(), new() { Normalize = false }, Token));
    }

    [Fact]
    public async Task Add_OtherDimensions_IsRefused()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents("1;0"), new CloudGenerator(), cancellationToken: Token);
        Assert.Contains("3 dimensions", (await Assert.ThrowsAsync<HoneException>(() => index.AddAsync(Documents("1;0;0"), Token))).Message, StringComparison.Ordinal);
        Assert.Contains("3 dimensions", (await Assert.ThrowsAsync<HoneException>(() => index.SearchAsync("1;0;0", 1, Token))).Message, StringComparison.Ordinal);
        Assert.Contains("several lengths", (await Assert.ThrowsAsync<HoneException>(() => index.AddAsync(Documents("1;0", "1;0;0"), Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_ManyDocuments_AsksInBatchesAtMostSoManyAtOnce()
    {
        var generator = new CloudGenerator(2);
        var (arrived, everyone) = (0, new TaskCompletionSource());
        generator.Before = _ =>
        {
            if (Interlocked.Increment(ref arrived) == 3)
                everyone.SetResult();
            return everyone.Task;
        };
        using var index = await EmbeddingIndex.CreateAsync(
            Enumerable.Range(0, 95).Select(i => new SearchDocument("", $"{i} 0")), generator, new() { BatchSize = 10, MaxConcurrency = 3 }, Token);
        Assert.Equal((10, 3, 95), (generator.Requests, generator.MostRunning, index.Count));
        Assert.Equal(95, generator.Texts.Distinct().Count());
    }

    [Fact]
    public async Task Add_Cancelled_AddsNothing()
    {
        using var stop = new CancellationTokenSource();
        var generator = new CloudGenerator { Before = _ => stop.CancelAsync() };
        using var index = new EmbeddingIndex(generator);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => index.AddAsync(Documents("1;0"), stop.Token));
        Assert.Equal(0, index.Count);
    }

    [Fact]
    public async Task Prefixes_StandBeforeWhatIsEmbedded_TitlesToo()
    {
        var generator = new Recorder();
        using var index = await EmbeddingIndex.CreateAsync(
            [new("Title", "text"), new("", "alone")], generator, new() { DocumentPrefix = "passage: ", QueryPrefix = "query: " }, Token);
        var found = await index.SearchAsync("who?", 2, Token);
        Assert.Equal(["passage: Title | text", "passage: alone", "query: who?"], generator.Texts);
        Assert.Equal([("Title", "Title", "text"), ("1", "", "alone")], found.Select(each => (each.Id, each.Title, each.Text)));
    }

    [Fact]
    public async Task AnyChanges_FindWhatAnIndexOfTheRestFinds()
    {
        var changes = Gen.Select(Gen.Bool, Gen.Int[0, 6], Gen.Int[0, 30]).Array[1, 30];
        await changes.SampleAsync(
            async steps =>
            {
                using var index = new EmbeddingIndex(new CloudGenerator(8));
                var left = new List<SearchDocument>();
                foreach (var (adds, id, seed) in steps)
                {
                    var document = new SearchDocument("", $"{seed % 4} {seed}", $"{id}");
                    if (adds)
                        await index.AddAsync([document]);
                    else
                        Assert.Equal(left.Count(each => each.Id == document.Id), await index.RemoveAsync([document.Id!, "unknown"]));
                    if (adds)
                        left.Add(document);
                    else
                        left.RemoveAll(each => each.Id == document.Id);
                }

                using var fresh = await EmbeddingIndex.CreateAsync(left, new CloudGenerator(8));
                Assert.Equal(await fresh.SearchAsync("1 5", 40), await index.SearchAsync("1 5", 40));
            },
            iter: 100);
    }

    [Fact]
    public async Task Search_WhileOthersChange_SeesWholeChangesOnly()
    {
        using var index = await EmbeddingIndex.CreateAsync(Batch(0), new CloudGenerator(8), cancellationToken: Token);
        var writing = Task.Run(async () =>
        {
            for (var batch = 1; batch < 200; batch++)
            {
                await index.AddAsync(Batch(batch));
                await index.RemoveAsync(Batch(batch - 1).Select(each => each.Id!));
            }
        });
        while (!writing.IsCompleted)
        {
            var seen = (await index.SearchAsync("3 3", 1000, Token)).GroupBy(each => each.Title).ToList();
            Assert.InRange(seen.Count, 1, 2);
            Assert.All(seen, batch => Assert.Equal(Batch(int.Parse(batch.Key)).Select(each => each.Id).Order(), batch.Select(each => each.Id).Order()));
            Assert.All(seen.SelectMany(batch => batch), each => Assert.Equal($"{each.Title}-{each.Text}", each.Id));
        }

        await writing;
        Assert.Equal(10, index.Count);

        static SearchDocument[] Batch(int batch) => [.. Enumerable.Range(0, 10).Select(i => new SearchDocument($"{batch}", $"{i}", $"{batch}-{i}"))];
    }

    private static SearchDocument[] Documents(params string[] vectors) => [.. vectors.Select(vector => new SearchDocument("", vector))];

    private sealed class Recorder : IEmbeddingGenerator<string, Embedding<float>>
    {
        public List<string> Texts { get; } = [];

        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            string[] batch = [.. values];
            Texts.AddRange(batch);
            return Task.FromResult<GeneratedEmbeddings<Embedding<float>>>([.. batch.Select(_ => new Embedding<float>(new float[] { 1 }))]);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
