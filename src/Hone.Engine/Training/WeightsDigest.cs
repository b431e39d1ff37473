using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Hone.Engine;

/// <summary>Tells weights apart by their values: the same wherever they were loaded from and in whatever format they are held without loss.</summary>
internal static class WeightsDigest
{
    /// <summary>SHA-256 over every tensor's name and its values in float32, and those of an adapter beside them; 16 hexadecimal digits.</summary>
    public static string Of(EngineModel model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (model.Frozen is { } frozen)
            Append(hash, frozen);
        else
            Append(hash, model.Weights);
        if (model.Lora is { } adapter)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"adapter {adapter.Options.Rank} {adapter.Options.Alpha:R}"));
            Append(hash, adapter);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static void Append(IncrementalHash hash, FlatTensors tensors)
    {
        foreach (var tensor in tensors.Tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name));
            for (var row = 0; row < tensor.Rows; row++)
                hash.AppendData(MemoryMarshal.AsBytes(tensors.Values.Slice(tensor.Offset + (row * tensor.Columns), tensor.Columns)));
        }
    }

    // Row by row: a checkpoint as a whole, in float32, would take twice the memory of its file.
    private static unsafe void Append(IncrementalHash hash, FrozenWeights weights)
    {
        foreach (var tensor in ParameterSet.Describe(weights.Config))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(tensor.Name));
            var values = new float[tensor.Columns];
            fixed (float* target = values)
            {
                for (var row = 0; row < tensor.Rows; row++)
                {
                    weights.Rows(tensor.Name).Read(row, target);
                    hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
                }
            }
        }
    }
}
