namespace Hone.Engine.Tests.Kernels;

/// <summary>Weights in bfloat16 give the last bit of what the same numbers give in float32, whatever the shape and the company.</summary>
public sealed unsafe class PackedMatrixTests
{
    public static TheoryData<string, int, int> Shapes()
    {
        var data = new TheoryData<string, int, int>();
        foreach (var kernels in VectorKernels.Supported)
        {
            foreach (var (outputs, inputs) in new[] { (1, 1), (32, 64), (75, 300), (130, 37), (256, 600) }) data.Add(kernels.Name, outputs, inputs);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Project_BFloat16Panels_EqualFloat32BitByBit(string set, int outputs, int inputs)
    {
        var kernels = VectorKernels.Supported.Single(candidate => candidate.Name == set);
        using var weights = new Weights(outputs, inputs);
        using var single = new PackedMatrix(kernels, outputs, inputs);
        using var paired = new PackedMatrix(kernels, outputs, inputs, PanelFormat.PairedHalves);
        single.Pack(weights.Single.Pointer);
        paired.Pack(weights.Parts());
        foreach (var rows in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 25, 97 })
        {
            using var x = Random((long)rows * inputs, rows);
            using NativeBuffer expected = new((long)rows * outputs), actual = new((long)rows * outputs);
            kernels.Project(rows, x.Pointer, single, expected.Pointer);
            kernels.Project(rows, x.Pointer, paired, actual.Pointer);
            Assert.Equal(expected.Span, actual.Span);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiply_BFloat16Rows_EqualFloat32BitByBit(string set, int outputs, int inputs)
    {
        var kernels = VectorKernels.Supported.Single(candidate => candidate.Name == set);
        using var weights = new Weights(outputs, inputs);
        foreach (var rows in new[] { 1, 2, 5, 12, 31, 97 })
        {
            using var dy = Random((long)rows * outputs, rows);
            using NativeBuffer expected = new((long)rows * inputs), actual = new((long)rows * inputs);
            var left = new MatrixView(dy.Pointer, outputs);
            kernels.Multiply(rows, inputs, outputs, left, kernels.RowMajor(weights.Single.Pointer, inputs), expected.Pointer, inputs);
            kernels.Multiply(rows, inputs, outputs, left, kernels.RowMajor((ushort*)weights.Halves.Pointer, inputs), actual.Pointer, inputs);
            Assert.Equal(expected.Span, actual.Span);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Unpack_EitherFormat_GivesTheRow(string set, int outputs, int inputs)
    {
        var kernels = VectorKernels.Supported.Single(candidate => candidate.Name == set);
        using var weights = new Weights(outputs, inputs);
        using var row = new NativeBuffer(inputs);
        foreach (var format in new[] { PanelFormat.Single, PanelFormat.PairedHalves })
        {
            using var matrix = new PackedMatrix(kernels, outputs, inputs, format);
            matrix.Pack(weights.Parts());
            for (var output = 0; output < outputs; output++)
            {
                matrix.Unpack(output, row.Pointer);
                Assert.Equal(weights.Single.Span.Slice(output * inputs, inputs), row.Span);
            }
        }
    }

    private static NativeBuffer Random(long length, int seed)
    {
        var buffer = new NativeBuffer(length);
        var random = new Random(seed);
        foreach (ref var value in buffer.Span) value = random.NextSingle() - 0.5f;
        return buffer;
    }

    /// <summary>The same numbers twice.</summary>
    private sealed class Weights : IDisposable
    {
        private readonly int _outputs, _inputs;

        public Weights(int outputs, int inputs)
        {
            (_outputs, _inputs) = (outputs, inputs);
            Single = Random((long)outputs * inputs, 3);
            Halves = new NativeBuffer(((long)outputs * inputs + 1) / 2);
            for (var i = 0; i < outputs * inputs; i++)
            {
                var bits = BitConverter.SingleToUInt32Bits(Single.Span[i]) & 0xFFFF0000;
                Single.Span[i] = BitConverter.UInt32BitsToSingle(bits);
                ((ushort*)Halves.Pointer)[i] = (ushort)(bits >> 16);
            }
        }

        public NativeBuffer Single { get; }

        public NativeBuffer Halves { get; }

        // In two parts, which a panel may straddle.
        public StoredRows[] Parts()
        {
            var first = Math.Min(_outputs, 1 + _outputs / 3);
            var data = (byte*)Halves.Pointer;
            return
            [
                new(data, WeightFormat.BFloat16, first, _inputs),
                new(data + (nint)first * _inputs * sizeof(ushort), WeightFormat.BFloat16, _outputs - first, _inputs),
            ];
        }

        public void Dispose()
        {
            Single.Dispose();
            Halves.Dispose();
        }
    }
}
