using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>
/// The rows of a table in a byte a number, and how far each may be from its row. A search that waits for memory reads these first, a quarter of it; then it scores in full
/// what the bound cannot rule out. What it finds is what a full scan finds, scores and order included.
/// </summary>
/// <remarks>
/// Row x is s·q with whole q of at most 127, and r = |x − s·q|. By Cauchy and Schwarz |x·y − s·q·y| is at most r·|y|; rounding of either sum in single precision adds at
/// most its length times 2⁻²⁴ of |x|·|y|, whatever the order (Higham 2002, 3.1). A row whose upper bound is below the lower bounds of as many others as are wanted is not found.
/// </remarks>
internal sealed class VectorOutline
{
    private const int Largest = 127;
    private const double Rounding = 1.0 / (1 << 24);
    private const double Smallest = 1e-34; // products below it may vanish, in one sum and not in the other

    private readonly sbyte[] steps;
    private readonly float[] sizes; // s, by row
    private readonly float[] bounds; // by row, for a query of length 1
    private readonly int dimensions;

    private VectorOutline(sbyte[] steps, float[] sizes, float[] bounds, int count, int dimensions) =>
        (this.steps, this.sizes, this.bounds, Count, this.dimensions) = (steps, sizes, bounds, count, dimensions);

    public int Count { get; }

    /// <summary>The outline of a table, of which a first part may be known: its buffers are shared where there is room, as those of tables are.</summary>
    public static VectorOutline Of(VectorTable table, VectorOutline? known, int parallelism)
    {
        var (done, dimensions) = (known?.Count ?? 0, table.Dimensions);
        var steps = Grown(known?.steps ?? [], (long)table.Count * dimensions, (long)done * dimensions);
        var sizes = Grown(known?.sizes ?? [], table.Count, done);
        var bounds = Grown(known?.bounds ?? [], table.Count, done);
        VectorTable.InBlocks(
            table.Count - done,
            dimensions,
            parallelism,
            () => new float[dimensions],
            (from, to, rest) =>
            {
                for (var row = done + from; row < done + to; row++)
                    (sizes[row], bounds[row]) = Draw(table.Row(row), steps.AsSpan(row * dimensions, dimensions), rest);
            },
            static _ => { },
            CancellationToken.None);
        return new(steps, sizes, bounds, table.Count, dimensions);
    }

    /// <summary>The rows of the highest products with a vector, highest first, ties by number.</summary>
    public (float Score, int Row)[] Search(VectorTable table, ReadOnlyMemory<float> query, int count, int parallelism, CancellationToken cancellationToken)
    {
        var length = Length(query.Span) * (1 + (16 * Rounding));
        var scores = ArrayPool<float>.Shared.Rent(Count);
        try
        {
            var floor = Scan(query, scores, count, length, parallelism, cancellationToken);
            var best = new TopScores(count);
            for (var row = 0; row < Count; row++)
            {
                if (scores[row] + Bound(row, length) >= floor)
                    best.Offer(TensorPrimitives.Dot(table.Row(row), query.Span), row);
            }

            return best.TakeSorted();
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scores);
        }
    }

    // Scores of the outline; returns what the worst of the best rows has at least.
    private double Scan(ReadOnlyMemory<float> query, float[] scores, int count, double length, int parallelism, CancellationToken cancellationToken)
    {
        var lowest = new TopScores(count);
        VectorTable.InBlocks(
            Count,
            dimensions,
            parallelism,
            () => new TopScores(count),
            (from, to, mine) =>
            {
                for (var row = from; row < to; row++)
                {
                    scores[row] = sizes[row] * Dot(steps.AsSpan(row * dimensions, dimensions), query.Span);
                    mine.Offer((float)(scores[row] - Bound(row, length)), row);
                }
            },
            lowest.Merge,
            cancellationToken);
        var sorted = lowest.TakeSorted();

        // The bounds leave room for this rounding to single precision.
        return sorted.Length < count ? double.NegativeInfinity : sorted[^1].Score;
    }

    private double Bound(int row, double length) => (bounds[row] * length) + Smallest;

    private static (float Size, float Bound) Draw(ReadOnlySpan<float> row, Span<sbyte> target, Span<float> rest)
    {
        var size = Math.Abs(TensorPrimitives.MaxMagnitude(row)) / Largest;
        if (!float.IsNormal(size))
        {
            // Nothing but zeros, or next to it.
            target.Clear();
            return (0, Up(Length(row), row.Length));
        }

        TensorPrimitives.Multiply(row, 1 / size, rest);
        TensorPrimitives.Round(rest, rest);
        TensorPrimitives.ConvertSaturating<float, sbyte>(rest, target);
        TensorPrimitives.FusedMultiplyAdd(rest, -size, row, rest);

        // Squares of numbers that are neither tiny nor huge can be summed in single precision.
        var isPlain = size is > 1e-10f and < 1e10f;
        var (away, norm) = isPlain ? (TensorPrimitives.Norm<float>(rest), TensorPrimitives.Norm(row)) : (Length(rest), Length(row));
        return (size, Up(away + (((2 * row.Length) + 32) * Rounding * (norm + away)), row.Length));
    }

    // More than the value, by what its own computing may have lost.
    private static float Up(double value, int terms) => MathF.BitIncrement((float)(value * (1 + (((2 * terms) + 32) * Rounding))));

    private static double Length(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += (double)value * value;
        return Math.Sqrt(sum);
    }

    private static float Dot(ReadOnlySpan<sbyte> steps, ReadOnlySpan<float> query)
    {
        var (first, second, third, fourth) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        var blocks = MemoryMarshal.Cast<sbyte, Vector<sbyte>>(steps);
        var parts = MemoryMarshal.Cast<float, Vector<float>>(query);
        for (var i = 0; i < blocks.Length; i++)
        {
            Vector.Widen(blocks[i], out var low, out var high);
            Vector.Widen(low, out var a, out var b);
            Vector.Widen(high, out var c, out var d);
            first = Vector.FusedMultiplyAdd(Vector.ConvertToSingle(a), parts[4 * i], first);
            second = Vector.FusedMultiplyAdd(Vector.ConvertToSingle(b), parts[(4 * i) + 1], second);
            third = Vector.FusedMultiplyAdd(Vector.ConvertToSingle(c), parts[(4 * i) + 2], third);
            fourth = Vector.FusedMultiplyAdd(Vector.ConvertToSingle(d), parts[(4 * i) + 3], fourth);
        }

        var sum = Vector.Sum(first + second + (third + fourth));
        for (var i = blocks.Length * Vector<sbyte>.Count; i < steps.Length; i++)
            sum += steps[i] * query[i];
        return sum;
    }

    private static T[] Grown<T>(T[] known, long needed, long used)
    {
        if (needed <= known.Length)
            return known;
        var target = GC.AllocateUninitializedArray<T>((int)Math.Clamp(known.Length * 3L / 2, needed, Array.MaxLength));
        known.AsSpan(0, (int)used).CopyTo(target);
        return target;
    }
}
