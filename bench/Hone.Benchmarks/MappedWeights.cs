using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>Weights as a checkpoint would have them, in memory or written to a directory, without the cost of a good distribution.</summary>
internal static unsafe class MappedWeights
{
    /// <summary>Weights in memory.</summary>
    public static FrozenWeights Create(ModelConfig config, WeightFormat format)
    {
        var buffers = new List<IDisposable>();
        var tensors = new List<StoredTensor>();
        foreach (var tensor in ParameterSet.Describe(config))
        {
            var isHalf = format == WeightFormat.BFloat16;
            var buffer = new NativeBuffer(isHalf ? (tensor.Length + 1) / 2 : tensor.Length);
            buffers.Add(buffer);
            for (var i = 0; i < tensor.Length; i++)
            {
                if (isHalf) ((ushort*)buffer.Pointer)[i] = (ushort)(BitConverter.SingleToUInt32Bits(Value(tensor, i)) >> 16);
                else buffer.Pointer[i] = Value(tensor, i);
            }

            tensors.Add(new StoredTensor(tensor.Name, format, tensor.Shape, (byte*)buffer.Pointer));
        }

        return new FrozenWeights(config, tensors, buffers);
    }

    /// <summary>A directory in bfloat16 with the tokenizer of the embedded model, written tensor by tensor.</summary>
    public static void Save(string directory, ModelConfig config)
    {
        Directory.CreateDirectory(directory);
        using (var embedded = EngineModel.LoadEmbedded()) embedded.Save(directory);
        CheckpointWriter.Write(
            directory,
            [.. ParameterSet.Describe(config).Select(tensor => new SafetensorsSource(tensor.Name, tensor.Shape, () =>
            {
                var values = new float[tensor.Length];
                for (var i = 0; i < values.Length; i++) values[i] = Value(tensor, i);
                return values;
            }))],
            WeightFormat.BFloat16);
        File.WriteAllText(Path.Combine(directory, Checkpoint.ConfigFile), config.ToJson("bfloat16"));
    }

    private static float Value(ParameterTensor tensor, int index)
    {
        if (tensor.Shape.Length == 1) return tensor.Name.EndsWith(".bias", StringComparison.Ordinal) ? 0 : 1;
        var bits = ((uint)tensor.Offset + (uint)index + 1) * 2654435769;
        return ((bits >> 8) / (float)(1 << 24) - 0.5f) * 0.04f;
    }
}
