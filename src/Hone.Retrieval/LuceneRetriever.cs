using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Store;

namespace Hone.Retrieval;

/// <summary>
/// Full-text search with BM25 over titles and texts, in memory or on disk. Safe for searching while documents are added, replaced and deleted: a search
/// sees all of a change or nothing of it, and every change whose call has returned. An index on disk is committed by each change, so a process that
/// dies loses at most the change it was making.
/// </summary>
public sealed class LuceneRetriever : IRetriever, IDisposable
{
    private const int RecentDocumentLimit = 20_000;
    private const double WriteBufferMegabytes = 64;

    private readonly LuceneOptions options;
    private readonly EnglishTextAnalyzer analyzer;
    private readonly Bm25Search ranking;
    private readonly Lucene.Net.Store.Directory directory;
    private readonly IndexWriter writer;
    private readonly SearcherManager searchers;
    private readonly System.Threading.Lock writing = new();
    private readonly DocumentFields fields = new(); // under the lock

    // Documents added so far, deleted ones included: what one without id and title is called by.
    private long numbered;

    // Reading a stored document decompresses a whole block. By segment, whose documents keep their numbers; gone with the segment.
    private readonly ConditionalWeakTable<object, ConcurrentDictionary<int, SearchDocument>> recentDocuments = [];

    /// <summary>Opens an index.</summary>
    /// <param name="options">Analysis, scoring and storage; null takes the defaults: in memory, k1 = 0.9, b = 0.4.</param>
    /// <exception cref="HoneException">
    /// The folder holds no readable index, or one that was built with another analysis, or another retriever has it open for writing.
    /// </exception>
    public LuceneRetriever(LuceneOptions? options = null)
    {
        this.options = options ?? new();
        analyzer = new(this.options.RemoveStopWords, this.options.Stem);
        ranking = new(DocumentFields.Content, this.options);
        directory = this.options.Directory is { } folder ? FSDirectory.Open(folder) : new RAMDirectory();
        try
        {
            writer = new(directory, new IndexWriterConfig(EnglishTextAnalyzer.Version, analyzer)
            {
                Similarity = new ExactLengthSimilarity(),
                MergePolicy = new LogDocMergePolicy(), // merges neighbours only, so document order stays insertion order
                MergeScheduler = new SerialMergeScheduler(),
                RAMBufferSizeMB = WriteBufferMegabytes,
            });
            IndexIdentity.Check(writer, this.options);
        }
        catch (Exception error) when (error is LockObtainFailedException or IOException or UnauthorizedAccessException or HoneException)
        {
            writer?.Rollback();
            directory.Dispose();
            analyzer.Dispose();
            if (error is HoneException)
                throw;
            throw new HoneException(
                $"The search index in '{this.options.Directory}' could not be opened: {error.Message} Check that the folder is an index or empty, "
                + "and that no other retriever has it open.",
                error);
        }

        searchers = new(writer, applyAllDeletes: true, new SearcherFactory());
        numbered = IndexIdentity.NumberedIn(writer);
    }

    /// <summary>Number of documents.</summary>
    public int Count
    {
        get
        {
            var searcher = searchers.Acquire();
            try
            {
                return searcher.IndexReader.NumDocs;
            }
            finally
            {
                searchers.Release(searcher);
            }
        }
    }

    /// <summary>
    /// Adds documents and makes them searchable; an index on disk is committed. Pass many at once: a commit waits for the disk. The sequence is read as
    /// it is written, so it need not fit into memory; when it throws, what came before stays and shows with the next change. A document without id and title
    /// is called by its number.
    /// </summary>
    public void Add(IEnumerable<SearchDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        Change(documents, document => writer.AddDocument(fields.Of(document, IdOf(document) ?? NextNumber())));
    }

    /// <summary>Adds documents and makes them searchable.</summary>
    public void Add(params ReadOnlySpan<SearchDocument> documents) => Add(documents.ToArray().AsEnumerable());

    /// <summary>
    /// Adds documents in place of those that have their ids; they come last in the order of adding. A document without id and title is in place of none.
    /// </summary>
    public void Replace(IEnumerable<SearchDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        Change(
            documents,
            document =>
            {
                if (IdOf(document) is { } id)
                    writer.UpdateDocument(new(DocumentFields.Id, id), fields.Of(document, id));
                else
                    writer.AddDocument(fields.Of(document, NextNumber()));
            });
    }

