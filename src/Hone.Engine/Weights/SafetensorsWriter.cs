using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hone.Engine;

/// <summary>The values of a tensor, read when they are written.</summary>
internal delegate ReadOnlySpan<float> TensorValues();

/// <summary>One tensor to write.</summary>
internal readonly record struct SafetensorsSource(string Name, int[] Shape, TensorValues Values);

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
            for (var rest = tensor.Values(); !rest.IsEmpty; rest = rest[Math.Min(Chunk, rest.Length)..])
                stream.Write(Convert(rest[..Math.Min(Chunk, rest.Length)], format, bytes));
        }
    });

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
        var (name, size) = format switch { WeightFormat.Float32 => ("F32", 4), WeightFormat.Float16 => ("F16", 2), _ => ("BF16", 2) };
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
                var length = tensor.Shape.Aggregate(1L, (product, dimension) => product * dimension) * size;
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", name);
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
