using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hone.Engine;

/// <summary>The values of a tensor, read when they are written.</summary>
internal delegate ReadOnlySpan<float> TensorValues();

/// <summary>One tensor to write.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Values">Its values, unless they are <see cref="Stored"/>.</param>
internal readonly record struct SafetensorsSource(string Name, int[] Shape, TensorValues? Values)
{
    /// <summary>Values as another file stores them, which are copied piece by piece.</summary>
    public StoredRows? Stored { get; init; }

    /// <summary>Number format of this tensor; null for the file's.</summary>
    public WeightFormat? Format { get; init; }

    /// <summary>Size in a file of a format.</summary>
    public long Bytes(WeightFormat format) => Shape.Aggregate(1L, (product, size) => product * size) * SizeOf(Format ?? format);

    public static int SizeOf(WeightFormat format) => format == WeightFormat.Float32 ? 4 : 2;
}

/// <summary>Writes safetensors files so that a reader sees the old file or the whole new one.</summary>
internal static class SafetensorsWriter
{
    private const int Chunk = 1 << 16;

    /// <summary>Writes the tensors to a temporary file beside <paramref name="path"/> and renames it.</summary>
    public static void Write(string path, IReadOnlyList<SafetensorsSource> tensors, WeightFormat format) => AtomicFile.Write(path, stream =>
    {
        var header = Header(tensors, format);
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        stream.Write(prefix);
        stream.Write(header);
        var bytes = new byte[Chunk * 4];
        foreach (var tensor in tensors)
        {
            if (tensor.Stored is { } stored)
            {
                Copy(stored, tensor.Format ?? format, stream, bytes);
                continue;
            }

            for (var rest = tensor.Values!(); !rest.IsEmpty; rest = rest[Math.Min(Chunk, rest.Length)..])
                stream.Write(Convert(rest[..Math.Min(Chunk, rest.Length)], tensor.Format ?? format, bytes));
        }
    });

    private static unsafe void Copy(in StoredRows source, WeightFormat format, Stream stream, byte[] bytes)
    {
        var (length, size) = ((long)source.Rows * source.Columns, SafetensorsSource.SizeOf(source.Format));
        var values = new float[Chunk];
        for (long start = 0; start < length; start += Chunk)
        {
            var count = (int)Math.Min(Chunk, length - start);
            var from = source.Data + start * size;
            if (format == source.Format)
            {
                stream.Write(new ReadOnlySpan<byte>(from, count * size));
                continue;
            }

            StoredRows.Convert(from, source.Format, values.AsSpan(0, count));
            stream.Write(Convert(values.AsSpan(0, count), format, bytes));
        }
    }

    private static ReadOnlySpan<byte> Convert(ReadOnlySpan<float> values, WeightFormat format, byte[] bytes)
    {
        switch (format)
        {
            case WeightFormat.Float32:
                return MemoryMarshal.AsBytes(values);
            case WeightFormat.Float16:
                TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(bytes.AsSpan())[..values.Length]);
                break;
            default:
                var halves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
                for (var i = 0; i < values.Length; i++) halves[i] = ToBFloat16(values[i]);
                break;
        }

        return bytes.AsSpan(0, values.Length * 2);
    }

    // Round to nearest, ties to even; NaN keeps a set mantissa bit.
    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static byte[] Header(IReadOnlyList<SafetensorsSource> tensors, WeightFormat format)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (var tensor in tensors)
            {
                var length = tensor.Bytes(format);
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", (tensor.Format ?? format) switch { WeightFormat.Float32 => "F32", WeightFormat.Float16 => "F16", _ => "BF16" });
                json.WriteStartArray("shape");
                foreach (var dimension in tensor.Shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset + length);
                json.WriteEndArray();
                json.WriteEndObject();
                offset += length;
            }

            json.WriteEndObject();
        }

        // Spaces up to a multiple of 8 keep the data aligned.
        while (stream.Length % 8 != 0) stream.WriteByte((byte)' ');
        return stream.ToArray();
    }
}
