using Hone.Engine.Tests.Tokens;

namespace Hone.Engine.Tests.Generation;

/// <summary>A tiny model with random weights, wide enough that its distributions are neither flat nor certain.</summary>
internal static class SmallModel
{
    public static ModelConfig Config { get; } = new()
    {
        Family = ModelFamily.Qwen2,
        VocabularySize = 512,
        HiddenSize = 32,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadWidth = 8,
        FeedForwardSize = 64,
        MaxPositions = 512,
    };

    public static ParameterSet Weights(int seed)
    {
        var weights = ParameterSet.CreateRandom(Config, seed);
        foreach (ref var value in weights.Values) value *= 4;
        return weights;
    }

    public static EngineModel Create(int seed = 1) => new("small", Weights(seed), SmallTokenizer.Instance, ChatTemplate.ForName("chatml"));

    public static GenerationLimits Limits { get; } = new(Sequences: 32, PrefillRows: 64, MaxContext: 512, CacheBytes: 4 << 20);

    /// <summary>Prompts that share beginnings of several lengths.</summary>
    public static int[][] Prompts(int count)
    {
        var random = new Random(5);
        int[] Tokens(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(500))];
        int[] system = Tokens(70), first = Tokens(30), second = Tokens(9);
        return [.. Enumerable.Range(0, count).Select(i => (i % 5) switch
        {
            0 => [.. system, .. first, .. Tokens(i % 7 + 1)],
            1 => [.. system, .. second],
            2 => [.. system[..40], .. Tokens(12)],
            3 => Tokens(100 + i),
            _ => (int[])[.. system, .. first],
        })];
    }
}