    /// <summary>Adds documents in place of those that have their ids.</summary>
    public void Replace(params ReadOnlySpan<SearchDocument> documents) => Replace(documents.ToArray().AsEnumerable());

    /// <summary>
    /// Deletes every document that has one of the ids; unknown ids are no error. Scores are then those of an index in which the documents have never been.
    /// </summary>
    public void Delete(IEnumerable<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Change(ids, id => writer.DeleteDocuments(new Term(DocumentFields.Id, id)));
    }

    /// <summary>Deletes every document that has one of the ids.</summary>
    public void Delete(params ReadOnlySpan<string> ids) => Delete(ids.ToArray().AsEnumerable());

    /// <summary>
    /// The best documents for a query, best first, ties in the order of adding. The query is plain text: no character has a special meaning.
    /// Documents of equal title and text are returned once; a query without terms finds nothing. A count beyond the number of documents is that number.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public IReadOnlyList<Passage> Search(string query, int count)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var terms = count == 0 ? [] : analyzer.Terms(query);
        if (terms.Count == 0)
            return [];
        var searcher = searchers.Acquire();
        try
        {
            return Collect(searcher, terms, count);
        }
        finally
        {
            searchers.Release(searcher);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return RetrieverObservation.IsOn ? ObservedAsync(query, count) : Task.FromResult(Search(query, count));
    }

    /// <summary>Closes the index; one on disk can be opened again.</summary>
    public void Dispose()
    {
        searchers.Dispose();
        writer.Dispose();
        directory.Dispose();
        analyzer.Dispose();
    }

    // Its id, or its title; null when it has neither: then its number must do, since documents of one id go together.
    private static string? IdOf(SearchDocument document) => document.Id ?? (document.Title.Length > 0 ? document.Title : null);

    private string NextNumber() => numbered.ToString(CultureInfo.InvariantCulture);

    private Task<IReadOnlyList<Passage>> ObservedAsync(string query, int count) =>
        RetrieverObservation.RunAsync(nameof(LuceneRetriever), query, () => Task.FromResult(Search(query, count)));

    // One change at a time: searchers are renewed between changes only, so none sees half of one.
    private void Change<T>(IEnumerable<T> items, Action<T> apply)
    {
        lock (writing)
        {
            foreach (var item in items)
            {
                apply(item);
                numbered += item is SearchDocument ? 1 : 0;
            }

            if (options.Directory is not null)
            {
                IndexIdentity.WriteNumbered(writer, numbered);
                writer.Commit();
            }

            searchers.MaybeRefreshBlocking();
        }
    }

    // Asks for more hits as long as duplicates leave fewer than wanted.
    private List<Passage> Collect(IndexSearcher searcher, List<string> terms, int count)
    {
        count = Math.Min(count, searcher.IndexReader.NumDocs);
        for (var wanted = count; ; wanted = (int)Math.Min(2L * wanted, int.MaxValue))
        {
            var hits = ranking.Search(searcher.IndexReader, terms, wanted);
            var found = new List<Passage>(count);
            var seen = new HashSet<(string Title, string Text)>();
            foreach (var (number, score) in hits)
            {
                var document = Read(searcher, number);
                if (found.Count < count && seen.Add((document.Title, document.Text)))
                    found.Add(new(document.Id!, document.Title, document.Text, score));
            }

            if (found.Count == count || hits.Count < wanted)
                return found;
        }
    }

    private SearchDocument Read(IndexSearcher searcher, int number)
    {
        var leaves = searcher.IndexReader.Leaves;
        var leaf = leaves[ReaderUtil.SubIndex(number, leaves)];
        var recent = recentDocuments.GetValue(leaf.AtomicReader.CoreCacheKey, static _ => []);
        if (recent.TryGetValue(number - leaf.DocBase, out var known))
            return known;
        var stored = searcher.Doc(number);
        var document = DocumentFields.Read(stored);
        if (recent.Count < RecentDocumentLimit)
            recent.TryAdd(number - leaf.DocBase, document);
        return document;
    }
}
