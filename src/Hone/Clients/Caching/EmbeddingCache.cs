using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Runtime.InteropServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>
/// Keeps the vectors of texts, in memory and optionally in a store, so that no text is paid for twice. Each text has an entry of its own, whatever batch it came
/// in; its key is made of provider, endpoint, model, options and text. Give it to a generator with <c>UseHoneEmbeddingCache</c>.
/// </summary>
public sealed class EmbeddingCache : IDisposable
{
    private const int Overhead = 100;

    private readonly IResponseStore? store;
    private readonly MemoryLayer<Embedding<float>> memory;
    private long hits;
    private long misses;

    /// <summary>Creates a cache.</summary>
    /// <param name="store">Keeps vectors beyond memory; it is disposed with the cache. It may be one that a <see cref="ResponseCache"/> uses, too.</param>
    /// <param name="memoryBytes">Most bytes of vectors in memory; the least recently used go first. 64 MiB by default; 0 keeps none.</param>
    public EmbeddingCache(IResponseStore? store = null, long memoryBytes = 64L * 1024 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(memoryBytes);
        this.store = store;
        memory = new(memoryBytes, static embedding => Overhead + (embedding.Vector.Length * sizeof(float)));
    }

    /// <summary>What the cache has done and holds.</summary>
    public CacheStatistics GetStatistics()
    {
        var (entries, bytes, evictions) = memory.Statistics;
        return new()
        {
            Hits = Interlocked.Read(ref hits),
            Misses = Interlocked.Read(ref misses),
            MemoryEntries = entries,
            MemoryBytes = bytes,
            Evictions = evictions,
            Store = store?.GetStatistics(),
        };
    }

    /// <summary>Closes the store.</summary>
    public void Dispose() => (store as IDisposable)?.Dispose();

    internal async ValueTask<Embedding<float>?> FindAsync(ResponseKey key, ILogger logger, CancellationToken cancellationToken)
    {
        if (!memory.TryGet(key, out var found) && store is not null)
        {
            found = await ReadAsync(key, logger, cancellationToken).ConfigureAwait(false);
            if (found is not null)
                memory.Set(key, found);
        }

        Interlocked.Increment(ref found is null ? ref misses : ref hits);
        return found is null ? null : Copy(found);
    }

    internal async ValueTask KeepAsync(ResponseKey key, Embedding<float> embedding, ILogger logger)
    {
        memory.Set(key, Copy(embedding));
        if (store is null)
            return;
        try
        {
            // The vector is paid for: a caller that has gone is no reason to lose it.
            await store.SetAsync(key, Write(embedding), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            HoneLog.StoreFailed(logger, "write", error.Message, error);
        }
    }

    private async ValueTask<Embedding<float>?> ReadAsync(ResponseKey key, ILogger logger, CancellationToken cancellationToken)
    {
        (store as SqliteResponseStore)?.Report(logger);
        try
        {
            return await store!.GetAsync(key, cancellationToken).ConfigureAwait(false) is { } json ? Read(json) : null;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            HoneLog.StoreFailed(logger, "look-up", error.Message, error);
            return null;
        }
    }

    // Callers may write into what they are given.
    private static Embedding<float> Copy(Embedding<float> embedding) =>
        new(embedding.Vector.ToArray()) { ModelId = embedding.ModelId, CreatedAt = embedding.CreatedAt };

    private static byte[] Write(Embedding<float> embedding)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            if (embedding.ModelId is { } model)
                writer.WriteString("model", model);
            writer.WriteBase64String("vector", MemoryMarshal.AsBytes(embedding.Vector.Span)); // float32, little-endian: the same bits come back
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    // What cannot be read is missing.
    private static Embedding<float>? Read(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("vector", out var vector)
                || vector.ValueKind != JsonValueKind.String || !vector.TryGetBytesFromBase64(out var bytes) || bytes.Length % sizeof(float) != 0 || bytes.Length == 0)
                return null;
            return new(MemoryMarshal.Cast<byte, float>(bytes).ToArray())
            {
                ModelId = document.RootElement.TryGetProperty("model", out var model) ? model.GetString() : null,
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Looks texts up before their vectors are asked for. The library's caching generator finds what is missing and keeps the order; keys and storage are Hone's.</summary>
internal sealed class CachedEmbeddingGenerator(
    IEmbeddingGenerator<string, Embedding<float>> inner, EmbeddingCache cache, string[] identity, ILogger logger)
    : CachingEmbeddingGenerator<string, Embedding<float>>(inner)
{
    private const string KeyVersion = "hone-embedding-1";

    /// <inheritdoc/>
    protected override string GetCacheKey(params ReadOnlySpan<object?> values)
    {
        var request = AIJsonUtilities.HashDataToString([KeyVersion, .. identity, .. values]);
        return new ResponseKey(SHA256.HashData(Encoding.ASCII.GetBytes(request))).ToString();
    }

    /// <inheritdoc/>
    protected override async Task<Embedding<float>?> ReadCacheAsync(string key, CancellationToken cancellationToken) =>
        await cache.FindAsync(ResponseKey.Parse(key), logger, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override async Task WriteCacheAsync(string key, Embedding<float> value, CancellationToken cancellationToken) =>
        await cache.KeepAsync(ResponseKey.Parse(key), value, logger).ConfigureAwait(false);
}
