using System.Numerics.Tensors;

namespace Hone.Engine;

/// <summary>Rows of a weight where they lie, row-major: in a mapped file or in memory. The caller keeps that alive.</summary>
internal readonly unsafe struct StoredRows(byte* data, WeightFormat format, int rows, int columns)
{
    public readonly byte* Data = data;
    public readonly WeightFormat Format = format;
    public readonly int Rows = rows;
    public readonly int Columns = columns;

    public byte* Row(int row) => Data + (nint)row * Columns * (Format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort));

    /// <summary>Converts a row [columns] to float32, which loses nothing.</summary>
    public void Read(int row, float* target) => Convert(Row(row), Format, new Span<float>(target, Columns));

    /// <summary>Converts numbers to float32.</summary>
    public static void Convert(byte* source, WeightFormat format, Span<float> target)
    {
        switch (format)
        {
            case WeightFormat.Float32:
                new ReadOnlySpan<float>(source, target.Length).CopyTo(target);
                break;
            case WeightFormat.Float16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source, target.Length), target);
                break;
            default:
                var halves = new ReadOnlySpan<ushort>(source, target.Length);
                for (var i = 0; i < halves.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
                break;
        }
    }
}
