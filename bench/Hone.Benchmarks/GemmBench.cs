using System.Numerics.Tensors;
using Hone.Engine;
using MathNet.Numerics.LinearAlgebra;

namespace Hone.Benchmarks;

/// <summary>Matrix products on one core, beside what a .NET user has otherwise: MathNet.Numerics' managed provider and TensorPrimitives.Dot row by row.</summary>
internal static unsafe class GemmBench
{
    private static readonly (int Rows, int Columns, int Depth)[] Shapes = [(1024, 1024, 1024), (32, 384, 128), (256, 1024, 256), (1024, 768, 128), (1, 4096, 1024)];

    public static void Run(Figures figures, bool quick)
    {
        MathNet.Numerics.Control.UseSingleThread();
        foreach (var (rows, columns, depth) in Shapes)
        {
            var ours = Ours(rows, columns, depth);
            if ((rows, columns) == (1024, 1024))
                figures.Add("gemm_gflops_per_core", ours, VectorKernels.Best.Name);
            if (quick)
                break;
            figures.Add($"gemm_{rows}x{columns}x{depth}", ours, "GFLOP/s, one core");
            figures.Add($"gemm_{rows}x{columns}x{depth}_mathnet", MathNetProduct(rows, columns, depth), "GFLOP/s, MathNet managed, one core");
            figures.Add($"gemm_{rows}x{columns}x{depth}_tensorprimitives", DotProducts(rows, columns, depth), "GFLOP/s, TensorPrimitives.Dot, one core");
        }
    }

    private static double Ours(int rows, int columns, int depth)
    {
        var kernels = VectorKernels.Best;
        using var a = Random(rows * depth);
        using var weights = Random(columns * depth);
        using var panels = new NativeBuffer(kernels.PackedLength(columns, depth));
        using var c = new NativeBuffer(rows * columns);
        kernels.PackTransposed(weights.Pointer, depth, columns, depth, panels.Pointer);
        var (pa, pp, pc) = ((nint)a.Pointer, (nint)panels.Pointer, (nint)c.Pointer);
        return Rate(rows, columns, depth, () => kernels.Multiply(
            rows, columns, depth, new MatrixView((float*)pa, depth), kernels.Packed((float*)pp, depth), (float*)pc, columns));
    }

    private static double MathNetProduct(int rows, int columns, int depth)
    {
        var a = Matrix<float>.Build.Random(rows, depth, 1);
        var b = Matrix<float>.Build.Random(depth, columns, 2);
        var c = Matrix<float>.Build.Dense(rows, columns);
        return Rate(rows, columns, depth, () => a.Multiply(b, c));
    }

    private static double DotProducts(int rows, int columns, int depth)
    {
        var random = new Random(1);
        float[] Fill(int length) => [.. Enumerable.Range(0, length).Select(_ => random.NextSingle())];
        var (a, b, c) = (Fill(rows * depth), Fill(columns * depth), new float[rows * columns]);
        return Rate(rows, columns, depth, () =>
        {
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                    c[(row * columns) + column] = TensorPrimitives.Dot<float>(a.AsSpan(row * depth, depth), b.AsSpan(column * depth, depth));
            }
        });
    }

    private static double Rate(int rows, int columns, int depth, Action product)
    {
        var operations = 2.0 * rows * columns * depth;
        var inner = Math.Max(1, (int)(2e8 / operations));
        var seconds = Clock.Best(8, () =>
        {
            for (var i = 0; i < inner; i++)
                product();
        });
        return operations * inner / seconds / 1e9;
    }

    private static NativeBuffer Random(int length)
    {
        var buffer = new NativeBuffer(length);
        var random = new Random(length);
        foreach (ref var value in buffer.Span)
            value = random.NextSingle() - 0.5f;
        return buffer;
    }
}
