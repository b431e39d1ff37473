using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace Hone.VectorData;

/// <summary>
/// Searches a collection of a vector store: every connector of Microsoft.Extensions.VectorData (Qdrant, PostgreSQL, Azure AI Search, Redis, …), whose
/// <see cref="VectorStoreCollection{TKey,TRecord}"/> is an <see cref="IVectorSearchable{TRecord}"/>.
/// </summary>
/// <typeparam name="TRecord">The collection's records.</typeparam>
public sealed class VectorDataRetriever<TRecord> : IRetriever
    where TRecord : class
{
    private readonly IVectorSearchable<TRecord> collection;
    private readonly Func<TRecord, double, Passage> toPassage;
    private readonly VectorDataOptions<TRecord> options;

    /// <summary>Creates the retriever.</summary>
    /// <param name="collection">What is searched; the caller disposes it.</param>
    /// <param name="toPassage">
    /// Makes a passage of a record and its score. The score is the store's: a similarity or a distance, 0 when the store tells none. The order is the store's, too.
    /// </param>
    /// <param name="options">Who embeds the query, filters; null takes the defaults.</param>
    public VectorDataRetriever(IVectorSearchable<TRecord> collection, Func<TRecord, double, Passage> toPassage, VectorDataOptions<TRecord>? options = null)
    {
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(toPassage);
        (this.collection, this.toPassage, this.options) = (collection, toPassage, options ?? new());
    }

    /// <inheritdoc/>
    /// <exception cref="RetrievalException">The store failed, or cannot embed a query; see the inner exception.</exception>
    public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return RetrieverObservation.RunAsync("VectorDataRetriever", query, () => FindAsync(query, count, cancellationToken), cancellationToken);
    }

    private async Task<IReadOnlyList<Passage>> FindAsync(string query, int count, CancellationToken cancellationToken)
    {
        if (count == 0)
            return [];
        cancellationToken.ThrowIfCancellationRequested();
        var vector = options.Generator is { } generator
            ? await generator.GenerateVectorAsync(query, null, cancellationToken).ConfigureAwait(false)
            : (ReadOnlyMemory<float>?)null;
        var search = new VectorSearchOptions<TRecord> { Filter = options.Filter, VectorProperty = options.VectorProperty };
        var found = new List<Passage>();
        try
        {
            var results = vector is { } given
                ? collection.SearchAsync(given, count, search, cancellationToken)
                : collection.SearchAsync(query, count, search, cancellationToken);
            await foreach (var result in results.ConfigureAwait(false))
                found.Add(toPassage(result.Record, result.Score ?? 0));
        }
        catch (Exception error) when (error is VectorStoreException or NotSupportedException or InvalidOperationException)
        {
            var hint = vector is null ? $" A store that cannot embed texts by itself needs {nameof(VectorDataOptions<>)}.{nameof(VectorDataOptions<>.Generator)}." : string.Empty;
            throw new RetrievalException($"The search in the vector store failed: {error.Message}{hint}", isRetryable: error is VectorStoreException, error);
        }

        return found;
    }
}
