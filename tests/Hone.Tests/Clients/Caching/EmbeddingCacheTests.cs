using Hone.Tests.Retrieval;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients.Caching;

/// <summary>Vectors that are paid for once.</summary>
public sealed class EmbeddingCacheTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-embedding-cache-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Generate_OtherBatches_AsksForNewTextsOnly_InOrder()
    {
        using var cache = new EmbeddingCache();
        var model = new CloudGenerator();
        using var generator = Cached(model, cache);
        var first = await generator.GenerateAsync(["1 1", "2 2"], cancellationToken: Token);
        var second = await generator.GenerateAsync(["3 3", "2 2", "1 1", "4 4"], cancellationToken: Token);
        Assert.Equal(["1 1", "2 2", "3 3", "4 4"], model.Texts);
        Assert.Equal(first[1].Vector.ToArray(), second[1].Vector.ToArray());
        Assert.Equal(first[0].Vector.ToArray(), second[2].Vector.ToArray());
        Assert.Equal((2, 4), (cache.GetStatistics().Hits, cache.GetStatistics().Misses));
    }

    [Fact]
    public async Task Store_Reopened_GivesTheSameBits()
    {
        var path = Path.Combine(folder, "vectors.db");
        float[] kept;
        using (var cache = new EmbeddingCache(new SqliteResponseStore(path)))
            kept = (await Cached(new CloudGenerator(), cache).GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.ToArray();
        using var again = new EmbeddingCache(new SqliteResponseStore(path));
        var model = new CloudGenerator();
        Assert.Equal(kept, (await Cached(model, again).GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.ToArray());
        Assert.Equal(0, model.Requests);
    }

    [Fact]
    public async Task D18_TwoModelsOfOneClass_ShareNothing()
    {
        using var cache = new EmbeddingCache();
        var (small, large) = (new CloudGenerator(4, "small"), new CloudGenerator(8, "large"));
        Assert.Equal(4, (await Cached(small, cache).GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.Length);
        Assert.Equal(8, (await Cached(large, cache).GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.Length);
        await Cached(large, cache).GenerateAsync(["1 1"], new() { Dimensions = 8 }, Token); // options are part of the key
        Assert.Equal((1, 2), (small.Requests, large.Requests));
    }

    [Fact]
    public async Task Model_WithoutAName_IsRefusedUnlessGivenOne()
    {
        using var cache = new EmbeddingCache();
        var error = Assert.Throws<LMConfigurationException>(() => Cached(new CloudGenerator(model: null), cache));
        Assert.Contains("modelId", error.Message, StringComparison.Ordinal);
        Assert.Single(await Cached(new CloudGenerator(model: null), cache, "mine").GenerateAsync(["1 1"], cancellationToken: Token));
    }

    [Fact]
    public async Task Hit_WrittenInto_StaysWhatItWas()
    {
        using var cache = new EmbeddingCache();
        using var generator = Cached(new CloudGenerator(), cache);
        var first = (await generator.GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector;
        var before = first.ToArray();
        System.Runtime.InteropServices.MemoryMarshal.AsMemory(first).Span.Clear();
        Assert.Equal(before, (await generator.GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.ToArray());
    }

    [Fact]
    public async Task Store_Damaged_IsAMiss()
    {
        using var store = new SqliteResponseStore(Path.Combine(folder, "vectors.db"));
        using (var cache = new EmbeddingCache(new Borrowed(store), memoryBytes: 0))
            await Cached(new CloudGenerator(), cache).GenerateAsync(["1 1"], cancellationToken: Token);
        await foreach (var (key, _) in store.ReadAllAsync(Token))
            await store.SetAsync(key, "{\"vector\":\"no base64\"}"u8.ToArray(), Token);
        var model = new CloudGenerator();
        using var again = new EmbeddingCache(new Borrowed(store), memoryBytes: 0);
        Assert.Equal(16, (await Cached(model, again).GenerateAsync(["1 1"], cancellationToken: Token))[0].Vector.Length);
        Assert.Equal(1, model.Requests);
    }

    private static IEmbeddingGenerator<string, Embedding<float>> Cached(CloudGenerator model, EmbeddingCache cache, string? modelId = null) =>
        new EmbeddingGeneratorBuilder<string, Embedding<float>>(model).UseHoneEmbeddingCache(cache, modelId).Build();

    // A store that outlives its cache.
    private sealed class Borrowed(IResponseStore store) : IResponseStore
    {
        public ValueTask<byte[]?> GetAsync(ResponseKey key, CancellationToken cancellationToken = default) => store.GetAsync(key, cancellationToken);

        public ValueTask SetAsync(ResponseKey key, ReadOnlyMemory<byte> json, CancellationToken cancellationToken = default) => store.SetAsync(key, json, cancellationToken);

        public ValueTask RemoveAsync(ResponseKey key, CancellationToken cancellationToken = default) => store.RemoveAsync(key, cancellationToken);

        public Task ClearAsync(CancellationToken cancellationToken = default) => store.ClearAsync(cancellationToken);

        public IAsyncEnumerable<KeyValuePair<ResponseKey, byte[]>> ReadAllAsync(CancellationToken cancellationToken = default) => store.ReadAllAsync(cancellationToken);

        public StoreStatistics? GetStatistics() => store.GetStatistics();
    }
}
