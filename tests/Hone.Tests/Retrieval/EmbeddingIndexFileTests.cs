using Microsoft.Extensions.AI;

namespace Hone.Tests.Retrieval;

/// <summary>Saved indexes: whole, or refused with a reason.</summary>
public sealed class EmbeddingIndexFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-embeddings-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string File1 => Path.Combine(folder, "sub", "index.bin");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_SavedIndex_FindsTheSameWithoutEmbeddingAgain(bool approximate)
    {
        var options = new EmbeddingIndexOptions { Approximate = approximate ? new() { Threshold = 100, Probes = 2 } : null };
        using var saved = await EmbeddingIndex.CreateAsync(Documents(300), new CloudGenerator(), options, Token);
        await saved.RemoveAsync(["d7"], Token);
        await saved.SaveAsync(File1, Token);

        var generator = new CloudGenerator();
        using var loaded = await EmbeddingIndex.LoadAsync(File1, generator, options, Token);
        Assert.Equal(0, generator.Requests);
        Assert.Equal((299, 16, approximate), (loaded.Count, loaded.Dimensions, loaded.IsApproximate));
        for (var query = 0; query < 20; query++)
            Assert.Equal(await saved.SearchAsync($"{query} 999", 10, Token), await loaded.SearchAsync($"{query} 999", 10, Token));
        await loaded.AddAsync([new("", "1 1")], Token);
        Assert.Contains(await loaded.SearchAsync("1 1", 300, Token), passage => passage.Id == "300"); // numbering goes on
    }

    [Fact]
    public async Task Load_Empty_IsEmpty()
    {
        using var saved = new EmbeddingIndex(new CloudGenerator());
        await saved.SaveAsync(File1, Token);
        using var loaded = await EmbeddingIndex.LoadAsync(File1, new CloudGenerator(4), cancellationToken: Token);
        Assert.Equal(0, loaded.Count);
        await loaded.AddAsync(Documents(3), Token);
        Assert.Equal(4, loaded.Dimensions);
    }

    [Fact]
    public async Task Load_OtherModel_IsRefusedByName()
    {
        await SaveAsync();
        Assert.Contains("'clouds'", await RefusalAsync(new CloudGenerator(model: "others")), StringComparison.Ordinal);
        Assert.Contains("'mine'", await RefusalAsync(new CloudGenerator(model: null), new() { ModelId = "mine" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_OtherOptions_AreRefusedByName()
    {
        await SaveAsync();
        Assert.Contains("Normalize", await RefusalAsync(new CloudGenerator(), new() { Normalize = false }), StringComparison.Ordinal);
        Assert.Contains("QueryPrefix", await RefusalAsync(new CloudGenerator(), new() { QueryPrefix = "query: " }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_OtherDimensions_AreRefusedAtOnceWhenTold_ElseAtTheQuery()
    {
        await SaveAsync();
        using var unnamed = await EmbeddingIndex.LoadAsync(File1, new CloudGenerator(8, model: null), cancellationToken: Token);
        Assert.Contains("8 dimensions", (await Assert.ThrowsAsync<HoneException>(() => unnamed.SearchAsync("1 1", 1, Token))).Message, StringComparison.Ordinal);
        using var told = new EmbeddingGeneratorBuilder<string, Embedding<float>>(new CloudGenerator(8)).Use((inner, _) => new Sized(inner)).Build();
        Assert.Contains("16 dimensions", await RefusalAsync(told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_DamagedAnywhere_IsRefused()
    {
        await SaveAsync();
        var whole = await File.ReadAllBytesAsync(File1, Token);
        var random = new Random(3);
        for (var i = 0; i < 60; i++)
        {
            var damaged = i % 2 == 0 ? whole[..random.Next(whole.Length)] : whole.ToArray();
            if (i % 2 == 1)
                damaged[random.Next(whole.Length)] ^= (byte)random.Next(1, 256);
            await File.WriteAllBytesAsync(File1, damaged, Token);
            Assert.Contains(File1, await RefusalAsync(new CloudGenerator()), StringComparison.Ordinal);
        }

        File.Delete(File1);
        Assert.Contains(File1, await RefusalAsync(new CloudGenerator()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_Cancelled_KeepsTheOlderFile()
    {
        await SaveAsync();
        var before = await File.ReadAllBytesAsync(File1, Token);
        using var larger = await EmbeddingIndex.CreateAsync(Documents(50), new CloudGenerator(), cancellationToken: Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => larger.SaveAsync(File1, new CancellationToken(canceled: true)));
        Assert.Equal(before, await File.ReadAllBytesAsync(File1, Token));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(File1)!));
    }

    private static SearchDocument[] Documents(int count) => [.. Enumerable.Range(0, count).Select(i => new SearchDocument("", $"{i % 20} {i}", $"d{i}"))];

    private async Task SaveAsync()
    {
        using var index = await EmbeddingIndex.CreateAsync(Documents(30), new CloudGenerator(), cancellationToken: Token);
        await index.SaveAsync(File1, Token);
    }

    private async Task<string> RefusalAsync(IEmbeddingGenerator<string, Embedding<float>> generator, EmbeddingIndexOptions? options = null) =>
        (await Assert.ThrowsAsync<HoneException>(() => EmbeddingIndex.LoadAsync(File1, generator, options, Token))).Message;

    private sealed class Sized(IEmbeddingGenerator<string, Embedding<float>> inner) : DelegatingEmbeddingGenerator<string, Embedding<float>>(inner)
    {
        public override object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("test", null, "clouds", 8) : base.GetService(serviceType, serviceKey);
    }
}
