using Microsoft.Extensions.Caching.Distributed;

namespace Hone;

/// <summary>Keeps answers in any distributed cache, e.g. Redis. It cannot list what it holds: to forget everything, take another prefix.</summary>
/// <param name="cache">The cache.</param>
/// <param name="keyPrefix">Begins every key.</param>
/// <param name="entryOptions">When entries expire; by default as the cache does.</param>
public sealed class DistributedResponseStore(
    IDistributedCache cache, string keyPrefix = "hone:", DistributedCacheEntryOptions? entryOptions = null) : IResponseStore
{
    private readonly DistributedCacheEntryOptions entryOptions = entryOptions ?? new();

    /// <inheritdoc/>
    public async ValueTask<byte[]?> GetAsync(ResponseKey key, CancellationToken cancellationToken = default) =>
        await cache.GetAsync(keyPrefix + key, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask SetAsync(ResponseKey key, ReadOnlyMemory<byte> json, CancellationToken cancellationToken = default) =>
        await cache.SetAsync(keyPrefix + key, json.ToArray(), entryOptions, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask RemoveAsync(ResponseKey key, CancellationToken cancellationToken = default) =>
        await cache.RemoveAsync(keyPrefix + key, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task ClearAsync(CancellationToken cancellationToken = default) => throw CannotList();

    /// <inheritdoc/>
    public IAsyncEnumerable<KeyValuePair<ResponseKey, byte[]>> ReadAllAsync(CancellationToken cancellationToken = default) => throw CannotList();

    /// <inheritdoc/>
    public StoreStatistics? GetStatistics() => null;

    private static NotSupportedException CannotList() =>
        new("A distributed cache cannot list its entries. Take another keyPrefix to begin anew, or let entries expire by entryOptions.");
}
