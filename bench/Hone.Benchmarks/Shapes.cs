using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>The model sizes that figures are given for.</summary>
internal static class Shapes
{
    public static readonly ModelConfig Small = Of(1024, 128, 4, 4, 32, 384);
    public static readonly ModelConfig Medium = Of(2048, 256, 6, 4, 64, 768);
    public static readonly ModelConfig Big = Of(4096, 384, 8, 6, 64, 1152);

    /// <summary>120 million parameters.</summary>
    public static readonly ModelConfig Large = Of(32_768, 768, 12, 12, 64, 2816, keyValueHeads: 4);

    /// <summary>The shape of Qwen 2.5 0.5B.</summary>
    public static readonly ModelConfig Huge = Of(151_936, 896, 24, 14, 64, 4864);

    public static IEnumerable<(string Name, ModelConfig Config)> ForGpu =>
        [("1m", Small), ("5m", Medium), ("15m", Big), ("120m", Large), ("500m", Huge)];

    public static IEnumerable<(string Name, ModelConfig Config)> For(bool quick) => quick ? [("1m", Small)] : [("1m", Small), ("5m", Medium), ("15m", Big)];

    /// <summary>Random weights without the cost of a good distribution: what is computed does not matter, only that it is finite.</summary>
    public static ParameterSet FastWeights(ModelConfig config)
    {
        var weights = new ParameterSet(config);
        Parallel.ForEach(weights.Tensors, tensor =>
        {
            var state = (uint)tensor.Offset + 1;
            foreach (ref var value in weights.Slice(tensor))
            {
                state = (state * 1664525) + 1013904223;
                value = tensor.Shape.Length == 1 ? 1 : ((state >> 8) / (float)(1 << 24) - 0.5f) * 0.04f;
            }
        });
        return weights;
    }

    private static ModelConfig Of(
        int vocabulary, int width, int layers, int heads, int headWidth, int feedForward, int keyValueHeads = 2) => new()
        {
            Family = ModelFamily.Qwen2,
            VocabularySize = vocabulary,
            HiddenSize = width,
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = keyValueHeads,
            HeadWidth = headWidth,
            FeedForwardSize = feedForward,
            TiedEmbeddings = true,
            MaxPositions = 1024,
        };
}
