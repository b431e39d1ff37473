using System.Numerics.Tensors;

namespace Hone;

/// <summary>
/// Rows of equal length in one buffer. A table never changes: appending gives another one that may share the buffer, behind what this one sees of it.
/// Append only to the newest table.
/// </summary>
internal sealed class VectorTable
{
    private const int SmallestParallelWork = 1 << 19; // floats; below, starting threads costs more than it saves
    private const int BlocksPerThread = 4;

    private readonly float[] values;

    private VectorTable(float[] values, int count, int dimensions) => (this.values, Count, Dimensions) = (values, count, dimensions);

    /// <summary>A table without rows; the first ones decide on the dimensions.</summary>
    public static VectorTable Empty { get; } = new([], 0, 0);

    public int Count { get; }

    /// <summary>Length of a row; 0 while there are none.</summary>
    public int Dimensions { get; }

    public ReadOnlySpan<float> Values => values.AsSpan(0, Count * Dimensions);

    public static VectorTable Wrap(float[] values, int count, int dimensions) => new(values, count, dimensions);

    public ReadOnlySpan<float> Row(int row) => values.AsSpan(row * Dimensions, Dimensions);

    /// <summary>The table with further rows; <paramref name="write"/> fills each.</summary>
    /// <exception cref="HoneException">The table would be larger than an array can be.</exception>
    public VectorTable Append(int rows, int dimensions, Action<int, Span<float>> write)
    {
        var needed = ((long)Count + rows) * dimensions;
        if (needed > Array.MaxLength)
            throw new HoneException(
                $"{Count + (long)rows} vectors of {dimensions} dimensions are more than one index holds ({Array.MaxLength / dimensions}). Divide the documents between several indexes, or use a vector store.");
        var target = values;
        if (needed > target.Length)
        {
            target = GC.AllocateUninitializedArray<float>((int)Math.Clamp(values.Length * 3L / 2, needed, Array.MaxLength));
            Values.CopyTo(target);
        }

        for (var i = 0; i < rows; i++)
            write(i, target.AsSpan((Count + i) * dimensions, dimensions));
        return new(target, Count + rows, dimensions);
    }

    /// <summary>The rows of these numbers, in that order.</summary>
    public VectorTable Take(int[] rows)
    {
        if (rows.Length == 0)
            return Empty;
        var kept = GC.AllocateUninitializedArray<float>(rows.Length * Dimensions);
        for (var i = 0; i < rows.Length; i++)
            Row(rows[i]).CopyTo(kept.AsSpan(i * Dimensions));
        return new(kept, rows.Length, Dimensions);
    }

    /// <summary>The rows of the highest products with a vector, highest first, ties by number.</summary>
    public (float Score, int Row)[] Search(ReadOnlyMemory<float> query, int count, int parallelism, CancellationToken cancellationToken)
    {
        var best = new TopScores(Math.Min(count, Count));
        if (parallelism == 1 || (long)Count * Dimensions < SmallestParallelWork)
        {
            Scan(query.Span, 0, Count, best);
            return best.TakeSorted();
        }

        // A row's score and its place among the best depend on no other row, so the blocks may be cut anywhere.
        var blocks = parallelism * BlocksPerThread;
        var size = (Count + blocks - 1) / blocks;
        Parallel.For(
            0,
            blocks,
            new() { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            () => new TopScores(Math.Min(count, Count)),
            (block, _, mine) =>
            {
                Scan(query.Span, Math.Min(Count, block * size), Math.Min(Count, (block + 1) * size), mine);
                return mine;
            },
            mine =>
            {
                lock (best)
                    best.Merge(mine);
            });
        return best.TakeSorted();
    }

    /// <summary>Offers the given rows.</summary>
    public void Scan(ReadOnlySpan<float> query, ReadOnlySpan<int> rows, TopScores best)
    {
        foreach (var row in rows)
            best.Offer(TensorPrimitives.Dot(Row(row), query), row);
    }

    private void Scan(ReadOnlySpan<float> query, int from, int to, TopScores best)
    {
        for (var row = from; row < to; row++)
            best.Offer(TensorPrimitives.Dot(Row(row), query), row);
    }
}
