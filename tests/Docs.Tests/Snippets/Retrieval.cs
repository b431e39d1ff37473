using Docs.Tests.Checks;
using Hone;
using Hone.Retrieval;
using Hone.VectorData;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace Docs.Tests.Snippets.Retrieval;

public sealed class RetrievalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void FullText_FindsByWords()
    {
        #region retrieval-first
        using var search = new LuceneRetriever();
        search.Add(
            new SearchDocument("Velmont", "Velmont is a river in Galmar.", Id: "river-1"),
            new SearchDocument("Halden Bay", "Halden Bay is a city on the river Velmont."));
        foreach (Passage passage in search.Search("Which rivers are in Galmar?", count: 2))
            Console.WriteLine($"{passage.Score:0.00} {passage.Id}: {passage.Text}");
        #endregion
        Assert.Equal("river-1", search.Search("Which rivers are in Galmar?", count: 2)[0].Id);
    }

    [Fact]
    public void OnDisk_DocumentsComeAndGo()
    {
        using var folder = new TemporaryFolder();
        var options = new LuceneOptions { Directory = Path.Combine(folder.Path, "index"), K1 = 1.2, B = 0.75 };
        SearchDocument[] documents = [new("Velmont", "A river.", "river-1"), new("Halden Bay", "A city.", "city-1")];
        OnDisk(options.Directory, documents, documents[0] with { Text = "A wide river." });
        using var again = new LuceneRetriever(options);
        Assert.Equal(["A wide river."], again.Search("river city", 9).Select(passage => passage.Text));
    }

    [Fact]
    public async Task Embeddings_AreSearchedExactly_ThenByLists()
    {
        using var folder = new TemporaryFolder();
        IEmbeddingGenerator<string, Embedding<float>> model = new Letters();
        SearchDocument[] documents = [new("cat", "purrs"), new("dog", "barks")];
        var cancellationToken = Token;
        var file = Path.Combine(folder.Path, "vectors.db");
        #region retrieval-embeddings
        using var cache = new EmbeddingCache(new SqliteResponseStore(file));
        var generator = new EmbeddingGeneratorBuilder<string, Embedding<float>>(model).UseHoneEmbeddingCache(cache, modelId: "letters").Build();

        using var index = await EmbeddingIndex.CreateAsync(documents, generator, cancellationToken: cancellationToken);
        IReadOnlyList<Passage> nearest = await index.SearchAsync("a purring cat", count: 3, cancellationToken);
        #endregion
        Assert.Equal("cat", nearest[0].Id);
        var path = Path.Combine(folder.Path, "index.vectors");
        #region retrieval-approximate
        var options = new EmbeddingIndexOptions { Approximate = new() { Threshold = 100_000, Probes = 16, Seed = 1 } };
        using var large = await EmbeddingIndex.CreateAsync(documents, generator, options, cancellationToken);
        Console.WriteLine(large.IsApproximate);                       // True from 100,000 documents on
        await large.SaveAsync(path, cancellationToken);
        using var loaded = await EmbeddingIndex.LoadAsync(path, generator, options, cancellationToken);
        #endregion
        Assert.False(loaded.IsApproximate);
        Assert.Equal(2, loaded.Count);
    }

    [Fact]
    public async Task OtherSearches_AreRetrieversToo()
    {
        using var http = new HttpClient();
        #region retrieval-colbert
        IRetriever colbert = new ColBertClient(http, new Uri("http://localhost:8893/api/search"), new() { Post = false, Timeout = TimeSpan.FromSeconds(10) });
        #endregion
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => colbert.SearchAsync("q", 1, stop.Token));
        Assert.Empty(await Store(new NoNotes()).SearchAsync("q", 3, Token));
    }

    private static void OnDisk(string directory, SearchDocument[] documents, SearchDocument changed)
    {
        #region retrieval-disk
        using var search = new LuceneRetriever(new() { Directory = directory, K1 = 1.2, B = 0.75 });
        search.Add(documents);                                        // one commit: pass many at once
        search.Replace(changed);                                      // the document of that id
        search.Delete("city-1");
        #endregion
    }

    private static IRetriever Store(IVectorSearchable<Note> collection)
    {
        #region retrieval-vectordata
        // collection: what any connector of Microsoft.Extensions.VectorData gives, such as a VectorStoreCollection<string, Note>
        IRetriever notes = new VectorDataRetriever<Note>(collection, (note, score) => new Passage(note.Key, note.Title, note.Body, score));
        #endregion
        return notes;
    }

    private sealed record Note(string Key, string Title, string Body);

    private sealed class NoNotes : IVectorSearchable<Note>
    {
        public IAsyncEnumerable<VectorSearchResult<Note>> SearchAsync<TInput>(
            TInput searchValue, int top, VectorSearchOptions<Note>? options = null, CancellationToken cancellationToken = default)
            where TInput : notnull => AsyncEnumerable.Empty<VectorSearchResult<Note>>();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;
    }

    // How often each letter occurs.
    private sealed class Letters : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<GeneratedEmbeddings<Embedding<float>>>(
                [.. values.Select(text => new Embedding<float>(Enumerable.Range('a', 26).Select(letter => (float)text.Count(c => c == letter)).ToArray()))]);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
