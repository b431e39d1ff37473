using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Finds documents by the nearness of embeddings, in memory: every vector is compared, or a part of them (<see cref="EmbeddingIndexOptions.Approximate"/>).
/// Safe for searching while documents are added and removed: a search sees all of a change or nothing of it.
/// </summary>
/// <remarks>
/// What a search finds depends on the documents, the order in which they came, and the seed, never on batches or threads. A vector of zeros has a score
/// of 0 with everything. To pay for no text twice, give it a generator with <c>UseHoneEmbeddingCache</c>.
/// </remarks>
public sealed class EmbeddingIndex : IRetriever, IDisposable
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> generator;
    private readonly EmbeddingIndexOptions options;
    private readonly SemaphoreSlim changing = new(1, 1);
    private volatile Snapshot current;
    private long numbered;

    /// <summary>Creates an empty index.</summary>
    /// <param name="generator">Makes the vectors, of documents and queries; the caller disposes it.</param>
    /// <param name="options">Batches, scoring, search; null takes the defaults: cosine, exact.</param>
    public EmbeddingIndex(IEmbeddingGenerator<string, Embedding<float>> generator, EmbeddingIndexOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        (this.generator, this.options, current) = (generator, options ?? new(), Snapshot.Empty);
    }

    /// <summary>Number of documents.</summary>
    public int Count => current.Table.Count;

    /// <summary>Length of the vectors; 0 while there are none.</summary>
    public int Dimensions => current.Table.Dimensions;

    /// <summary>True when searches look into a part of the vectors: there are as many as <see cref="ApproximateSearchOptions.Threshold"/> says.</summary>
    public bool IsApproximate => current.Lists is not null;

    private string? ModelId => options.ModelId ?? (generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata)?.DefaultModelId;

    /// <summary>Creates an index of documents.</summary>
    /// <param name="documents">The documents; one without id and title is called by its number.</param>
    /// <param name="generator">Makes the vectors, of documents and queries.</param>
    /// <param name="options">Batches, scoring, search; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the requests.</param>
    /// <exception cref="HoneException">See <see cref="AddAsync"/>.</exception>
    public static async Task<EmbeddingIndex> CreateAsync(
        IEnumerable<SearchDocument> documents,
        IEmbeddingGenerator<string, Embedding<float>> generator,
        EmbeddingIndexOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        var index = new EmbeddingIndex(generator, options);
        await index.AddAsync(documents, cancellationToken).ConfigureAwait(false);
        return index;
    }

    /// <summary>Opens an index that <see cref="SaveAsync"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <param name="generator">Makes the vectors of queries and further documents: the model that made those of the file.</param>
    /// <param name="options">Batches, scoring, search; null takes the defaults. Scoring and prefixes must be those of the file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">The file is damaged, of another format, or was made by another model or with other options.</exception>
    public static async Task<EmbeddingIndex> LoadAsync(
        string path, IEmbeddingGenerator<string, Embedding<float>> generator, EmbeddingIndexOptions? options = null, CancellationToken cancellationToken = default)
    {
        var index = new EmbeddingIndex(generator, options);
        await Task.Run(() => index.Load(path, cancellationToken), cancellationToken).ConfigureAwait(false);
        return index;
    }

    /// <summary>Embeds documents and makes them searchable, all at once. Nothing is added when it fails.</summary>
    /// <param name="documents">The documents; one without id and title is called by its number.</param>
    /// <param name="cancellationToken">Stops the requests.</param>
    /// <exception cref="HoneException">
    /// The generator does not give one vector a text, or one of another length than those of the index, or a vector that is not finite: the message names the document.
    /// </exception>
    public async Task AddAsync(IEnumerable<SearchDocument> documents, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        SearchDocument[] added = [.. documents];
        if (added.Length == 0)
            return;
        var vectors = await EmbedAsync([.. added.Select(document => options.DocumentPrefix + document.Content)], cancellationToken).ConfigureAwait(false);
        await ChangeAsync(
            () =>
            {
                var (snapshot, first) = (current, numbered);
                SearchDocument[] named = [.. added.Select((document, index) => document.Id is null ? document with { Id = NameOf(document, first + index) } : document)];
                for (var i = 0; i < named.Length; i++)
                    Check(vectors[i].Span, snapshot.Table.Dimensions, $"document '{named[i].Id}'");
                var table = snapshot.Table.Append(named.Length, vectors[0].Length, (row, target) => Write(vectors[row].Span, target));
                current = new(table, [.. snapshot.Documents, .. named], ListsOf(snapshot.Lists, table, cancellationToken));
                numbered = first + named.Length;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes every document that has one of the ids. It copies what is left: pass many ids at once.</summary>
    /// <returns>How many documents went; unknown ids are no error.</returns>
    public async Task<int> RemoveAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var removed = ids.ToHashSet(StringComparer.Ordinal);
        var count = 0;
        await ChangeAsync(
            () =>
            {
                var snapshot = current;
                int[] kept = [.. Enumerable.Range(0, snapshot.Documents.Length).Where(row => !removed.Contains(snapshot.Documents[row].Id!))];
                count = snapshot.Documents.Length - kept.Length;
                if (count == 0)
                    return;
                var table = snapshot.Table.Take(kept);
                current = new(table, [.. kept.Select(row => snapshot.Documents[row])], ListsOf(snapshot.Lists?.Take(kept), table, cancellationToken));
            },
            cancellationToken).ConfigureAwait(false);
        return count;
    }

    /// <inheritdoc/>
    /// <exception cref="HoneException">The query's vector is not finite, or its length is not that of the documents' vectors.</exception>
    public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return RetrieverObservation.RunAsync(nameof(EmbeddingIndex), query, () => FindAsync(query, count, cancellationToken), cancellationToken);
    }

    private async Task<IReadOnlyList<Passage>> FindAsync(string query, int count, CancellationToken cancellationToken)
    {
        if (count == 0 || Count == 0)
            return [];
        var vectors = await EmbedAsync([options.QueryPrefix + query], cancellationToken).ConfigureAwait(false);
        return Search(vectors[0], count, cancellationToken);
    }

    /// <summary>The documents nearest to a vector, best first; ties by index order.</summary>
    /// <param name="query">A vector of the documents' model.</param>
    /// <param name="count">How many; all when there are fewer.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="HoneException">The vector is not finite, or its length is not that of the documents' vectors.</exception>
    public IReadOnlyList<Passage> Search(ReadOnlyMemory<float> query, int count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var snapshot = current;
        if (count == 0 || snapshot.Table.Count == 0)
            return [];
        Check(query.Span, snapshot.Table.Dimensions, "the query");
        var vector = new float[query.Length];
        Write(query.Span, vector);
        var found = snapshot.Lists is { } lists
            ? lists.Search(snapshot.Table, vector, count, options.Approximate!.Probes, options.Normalize)
            : snapshot.Table.Search(vector, count, options.MaxParallelism, cancellationToken);
        return [.. found.Select(entry => ToPassage(snapshot.Documents[entry.Row], entry.Score))];
    }

    /// <summary>Writes documents, vectors and lists to one file, in place of an older one at once or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops writing; an older file then stays.</param>
    public Task SaveAsync(string path, CancellationToken cancellationToken = default)
    {
        var snapshot = current;
        var identity = new EmbeddingIndexIdentity(ModelId, options.Normalize, options.DocumentPrefix, options.QueryPrefix, Interlocked.Read(ref numbered));
        return Task.Run(
            () => AtomicFile.Write(path, stream => EmbeddingIndexFile.Write(stream, identity, snapshot, cancellationToken)), cancellationToken);
    }

    /// <summary>Releases what orders changes; the generator is the caller's.</summary>
    public void Dispose() => changing.Dispose();

    private static string NameOf(SearchDocument document, long number) =>
        document.Title.Length > 0 ? document.Title : number.ToString(CultureInfo.InvariantCulture);

    private static Passage ToPassage(SearchDocument document, float score) => new(document.Id!, document.Title, document.Text, score);

    private void Load(string path, CancellationToken cancellationToken)
    {
        var wanted = new EmbeddingIndexIdentity(ModelId, options.Normalize, options.DocumentPrefix, options.QueryPrefix, 0);
        (var identity, var snapshot) = EmbeddingIndexFile.Read(path, wanted, cancellationToken);
        var dimensions = (generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata)?.DefaultModelDimensions;
        if (snapshot.Table.Count > 0 && dimensions is { } expected && expected != snapshot.Table.Dimensions)
            throw new HoneException(
                $"The vectors in '{path}' have {snapshot.Table.Dimensions} dimensions, those of the embedding generator {expected}. Load it with the model that made it, or build the index anew.");
        current = snapshot with { Lists = ListsOf(snapshot.Lists, snapshot.Table, cancellationToken) };
        numbered = identity.Numbered;
    }

    private Task<ReadOnlyMemory<float>[]> EmbedAsync(string[] texts, CancellationToken cancellationToken) =>
        EmbeddingBatches.EmbedAsync(generator, texts, options.BatchSize, options.MaxConcurrency, cancellationToken);

    private async Task ChangeAsync(Action change, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            change();
        }
        finally
        {
            changing.Release();
        }
    }

    private InvertedLists? ListsOf(InvertedLists? known, VectorTable table, CancellationToken cancellationToken) =>
        options.Approximate is { } approximate && table.Count >= approximate.Threshold
            ? InvertedLists.Extend(known, table, approximate, options.Normalize, options.MaxParallelism, cancellationToken)
            : null;

    private void Check(ReadOnlySpan<float> vector, int dimensions, string whose)
    {
        if (dimensions > 0 && vector.Length != dimensions)
            throw new HoneException(
                $"The embedding of {whose} has {vector.Length} dimensions, those of the index have {dimensions}. Use one embedding model for both.");
        if (!EmbeddingBatches.IsUsable(vector, options.Normalize))
            throw new HoneException($"The embedding of {whose} has values that are no finite numbers, or are too large to multiply. Check the model and its input.");
    }

    private void Write(ReadOnlySpan<float> vector, Span<float> target)
    {
        if (options.Normalize)
            EmbeddingBatches.Normalize(vector, target);
        else
            vector.CopyTo(target);
    }

    /// <summary>What a search sees.</summary>
    internal sealed record Snapshot(VectorTable Table, SearchDocument[] Documents, InvertedLists? Lists)
    {
        public static Snapshot Empty { get; } = new(VectorTable.Empty, [], null);
    }
}
