using System.Linq.Expressions;
using System.Numerics.Tensors;
using Microsoft.Extensions.VectorData;

namespace Hone.VectorData.Tests;

/// <summary>A record of the collection.</summary>
public sealed class Book
{
    /// <summary>Key.</summary>
    public required int Key { get; init; }

    /// <summary>Title.</summary>
    public required string Title { get; init; }

    /// <summary>Text.</summary>
    public string Text { get; init; } = "";

    /// <summary>Vector.</summary>
    public ReadOnlyMemory<float> Vector { get; init; }
}

/// <summary>A small collection that does what the abstraction asks: keeps records by key and searches them by vector, or by text when it can embed.</summary>
internal sealed class ShelfCollection(Func<string, ReadOnlyMemory<float>>? embed = null) : VectorStoreCollection<int, Book>
{
    private readonly SortedDictionary<int, Book> books = [];

    public override string Name => "shelf";

    /// <summary>Thrown by searches.</summary>
    public Exception? Failure { get; set; }

    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => Task.FromResult(true);

    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default)
    {
        books.Clear();
        return Task.CompletedTask;
    }

    public override Task<Book?> GetAsync(int key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(books.GetValueOrDefault(key));

    public override IAsyncEnumerable<Book> GetAsync(
        Expression<Func<Book, bool>> filter, int top, FilteredRecordRetrievalOptions<Book>? options = null, CancellationToken cancellationToken = default) =>
        books.Values.Where(filter.Compile()).Take(top).ToAsyncEnumerable();

    public override Task DeleteAsync(int key, CancellationToken cancellationToken = default)
    {
        books.Remove(key);
        return Task.CompletedTask;
    }

    public override Task UpsertAsync(Book record, CancellationToken cancellationToken = default)
    {
        books[record.Key] = record;
        return Task.CompletedTask;
    }

    public override Task UpsertAsync(IEnumerable<Book> records, CancellationToken cancellationToken = default) =>
        Task.WhenAll(records.Select(record => UpsertAsync(record, cancellationToken)));

    public override async IAsyncEnumerable<VectorSearchResult<Book>> SearchAsync<TInput>(
        TInput searchValue,
        int top,
        VectorSearchOptions<Book>? options = null,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var vector = searchValue switch
        {
            ReadOnlyMemory<float> given => given,
            string text when embed is not null => embed(text),
            _ => throw new NotSupportedException($"The collection has no generator for {typeof(TInput).Name}."),
        };
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        if (Failure is not null)
            throw Failure;
        var found = books.Values.Where(options?.Filter?.Compile() ?? (_ => true))
            .Select(book => new VectorSearchResult<Book>(book, TensorPrimitives.CosineSimilarity(book.Vector.Span, vector.Span)))
            .OrderByDescending(result => result.Score).Take(top);
        foreach (var result in found)
            yield return result;
    }

    public override object? GetService(Type serviceType, object? serviceKey = null) => null;
}
