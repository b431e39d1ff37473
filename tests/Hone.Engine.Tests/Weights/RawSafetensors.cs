using System.Buffers.Binary;
using System.Text.Json;

namespace Hone.Engine.Tests.Weights;

/// <summary>A second reader of the format, written from its description alone: what other tools would see.</summary>
internal static class RawSafetensors
{
    public static Dictionary<string, (string Type, long[] Shape, float[] Values)> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var header = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        Assert.Equal(0, header % 8);
        using var document = JsonDocument.Parse(bytes.AsMemory(8, header));
        var tensors = new Dictionary<string, (string, long[], float[])>();
        long end = 0;
        foreach (var entry in document.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            var type = entry.Value.GetProperty("dtype").GetString()!;
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];
            long[] offsets = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
            Assert.Equal(end, offsets[0]); // No gaps: the format forbids them.
            end = offsets[1];
            var size = type == "F32" ? 4 : 2;
            Assert.Equal(shape.Aggregate(1L, (product, each) => product * each) * size, end - offsets[0]);
            var values = new float[(end - offsets[0]) / size];
            for (var i = 0; i < values.Length; i++)
            {
                var at = bytes.AsSpan(8 + header + (int)offsets[0] + i * size);
                values[i] = type switch
                {
                    "F32" => BinaryPrimitives.ReadSingleLittleEndian(at),
                    "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(at),
                    _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(at) << 16),
                };
            }

            tensors.Add(entry.Name, (type, shape, values));
        }

        Assert.Equal(bytes.Length, 8 + header + end);
        Assert.Equal("pt", document.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        return tensors;
    }
}
