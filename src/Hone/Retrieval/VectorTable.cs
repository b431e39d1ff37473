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
    private const int SmallestOutlined = 1 << 21; // floats; fewer lie in the processor's caches
    private const int LargestShareOutlined = 16; // of the rows; more results leave too little to rule out

    private readonly float[] values;
    private readonly VectorOutline? known; // of the first rows
    private readonly Lock drawing = new();
    private VectorOutline? outline;

    private VectorTable(float[] values, int count, int dimensions, VectorOutline? known = null) =>
        (this.values, Count, Dimensions, this.known) = (values, count, dimensions, known);

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
        return new(target, Count + rows, dimensions, Volatile.Read(ref outline) ?? known);
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
        if ((long)Count * Dimensions >= SmallestOutlined && count <= Count / LargestShareOutlined)
            return Outline(parallelism).Search(this, query, count, parallelism, cancellationToken);
        var best = new TopScores(Math.Min(count, Count));
        InBlocks(Count, Dimensions, parallelism, () => new TopScores(Math.Min(count, Count)), (from, to, mine) => Scan(query.Span, from, to, mine), best.Merge, cancellationToken);
        return best.TakeSorted();
    }

    /// <summary>Goes over rows in blocks, side by side where that pays, and joins what came of them.</summary>
    /// <remarks>A row's score and its place among the best depend on no other row, so the blocks may be cut anywhere.</remarks>
    public static void InBlocks<T>(int count, int dimensions, int parallelism, Func<T> begin, Action<int, int, T> work, Action<T> join, CancellationToken cancellationToken)
    {
        if (parallelism == 1 || (long)count * dimensions < SmallestParallelWork)
        {
            var all = begin();
            work(0, count, all);
            join(all);
            return;
        }

        var (blocks, gate) = (parallelism * BlocksPerThread, new Lock());
        var size = (count + blocks - 1) / blocks;
        Parallel.For(
            0,
            blocks,
            new() { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            begin,
            (block, _, mine) =>
            {
                work(Math.Min(count, block * size), Math.Min(count, (block + 1) * size), mine);
                return mine;
            },
            mine =>
            {
                lock (gate)
                    join(mine);
            });
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

    // Made at the first search that is worth it; then each further row is added to it.
    private VectorOutline Outline(int parallelism)
    {
        if (Volatile.Read(ref outline) is { } made)
            return made;
        lock (drawing)
            return outline ??= VectorOutline.Of(this, known, parallelism);
    }
}
