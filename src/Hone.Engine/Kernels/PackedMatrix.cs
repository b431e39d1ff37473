namespace Hone.Engine;

/// <summary>A weight [outputs, inputs] in panels, as the right operand of X · Wᵀ: in float32, or in bfloat16, which takes half the memory.</summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly VectorKernels _kernels;
    private readonly NativeBuffer _panels;

    /// <param name="kernels">The kernels that will read it.</param>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="format"><see cref="PanelFormat.Single"/> or <see cref="PanelFormat.PairedHalves"/>.</param>
    public PackedMatrix(VectorKernels kernels, int outputs, int inputs, PanelFormat format = PanelFormat.Single)
    {
        (_kernels, Outputs, Inputs, Format) = (kernels, outputs, inputs, format);
        var length = kernels.PackedLength(outputs, inputs);
        _panels = new NativeBuffer(format == PanelFormat.Single ? length : length / 2);
    }

    public int Outputs { get; }

    public int Inputs { get; }

    public PanelFormat Format { get; }

    public PanelView View
    {
        get
        {
            nint width = _kernels.PanelWidth;
            return Format == PanelFormat.Single
                ? new PanelView(_panels.Pointer, width, width * Inputs)
                : new PanelView((ushort*)_panels.Pointer, width, width * Inputs, PanelFormat.PairedHalves);
        }
    }

    /// <summary>Takes over float32 values, row-major.</summary>
    public void Pack(float* values)
    {
        if (Format != PanelFormat.Single) throw new InvalidOperationException("Panels of bfloat16 take only bfloat16 values.");
        _kernels.PackTransposed(values, Inputs, Outputs, Inputs, _panels.Pointer);
    }

    /// <summary>Takes over values as they are stored, one part below the other.</summary>
    public void Pack(ReadOnlySpan<StoredRows> parts)
    {
        nint width = _kernels.PanelWidth;
        using var rows = new NativeBuffer((long)width * Inputs);
        var (part, row) = (0, 0);
        for (var first = 0; first < Outputs; first += (int)width)
        {
            var count = Math.Min((int)width, Outputs - first);
            for (var i = 0; i < count; i++)
            {
                while (row == parts[part].Rows) (part, row) = (part + 1, 0);
                if (Format == PanelFormat.Single) parts[part].Read(row, rows.Pointer + i * Inputs);
                else new ReadOnlySpan<ushort>(parts[part].Row(row), Inputs).CopyTo(new Span<ushort>((ushort*)rows.Pointer + (nint)i * Inputs, Inputs));
                row++;
            }

            if (Format == PanelFormat.Single) _kernels.PackTransposed(rows.Pointer, Inputs, count, Inputs, _panels.Pointer + first * (nint)Inputs);
            else PairHalves((ushort*)rows.Pointer, count, (ushort*)_panels.Pointer + first * (nint)Inputs);
        }
    }

    /// <summary>Reads the values of an output [inputs] out of the panels.</summary>
    public void Unpack(int output, float* target)
    {
        nint width = _kernels.PanelWidth;
        var panel = output / width * width * Inputs;
        if (Format == PanelFormat.Single)
        {
            var source = _panels.Pointer + panel + output % width;
            for (var i = 0; i < Inputs; i++, source += width) target[i] = *source;
            return;
        }

        var half = (ushort*)_panels.Pointer + panel + Place(output % width, width);
        for (var i = 0; i < Inputs; i++, half += width) target[i] = BitConverter.UInt32BitsToSingle((uint)*half << 16);
    }

    public void Dispose() => _panels.Dispose();

    // Column of a panel, where its half lies: column i of the first vector in the lower half of word i, that of the second in the upper.
    private static nint Place(nint column, nint width) => column < width / 2 ? 2 * column : 2 * (column - width / 2) + 1;

    private void PairHalves(ushort* rows, int count, ushort* panel)
    {
        const int Block = 32; // A cache line of the source at a time.
        nint width = _kernels.PanelWidth;
        if (count < width) new Span<ushort>(panel, (int)width * Inputs).Clear();
        for (var start = 0; start < Inputs; start += Block)
        {
            var end = Math.Min(Inputs, start + Block);
            for (var column = 0; column < count; column++)
            {
                var from = rows + (nint)column * Inputs;
                var to = panel + start * width + Place(column, width);
                for (var k = start; k < end; k++, to += width) *to = from[k];
            }
        }
    }
}

/// <summary>
/// A weight that is not trained: in panels for X · Wᵀ, and as it is stored, one part below the other, for dY · W. Both as float32 or both as bfloat16.
/// </summary>
internal sealed class FrozenMatrix(PackedMatrix panels, StoredRows[] parts)
{
    public PackedMatrix Panels { get; } = panels;

    public StoredRows[] Parts { get; } = parts;
}
