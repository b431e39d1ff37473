using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>The model sizes that figures are given for.</summary>
internal static class Shapes
{
    public static readonly ModelConfig Small = Of(1024, 128, 4, 4, 32, 384);
    public static readonly ModelConfig Medium = Of(2048, 256, 6, 4, 64, 768);
    public static readonly ModelConfig Big = Of(4096, 384, 8, 6, 64, 1152);

    public static IEnumerable<(string Name, ModelConfig Config)> For(bool quick) => quick ? [("1m", Small)] : [("1m", Small), ("5m", Medium), ("15m", Big)];

    private static ModelConfig Of(int vocabulary, int width, int layers, int heads, int headWidth, int feedForward) => new()
    {
        Family = ModelFamily.Qwen2,
        VocabularySize = vocabulary,
        HiddenSize = width,
        LayerCount = layers,
        HeadCount = heads,
        KeyValueHeadCount = 2,
        HeadWidth = headWidth,
        FeedForwardSize = feedForward,
        TiedEmbeddings = true,
        MaxPositions = 1024,
    };
}
