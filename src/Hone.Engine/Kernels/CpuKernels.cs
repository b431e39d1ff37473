using System.Numerics.Tensors;

namespace Hone.Engine;

/// <summary>The reference: <see cref="VectorKernels"/> over the rows of a microbatch, on the calling thread. Holds nothing and is shared freely.</summary>
internal sealed unsafe partial class CpuKernels(VectorKernels vectors) : IKernels
{
    private const int LineFloats = 16;

    /// <summary>The widest that this machine supports.</summary>
    public static CpuKernels Best { get; } = new(VectorKernels.Best);

    public string Name => vectors.Name;

    /// <summary>The arithmetic on rows.</summary>
    public VectorKernels Vectors => vectors;

    public bool IsHost => true;

    // Large enough for the matrix kernels, small enough for the second-level cache.
    public int MicrobatchRows => 1024;

    // Larger heads are computed in chunks of rows and again in the backward pass.
    public long MaxLogits { get; init; } = 1 << 26;

    public FloatBuffer Allocate(long length) => new NativeBuffer(length);

    public void Zero(float* target, long length) => new Span<float>(target, checked((int)length)).Clear();

    public void CopyIn(ReadOnlySpan<float> source, float* target) => source.CopyTo(new Span<float>(target, source.Length));

    public void CopyOut(float* source, Span<float> target) => new ReadOnlySpan<float>(source, target.Length).CopyTo(target);

    public void Copy(float* source, float* target, long length) =>
        new ReadOnlySpan<float>(source, checked((int)length)).CopyTo(new Span<float>(target, (int)length));

    public void CopyRows(int rows, int columns, float* source, nint sourceStride, float* target, nint targetStride)
    {
        for (var row = 0; row < rows; row++, source += sourceStride, target += targetStride)
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(target, columns));
    }

    public void Add(float* target, float* source, long length) => vectors.Add(target, source, checked((int)length));

    public void AddColumnSums(int rows, int columns, float* source, nint stride, float* target) =>
        vectors.AddColumnSums(source, stride, rows, columns, target);

    public long PackedLength(int outputs, int inputs) => vectors.PackedLength(outputs, inputs);

    public void Pack(in Projection weight) => vectors.PackTransposed(weight.Matrix, weight.Inputs, weight.Outputs, weight.Inputs, weight.Packed);

    public void Project(int rows, float* x, in Projection weight, float* y, float* initial = null, nint initialStride = 0) => vectors.Multiply(
        rows, weight.Outputs, weight.Inputs, new MatrixView(x, weight.Inputs),
        weight.Frozen is { } frozen ? frozen.Panels.View : vectors.Packed(weight.Packed, weight.Inputs), y, weight.Outputs, initial, initialStride);

    public void ProjectBack(int rows, float* dy, in Projection weight, float* dx)
    {
        if (weight.Frozen is null)
        {
            vectors.Multiply(
                rows, weight.Inputs, weight.Outputs, new MatrixView(dy, weight.Outputs), vectors.RowMajor(weight.Matrix, weight.Inputs), dx,
                weight.Inputs);
            return;
        }

        // The sum goes on from part to part: the same as over one matrix.
        float* initial = null;
        foreach (ref readonly var part in weight.Frozen.Parts.AsSpan())
        {
            var rowsOfPart = part.Format == WeightFormat.Float32
                ? vectors.RowMajor((float*)part.Data, part.Columns) : vectors.RowMajor((ushort*)part.Data, part.Columns);
            vectors.Multiply(
                rows, weight.Inputs, part.Rows, new MatrixView(dy, weight.Outputs), rowsOfPart, dx, weight.Inputs, initial, weight.Inputs);
            initial = dx;
            dy += part.Rows;
        }
    }

    public void AddWeightGradient(int rows, int outputs, int inputs, float* dy, nint stride, float* x, float* dw) => vectors.Multiply(
        outputs, inputs, rows, new MatrixView(dy, 1, stride), vectors.RowMajor(x, inputs), dw, inputs, dw, inputs);

    public void AddLowRank(in LowRankUpdate update, float* target) => AddLowRankTo(update, target);

    /// <summary>As <see cref="IKernels.AddLowRank"/>.</summary>
    public static void AddLowRankTo(in LowRankUpdate update, float* target)
    {
        var (inputs, rank) = (update.Inputs, update.Rank);
        for (var row = 0; row < update.Outputs; row++)
        {
            var line = new Span<float>(target + (nint)row * inputs, inputs);
            for (var k = 0; k < rank; k++)
                TensorPrimitives.MultiplyAdd(
                    new ReadOnlySpan<float>(update.Down + (nint)k * inputs, inputs), update.Scale * update.Up[(nint)row * rank + k], line, line);
        }
    }

    // Panels of A, then [rows, rank] twice and [rank, outputs].
    public long LowRankScratch(in LowRankUpdate update, int rows) =>
        LowRankPanels(update) + (2L * rows + update.Outputs) * update.Rank;

    public void AddLowRankGradient(in LowRankUpdate update, int rows, float* dy, nint stride, float* x, float* dDown, float* dUp, float* scratch)
    {
        var (rank, inputs, outputs) = (update.Rank, update.Inputs, update.Outputs);
        var narrow = scratch + LowRankPanels(update);
        float* projected = narrow, projectedGradient = narrow + (nint)rows * rank, upTransposed = narrow + 2 * (nint)rows * rank;
        vectors.PackTransposed(update.Down, inputs, rank, inputs, scratch);
        vectors.Multiply(rows, rank, inputs, new MatrixView(x, inputs), vectors.Packed(scratch, inputs), projected, rank);
        vectors.Multiply(rows, rank, outputs, new MatrixView(dy, stride), vectors.RowMajor(update.Up, rank), projectedGradient, rank);
        vectors.Scale(narrow, update.Scale, 2 * rows * rank);
        vectors.AddLowRankProducts(update, rows, dy, stride, x, projected, projectedGradient, dDown, dUp, upTransposed);
    }

    public double SumOfSquares(float* values, long length) => vectors.SumOfSquares(values, length);

    public void AdamW(float* weights, float* gradients, float* firstMoments, float* secondMoments, long length, in AdamWUpdate update) =>
        vectors.AdamW(weights, gradients, firstMoments, secondMoments, checked((int)length), update);

    private long LowRankPanels(in LowRankUpdate update) =>
        (vectors.PackedLength(update.Rank, update.Inputs) + LineFloats - 1) / LineFloats * LineFloats;
}
