using System.Globalization;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>Writes the weights of a model as one safetensors file, or as several with an index where they are too large for one.</summary>
internal static class CheckpointWriter
{
    /// <summary>Largest file, in bytes: what Hugging Face's tools write by default.</summary>
    public const long LargestFile = 5_000_000_000;

    /// <summary>Writes all files, then removes weight files of an earlier export that no longer belong.</summary>
    public static void Write(string directory, IReadOnlyList<SafetensorsSource> tensors, WeightFormat format, long largestFile = LargestFile)
    {
        var shards = Split(tensors, format, largestFile);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(directory, Checkpoint.WeightsFile), tensors, format);
            File.Delete(Path.Combine(directory, Checkpoint.IndexFile));
            return;
        }

        var map = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            SafetensorsWriter.Write(Path.Combine(directory, name), shards[i], format);
            foreach (var tensor in shards[i]) map[tensor.Name] = name;
        }

        ModelFiles.Write(Path.Combine(directory, Checkpoint.IndexFile), new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_size"] = tensors.Sum(tensor => tensor.Bytes(format)) },
            ["weight_map"] = map,
        });
        File.Delete(Path.Combine(directory, Checkpoint.WeightsFile));
    }

    /// <summary>The tensors of frozen weights, an adapter added to them, each in the number format in which it is stored or in another.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="adapter">The adapter, or null.</param>
    /// <param name="format">Null keeps the format of every tensor.</param>
    public static IReadOnlyList<SafetensorsSource> Sources(FrozenWeights weights, LoraAdapter? adapter, WeightFormat? format) =>
    [
        .. ParameterSet.Describe(weights.Config).Select(tensor =>
        {
            var stored = weights.Rows(tensor.Name);
            var isTargeted = adapter is not null && tensor.Shape.Length == 2 && adapter.Targets(tensor.Name[..^".weight".Length]);
            return new SafetensorsSource(tensor.Name, tensor.Shape, isTargeted ? () => Merge(weights, adapter!, tensor) : null)
            {
                Stored = isTargeted ? null : stored,
                Format = format ?? stored.Format,
            };
        }),
    ];

    private static ReadOnlySpan<float> Merge(FrozenWeights weights, LoraAdapter adapter, ParameterTensor tensor)
    {
        var values = new float[tensor.Length];
        weights.Read(tensor.Name, values);
        adapter.AddTo(tensor, values);
        return values;
    }

    private static List<List<SafetensorsSource>> Split(IReadOnlyList<SafetensorsSource> tensors, WeightFormat format, long largestFile)
    {
        List<List<SafetensorsSource>> shards = [[]];
        long size = 0;
        foreach (var tensor in tensors)
        {
            var bytes = tensor.Bytes(format);
            if (shards[^1].Count > 0 && size + bytes > largestFile)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(tensor);
            size += bytes;
        }

        return shards;
    }
}
