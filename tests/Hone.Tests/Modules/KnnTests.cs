using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules;

public sealed class KnnTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FindAsync_GoesByTheCosine_NotByLength()
    {
        // A long vector in another direction has the greater product.
        var generator = new Table(("input: a", [1, 0]), ("input: b", [10, 10]), ("input: q", [1, 0.1f]));
        var knn = await Knn.CreateAsync([Of("b"), Of("a")], generator, 1, cancellationToken: Token);

        Assert.Equal("a", Assert.Single(await knn.CallAsync("q", Token)).Input);
    }

    [Fact]
    public async Task FindAsync_Ties_GoToTheEarlier()
    {
        var generator = new Table(("input: a", [0, 1]), ("input: b", [2, 0]), ("input: c", [1, 0]), ("input: d", [0, 0]), ("input: q", [1, 0]));
        var knn = await Knn.CreateAsync([Of("a"), Of("b"), Of("c"), Of("d")], generator, cancellationToken: Token);

        Assert.Equal(["b", "c", "a", "d"], (await knn.FindAsync("q", 9, Token)).Select(example => example.Input));
        Assert.Equal(["b", "c", "a"], (await knn.CallAsync("q", Token)).Select(example => example.Input));
    }

    /// <summary>D28: one example is enough.</summary>
    [Fact]
    public async Task D28_OneExample_IsFound()
    {
        var knn = await Knn.CreateAsync([Of("a")], new Table(("input: a", [1]), ("input: q", [1])), cancellationToken: Token);

        Assert.Equal("a", Assert.Single(await knn.CallAsync("q", Token)).Input);
        var error = await Assert.ThrowsAsync<HoneException>(() => Knn.CreateAsync<string, string>([], new Table(), cancellationToken: Token));
        Assert.Contains("at least one", error.Message, StringComparison.Ordinal);
    }

    /// <summary>D28: examples and queries are written in the order of the signature, whatever order they hold their fields in.</summary>
    [Fact]
    public async Task D28_Fields_AreInTheOrderOfTheSignature()
    {
        var generator = new Table(("claim: c | facts: [\"f\"]", [1]));
        var example = new Example<FieldMap, string>(FieldMap.Of(("facts", ClrValues.List(["f"])), ("claim", "c")), "x");
        var knn = await Knn.CreateAsync([example], generator, 1, Signature.Parse("claim, facts: list[str] -> answer"), Token);
        Assert.Single(await knn.CallAsync(FieldMap.Of(("claim", "c"), ("facts", ClrValues.List(["f"]))), Token));

        var error = await Assert.ThrowsAsync<HoneException>(() => Knn.CreateAsync([example], generator, cancellationToken: Token));
        Assert.Contains("needs a signature", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task Vectors_ThatAreNotFinite_AreRefusedByTheirText(float value)
    {
        var generator = new Table(("input: a", [1, 0]), ("input: b", [value, 0]));
        var made = await Assert.ThrowsAsync<HoneException>(() => Knn.CreateAsync([Of("a"), Of("b")], generator, cancellationToken: Token));
        Assert.Contains("The embedding of \"input: b\" has values that are no finite numbers.", made.Message, StringComparison.Ordinal);

        var knn = await Knn.CreateAsync([Of("a")], generator, cancellationToken: Token);
        await Assert.ThrowsAsync<HoneException>(() => knn.CallAsync("b", Token));
    }

    [Fact]
    public async Task CreateAsync_ManyExamples_AreEmbeddedInBatches()
    {
        var generator = new Table();
        await Knn.CreateAsync([.. Enumerable.Range(0, 450).Select(i => Of($"{i}"))], generator, cancellationToken: Token);

        Assert.Equal([200, 200, 50], generator.Batches);
    }

    private static Example<string, string> Of(string input) => new(input, input);

    private sealed class Table(params (string Text, float[] Vector)[] vectors) : IEmbeddingGenerator<string, Embedding<float>>
    {
        public List<int> Batches { get; } = [];

        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            string[] texts = [.. values];
            Batches.Add(texts.Length);
            return Task.FromResult<GeneratedEmbeddings<Embedding<float>>>(
                [.. texts.Select(text => new Embedding<float>(vectors.Length == 0 ? [1] : vectors.Single(entry => entry.Text == text).Vector))]);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
