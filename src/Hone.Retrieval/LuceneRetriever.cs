using System.Collections.Concurrent;
using Lucene.Net.Documents;
using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Store;

namespace Hone.Retrieval;

/// <summary>
/// Full-text search with BM25 over titles and texts, in memory or on disk. Safe for concurrent searching and adding; a search sees every
/// document whose <see cref="Add(IEnumerable{SearchDocument})"/> has returned.
/// </summary>
public sealed class LuceneRetriever : IRetriever, IDisposable
{
    private const string ContentField = "content";
    private const string IdField = "id";
    private const string TitleField = "title";
    private const string TextField = "text";
    private const int RecentDocumentLimit = 20_000;

    private readonly LuceneOptions options;
    private readonly EnglishTextAnalyzer analyzer;
    private readonly Bm25Search ranking;
    private readonly Lucene.Net.Store.Directory directory;
    private readonly IndexWriter writer;
    private readonly SearcherManager searchers;

    // Reading a stored document decompresses a whole block. Numbers are stable: nothing is deleted and merges keep the order.
    private readonly ConcurrentDictionary<int, SearchDocument> recentDocuments = new();

    /// <summary>Opens an index.</summary>
    /// <param name="options">Analysis, scoring and storage; null takes the defaults: in memory, k1 = 0.9, b = 0.4.</param>
    /// <exception cref="HoneException">The folder holds no readable index, or another process has it open for writing.</exception>
    public LuceneRetriever(LuceneOptions? options = null)
    {
        this.options = options ?? new();
        analyzer = new(this.options.RemoveStopWords, this.options.Stem);
        ranking = new(ContentField, this.options.K1, this.options.B);
        directory = this.options.Directory is { } folder ? FSDirectory.Open(folder) : new RAMDirectory();
        try
        {
            writer = new(directory, new IndexWriterConfig(EnglishTextAnalyzer.Version, analyzer)
            {
                Similarity = new ExactLengthSimilarity(),
                MergePolicy = new LogDocMergePolicy(), // merges neighbours only, so document order stays insertion order
                MergeScheduler = new SerialMergeScheduler(),
            });
        }
        catch (Exception error) when (error is LockObtainFailedException or IOException or UnauthorizedAccessException)
        {
            directory.Dispose();
            analyzer.Dispose();
            throw new HoneException(
                $"The search index in '{this.options.Directory}' could not be opened: {error.Message} Check that the folder is an index or empty, "
                + "and that no other retriever has it open.",
                error);
        }

        searchers = new(writer, applyAllDeletes: true, new SearcherFactory());
    }

    /// <summary>Number of documents.</summary>
    public int Count => writer.NumDocs;

    /// <summary>Adds documents and makes them searchable; an index on disk is committed.</summary>
    public void Add(IEnumerable<SearchDocument> documents)
    {
        ArgumentNullException.ThrowIfNull(documents);
        foreach (var document in documents)
        {
            writer.AddDocument(
            [
                new StringField(IdField, document.Id ?? document.Title, Field.Store.YES),
                new StoredField(TitleField, document.Title),
                new StoredField(TextField, document.Text),
                new TextField(ContentField, Content(document.Title, document.Text), Field.Store.NO),
            ]);
        }

        if (options.Directory is not null)
            writer.Commit();
        searchers.MaybeRefreshBlocking();
    }

    /// <summary>Adds documents and makes them searchable.</summary>
    public void Add(params ReadOnlySpan<SearchDocument> documents) => Add(documents.ToArray().AsEnumerable());

    /// <summary>
    /// The best documents for a query, best first, ties in the order of adding. The query is plain text: no character has a special meaning.
    /// Documents of equal title and text are returned once; a query without terms finds nothing.
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
        return Task.FromResult(Search(query, count));
    }

    /// <summary>Closes the index; one on disk can be opened again.</summary>
    public void Dispose()
    {
        searchers.Dispose();
        writer.Dispose();
        directory.Dispose();
        analyzer.Dispose();
    }

    internal static string Content(string title, string text) => $"{title} | {text}";

    // Asks for more hits as long as duplicates leave fewer than wanted.
    private List<Passage> Collect(IndexSearcher searcher, List<string> terms, int count)
    {
        for (var wanted = count; ; wanted *= 2)
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
        if (recentDocuments.TryGetValue(number, out var known))
            return known;
        var stored = searcher.Doc(number);
        var document = new SearchDocument(stored.Get(TitleField), stored.Get(TextField), stored.Get(IdField));
        if (recentDocuments.Count < RecentDocumentLimit)
            recentDocuments.TryAdd(number, document);
        return document;
    }
}
