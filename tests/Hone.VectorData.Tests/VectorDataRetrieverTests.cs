using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace Hone.VectorData.Tests;

/// <summary>A collection of a vector store behind <see cref="IRetriever"/>.</summary>
public sealed class VectorDataRetrieverTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Search_StoreThatEmbeds_GivesPassagesInItsOrder()
    {
        using var shelf = await ShelfAsync(new(Embed));
        IRetriever retriever = new VectorDataRetriever<Book>(shelf, ToPassage);
        var found = await retriever.SearchAsync("1 0", 2, Token);
        Assert.Equal([new Passage("1", "east", "a", 1), new Passage("3", "north-east", "c", found[1].Score)], found);
        Assert.Equal(Math.Sqrt(0.5), found[1].Score, 1e-6);
        Assert.Equal(3, (await retriever.SearchAsync("1 0", 100, Token)).Count);
        Assert.Empty(await retriever.SearchAsync("1 0", 0, Token));
    }

    [Fact]
    public async Task Search_StoreThatCannotEmbed_UsesTheGenerator()
    {
        using var shelf = await ShelfAsync(new());
        using var generator = new Plane();
        var retriever = new VectorDataRetriever<Book>(shelf, ToPassage, new() { Generator = generator });
        Assert.Equal(["north", "north-east"], (await retriever.SearchAsync("0 1", 2, Token)).Select(each => each.Title));
        var without = new VectorDataRetriever<Book>(shelf, ToPassage);
        var error = await Assert.ThrowsAsync<RetrievalException>(() => without.SearchAsync("0 1", 2, Token));
        Assert.Contains("Generator", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsRetryable);
    }

    [Fact]
    public async Task Search_Filter_LooksAtMatchingRecordsOnly()
    {
        using var shelf = await ShelfAsync(new(Embed));
        var retriever = new VectorDataRetriever<Book>(shelf, ToPassage, new() { Filter = book => book.Key > 1 });
        Assert.Equal(["north-east", "north"], (await retriever.SearchAsync("1 0", 9, Token)).Select(each => each.Title));
    }

    [Fact]
    public async Task Search_StoreFails_IsARetryableErrorWithTheCause()
    {
        using var shelf = await ShelfAsync(new(Embed));
        shelf.Failure = new VectorStoreException("connection lost");
        var error = await Assert.ThrowsAsync<RetrievalException>(() => new VectorDataRetriever<Book>(shelf, ToPassage).SearchAsync("1 0", 1, Token));
        Assert.True(error.IsRetryable);
        Assert.Same(shelf.Failure, error.InnerException);
    }

    [Fact]
    public async Task Search_Cancelled_IsACancellation()
    {
        using var shelf = await ShelfAsync(new(Embed));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new VectorDataRetriever<Book>(shelf, ToPassage).SearchAsync("1 0", 1, new CancellationToken(canceled: true)));
    }

    private static Passage ToPassage(Book book, double score) => new($"{book.Key}", book.Title, book.Text, score);

    private static async Task<ShelfCollection> ShelfAsync(ShelfCollection shelf)
    {
        await shelf.UpsertAsync(
            [
                new() { Key = 1, Title = "east", Text = "a", Vector = new float[] { 1, 0 } },
                new() { Key = 2, Title = "north", Text = "b", Vector = new float[] { 0, 1 } },
                new() { Key = 3, Title = "north-east", Text = "c", Vector = new float[] { 1, 1 } },
            ],
            Token);
        return shelf;
    }

    private static ReadOnlyMemory<float> Embed(string text) => text.Split(' ').Select(float.Parse).ToArray();

    private sealed class Plane : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<GeneratedEmbeddings<Embedding<float>>>([.. values.Select(text => new Embedding<float>(Embed(text)))]);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
