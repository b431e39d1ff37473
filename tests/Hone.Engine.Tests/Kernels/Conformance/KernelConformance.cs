using Hone.Engine;

namespace Hone.Kernels.Conformance;

/// <summary>A check of one operation.</summary>
/// <param name="Name">The operation, and in which form.</param>
/// <param name="IsProduct">Whether lower precision of matrix products shows in it.</param>
/// <param name="Error">Largest error, relative to the largest expected value, beside plain double-precision code.</param>
internal sealed record KernelCase(string Name, bool IsProduct, Func<KernelMemory, double> Error);

/// <summary>
/// Checks any <see cref="IKernels"/>, operation by operation. Run by the tests on the processor's kernels, and by the benchmark program on a GPU's.
/// </summary>
internal static class KernelConformance
{
    public static IReadOnlyList<KernelCase> Cases { get; } = [.. RowCases.All, .. ProductCases.All, .. AttentionCases.All, .. HeadCases.All];

    /// <summary>Names and errors of the cases that miss the tolerance.</summary>
    public static IReadOnlyList<string> Failures(IKernels kernels, double tolerance, double productTolerance)
    {
        var failures = new List<string>();
        foreach (var item in Cases)
        {
            var error = Measure(kernels, item);
            if (!(error <= (item.IsProduct ? productTolerance : tolerance))) failures.Add($"{item.Name}: {error:E2}");
        }

        return failures;
    }

    public static double Measure(IKernels kernels, KernelCase item)
    {
        using var memory = new KernelMemory(kernels);
        return item.Error(memory);
    }
}

/// <summary>Operands of one case, freed together.</summary>
internal sealed unsafe class KernelMemory(IKernels kernels) : IDisposable
{
    private readonly List<FloatBuffer> _buffers = [];
    private readonly Random _random = new(7);

    public IKernels Kernels => kernels;

    public float[] Random(int length, double scale = 1)
    {
        var values = new float[length];
        foreach (ref var value in values.AsSpan()) value = (float)(scale * (2 * _random.NextDouble() - 1));
        return values;
    }

    public int[] Tokens(int length, int vocabulary) => [.. Enumerable.Range(0, length).Select(_ => _random.Next(vocabulary))];

    public float* In(float[] values)
    {
        var pointer = New(values.Length);
        kernels.CopyIn(values, pointer);
        return pointer;
    }

    public int* In(int[] values) => (int*)In(System.Runtime.InteropServices.MemoryMarshal.Cast<int, float>(values).ToArray());

    public float* New(long length)
    {
        _buffers.Add(kernels.Allocate(length));
        return _buffers[^1].Pointer;
    }

    public float[] Out(float* values, int length)
    {
        var copy = new float[length];
        kernels.CopyOut(values, copy);
        return copy;
    }

    /// <summary>Largest error of what lies at an address, relative to the largest expected value.</summary>
    public double Error(double[] expected, float* actual)
    {
        var values = Out(actual, expected.Length);
        double worst = 0, largest = 1e-30;
        for (var i = 0; i < expected.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(expected[i]));
            worst = double.IsNaN(values[i]) ? double.NaN : Math.Max(worst, Math.Abs(values[i] - expected[i]));
        }

        return worst / largest;
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers) buffer.Dispose();
    }
}
