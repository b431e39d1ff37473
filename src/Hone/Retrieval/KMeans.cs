using System.Numerics.Tensors;

namespace Hone;

/// <summary>
/// Lloyd's k-means on a seeded sample. Assignments are made side by side, sums in the order of the rows: the same centres at any degree of parallelism.
/// </summary>
internal sealed class KMeans
{
    private const int Iterations = 8;
    private const int SamplesPerCentre = 64;
    private const int RowsPerBlock = 512;

    private readonly float[] centres;
    private readonly float[] halfSquares; // |c|² / 2

    private KMeans(float[] centres, int dimensions)
    {
        (this.centres, Dimensions, Count) = (centres, dimensions, centres.Length / dimensions);
        halfSquares = new float[Count];
        UpdateSquares();
    }

    public int Count { get; }

    public int Dimensions { get; }

    public ReadOnlySpan<float> Centres => centres;

    public static KMeans Wrap(float[] centres, int dimensions) => new(centres, dimensions);

    /// <summary>Learns the centres.</summary>
    /// <param name="table">The rows.</param>
    /// <param name="count">Number of centres; at most as many as there are rows.</param>
    /// <param name="isSpherical">
    /// True for rows of length 1: the centres get that length, too. Else a mean of many different rows, being short, is near to everything and draws most rows to itself.
    /// </param>
    /// <param name="seed">Chooses the sample and where the centres start.</param>
    /// <param name="parallelism">Most threads.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public static KMeans Train(VectorTable table, int count, bool isSpherical, long seed, int parallelism, CancellationToken cancellationToken)
    {
        var random = new SeedStream(seed).Derive("k-means").CreateRandom();
        var sample = Sample(table.Count, (int)Math.Min(table.Count, (long)count * SamplesPerCentre), random);
        var start = Sample(sample.Length, count, random);
        var centres = new float[count * table.Dimensions];
        for (var i = 0; i < count; i++)
            table.Row(sample[start[i]]).CopyTo(centres.AsSpan(i * table.Dimensions));
        var means = new KMeans(centres, table.Dimensions);
        var assigned = new int[sample.Length];
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            means.Assign(table, sample, assigned, parallelism, cancellationToken);
            means.Move(table, sample, assigned, isSpherical);
        }

        return means;
    }

    /// <summary>The nearest centre of each row.</summary>
    public void Assign(VectorTable table, int[] rows, int[] nearest, int parallelism, CancellationToken cancellationToken) =>
        Parallel.For(
            0,
            (rows.Length + RowsPerBlock - 1) / RowsPerBlock,
            new() { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            block =>
            {
                for (var i = block * RowsPerBlock; i < Math.Min(rows.Length, (block + 1) * RowsPerBlock); i++)
                    nearest[i] = Nearest(table.Row(rows[i]));
            });

    /// <summary>How near each centre is to a vector: the greater, the nearer.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="byDistance">By distance, or else by the product alone: of vectors of any length, the best products are where the product with the centre is high.</param>
    /// <param name="scores">One for each centre.</param>
    public void Score(ReadOnlySpan<float> vector, bool byDistance, Span<float> scores)
    {
        for (var i = 0; i < Count; i++)
            scores[i] = TensorPrimitives.Dot(vector, Centre(i)) - (byDistance ? halfSquares[i] : 0);
    }

    private Span<float> Centre(int index) => centres.AsSpan(index * Dimensions, Dimensions);

    private int Nearest(ReadOnlySpan<float> vector)
    {
        var (best, nearest) = (float.NegativeInfinity, 0);
        for (var i = 0; i < Count; i++)
        {
            var score = TensorPrimitives.Dot(vector, Centre(i)) - halfSquares[i];
            if (score > best)
                (best, nearest) = (score, i);
        }

        return nearest;
    }

    // A centre without rows stays where it is: it started on a row, so equal rows are the usual reason.
    private void Move(VectorTable table, int[] rows, int[] nearest, bool isSpherical)
    {
        var sums = new float[centres.Length];
        var sizes = new int[Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var sum = sums.AsSpan(nearest[i] * Dimensions, Dimensions);
            TensorPrimitives.Add(sum, table.Row(rows[i]), sum);
            sizes[nearest[i]]++;
        }

        for (var i = 0; i < Count; i++)
        {
            var sum = sums.AsSpan(i * Dimensions, Dimensions);
            if (sizes[i] == 0)
                continue;
            if (isSpherical)
                EmbeddingBatches.Normalize(sum, Centre(i));
            else
                TensorPrimitives.Divide(sum, sizes[i], Centre(i));
        }

        UpdateSquares();
    }

    private void UpdateSquares()
    {
        for (var i = 0; i < Count; i++)
            halfSquares[i] = TensorPrimitives.SumOfSquares<float>(Centre(i)) / 2;
    }

    // Distinct numbers below a bound, ascending: the beginning of a shuffle.
    private static int[] Sample(int bound, int count, Random random)
    {
        var numbers = Enumerable.Range(0, bound).ToArray();
        for (var i = 0; i < count; i++)
        {
            var other = random.Next(i, bound);
            (numbers[i], numbers[other]) = (numbers[other], numbers[i]);
        }

        var sample = numbers[..count];
        Array.Sort(sample);
        return sample;
    }
}
