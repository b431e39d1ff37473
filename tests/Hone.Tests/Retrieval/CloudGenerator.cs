using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Retrieval;

/// <summary>
/// A deterministic embedding model: the text "C N" (or "C | N") lies near the centre of cloud C, a text that is a list of numbers is that vector. It counts what it is asked.
/// </summary>
internal sealed class CloudGenerator(int dimensions = 16, string? model = "clouds") : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly Lock gate = new();
    private readonly List<string> texts = [];
    private int running;

    public int Requests { get; private set; }

    public int MostRunning { get; private set; }

    public IReadOnlyList<string> Texts
    {
        get
        {
            lock (gate)
                return [.. texts];
        }
    }

    /// <summary>Waited for by each request; for tests of concurrency.</summary>
    public Func<string[], Task> Before { get; set; } = _ => Task.CompletedTask;

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        string[] batch = [.. values];
        lock (gate)
        {
            Requests++;
            texts.AddRange(batch);
            MostRunning = Math.Max(MostRunning, ++running);
        }

        await Before(batch);
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
            running--;
        return [.. batch.Select(text => new Embedding<float>(Vector(text)))];
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(EmbeddingGeneratorMetadata) && model is not null ? new EmbeddingGeneratorMetadata("test", new("http://localhost/"), model) : null;

    public void Dispose()
    {
    }

    private float[] Vector(string text)
    {
        if (text.Contains(';', StringComparison.Ordinal))
            return [.. text.Split(';').Select(number => float.Parse(number, CultureInfo.InvariantCulture))];
        var numbers = text.Replace(" | ", " ", StringComparison.Ordinal).Split(' ').Select(int.Parse).ToArray();
        var (centre, noise) = (new Random(numbers[0]), new Random((numbers[0] * 7919) + numbers[1] + 1));
        return [.. Enumerable.Range(0, dimensions).Select(_ => (float)((centre.NextDouble() - 0.5) + (0.5 * (noise.NextDouble() - 0.5))))];
    }
}
