using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>What all views of one cache share: the layers, the requests under way, the counters.</summary>
internal sealed class CacheCore(IResponseStore? store, ResponseCacheOptions options)
{
    private static readonly KeyValuePair<string, object?> HitTag = new("result", "hit");
    private static readonly KeyValuePair<string, object?> MissTag = new("result", "miss");

    private long hits;
    private long shared;
    private long misses;
    private long notCacheable;

    public MemoryLayer<CachedResponse> Memory { get; } = new(options.MemoryBytes, static response => response.Size);

    public Flights Flights { get; } = new();

    public IResponseStore? Store => store;

    public CacheStatistics GetStatistics()
    {
        var (entries, bytes, evictions) = Memory.Statistics;
        return new()
        {
            Hits = Interlocked.Read(ref hits),
            Shared = Interlocked.Read(ref shared),
            Misses = Interlocked.Read(ref misses),
            NotCacheable = Interlocked.Read(ref notCacheable),
            MemoryEntries = entries,
            MemoryBytes = bytes,
            Evictions = evictions,
            Store = store?.GetStatistics(),
        };
    }

    /// <summary>An answer in memory that still counts.</summary>
    public CachedResponse? FindInMemory(ResponseKey key) => Memory.TryGet(key, out var found) && IsFresh(found) ? Hit(found) : null;

    /// <summary>An answer in the store that still counts; it moves into memory.</summary>
    /// <param name="key">The key.</param>
    /// <param name="notesUse">False to leave no trace in the store, where that is a file.</param>
    /// <param name="logger">Where a failure of the store is logged.</param>
    /// <param name="cancellationToken">Stops the look-up.</param>
    public async ValueTask<CachedResponse?> FindInStoreAsync(ResponseKey key, bool notesUse, ILogger logger, CancellationToken cancellationToken)
    {
        if (store is null)
            return null;
        (store as SqliteResponseStore)?.Report(logger);
        byte[]? json;
        try
        {
            json = !notesUse && store is SqliteResponseStore file
                ? await file.PeekAsync(key, cancellationToken).ConfigureAwait(false)
                : await store.GetAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            HoneLog.StoreFailed(logger, "look-up", error.Message, error);
            return null;
        }

        if (json is null || CachedResponseJson.Read(json) is not { } found || !IsFresh(found))
            return null;
        Memory.Set(key, found);
        return Hit(found);
    }

    /// <summary>An answer in a form that can be kept and shared; null when there is none.</summary>
    public CachedResponse? Capture(ChatResponse response) => CachedResponse.Capture(response, options.Time.GetUtcNow());

    public async ValueTask KeepAsync(ResponseKey key, CachedResponse response, ILogger logger)
    {
        Memory.Set(key, response);
        if (store is null)
            return;
        try
        {
            // The answer is paid for: a caller that has gone is no reason to lose it.
            await store.SetAsync(key, CachedResponseJson.Write(response), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            HoneLog.StoreFailed(logger, "write", error.Message, error);
        }
    }

    public void CountMiss()
    {
        Interlocked.Increment(ref misses);
        HoneDiagnostics.CacheRequests.Add(1, MissTag);
    }

    public void CountShared()
    {
        Interlocked.Increment(ref shared);
        HoneDiagnostics.CacheRequests.Add(1, HitTag);
    }

    /// <summary>Counts a request without a key; true for the first one.</summary>
    public bool CountNotCacheable() => Interlocked.Increment(ref notCacheable) == 1;

    private CachedResponse Hit(CachedResponse found)
    {
        Interlocked.Increment(ref hits);
        HoneDiagnostics.CacheRequests.Add(1, HitTag);
        return found;
    }

    private bool IsFresh(CachedResponse response) => options.TimeToLive is not { } span || options.Time.GetUtcNow() - response.StoredAt < span;
}
