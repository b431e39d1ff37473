using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Asks an embedding generator for the vectors of many texts, in batches, several at once, and checks what it gives.</summary>
internal static class EmbeddingBatches
{
    /// <summary>As many texts as servers take in one request; that of the reference.</summary>
    public const int DefaultSize = 200;

    /// <summary>The vectors of texts in the order of the texts, whatever the number of requests at once.</summary>
    /// <param name="generator">Makes the vectors.</param>
    /// <param name="texts">What they are made of.</param>
    /// <param name="size">Most texts a request.</param>
    /// <param name="concurrency">Most requests at once.</param>
    /// <param name="cancellationToken">Stops the requests.</param>
    /// <exception cref="HoneException">There is not one vector a text, or they are empty or differ in length.</exception>
    public static async Task<ReadOnlyMemory<float>[]> EmbedAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, int size, int concurrency, CancellationToken cancellationToken)
    {
        var vectors = new ReadOnlyMemory<float>[texts.Length];
        var starts = Enumerable.Range(0, (texts.Length + size - 1) / size).Select(batch => batch * size);
        if (concurrency == 1 || texts.Length <= size)
        {
            foreach (var start in starts)
                await EmbedBatchAsync(start, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(starts, options, async (start, token) => await EmbedBatchAsync(start, token).ConfigureAwait(false)).ConfigureAwait(false);
        }

        for (var i = 0; i < vectors.Length; i++)
        {
            if (vectors[i].IsEmpty)
                throw new HoneException("The embedding generator gave an empty vector.");
            if (vectors[i].Length != vectors[0].Length)
                throw new HoneException($"The embedding generator gave vectors of several lengths: {vectors[0].Length} and {vectors[i].Length}.");
        }

        return vectors;

        async Task EmbedBatchAsync(int start, CancellationToken token)
        {
            var batch = texts[start..Math.Min(start + size, texts.Length)];
            var embeddings = await generator.GenerateAsync(batch, null, token).ConfigureAwait(false);
            if (embeddings.Count != batch.Length)
                throw new HoneException($"The embedding generator gave {embeddings.Count} vectors for {batch.Length} texts; it must give one a text.");
            for (var i = 0; i < batch.Length; i++)
                vectors[start + i] = embeddings[i].Vector;
        }
    }

    /// <summary>Writes a vector at length 1, so that a product is a cosine; one of zeros stays as it is.</summary>
    public static void Normalize(ReadOnlySpan<float> vector, Span<float> destination)
    {
        var squares = 0d;
        foreach (var value in vector)
            squares += (double)value * value;
        if (squares == 0)
        {
            vector.CopyTo(destination);
            return;
        }

        var length = Math.Sqrt(squares);
        for (var i = 0; i < vector.Length; i++)
            destination[i] = (float)(vector[i] / length);
    }

    /// <summary>False when a value is infinite or no number; of vectors that keep their length also when a product of two could be.</summary>
    public static bool IsUsable(ReadOnlySpan<float> vector, bool normalizes) =>
        TensorPrimitives.IsFiniteAll(vector) && (normalizes || float.IsFinite(TensorPrimitives.SumOfSquares(vector)));
}
