namespace Hone;

/// <summary>Keeps cached answers beyond the process. Values are opaque JSON; the cache decides what they mean. Safe under concurrent calls.</summary>
public interface IResponseStore
{
    /// <summary>The value of a key; null when there is none.</summary>
    ValueTask<byte[]?> GetAsync(ResponseKey key, CancellationToken cancellationToken = default);

    /// <summary>Keeps a value, in place of an older one.</summary>
    ValueTask SetAsync(ResponseKey key, ReadOnlyMemory<byte> json, CancellationToken cancellationToken = default);

    /// <summary>Forgets a value.</summary>
    ValueTask RemoveAsync(ResponseKey key, CancellationToken cancellationToken = default);

    /// <summary>Forgets everything.</summary>
    /// <exception cref="NotSupportedException">The store cannot tell what it holds.</exception>
    Task ClearAsync(CancellationToken cancellationToken = default);

    /// <summary>All values, in no particular order.</summary>
    /// <exception cref="NotSupportedException">The store cannot tell what it holds.</exception>
    IAsyncEnumerable<KeyValuePair<ResponseKey, byte[]>> ReadAllAsync(CancellationToken cancellationToken = default);

    /// <summary>How much the store holds; null when it cannot tell.</summary>
    StoreStatistics? GetStatistics();
}

/// <summary>How much a store holds.</summary>
/// <param name="Entries">Number of values.</param>
/// <param name="Bytes">Their size.</param>
public sealed record StoreStatistics(long Entries, long Bytes);
