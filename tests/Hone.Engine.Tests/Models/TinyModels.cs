namespace Hone.Engine.Tests.Models;

/// <summary>Small random models with ragged sizes.</summary>
internal static class TinyModels
{
    public static ModelConfig Config(ModelFamily family) => new()
    {
        Family = family,
        VocabularySize = 53,
        HiddenSize = 24,
        LayerCount = 2,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadWidth = 10,
        FeedForwardSize = 36,
        TiedEmbeddings = family != ModelFamily.Llama,
        EndTokenIds = [1, 2],
    };

    /// <summary>Weights wide enough that every formula matters; biases and norms random too.</summary>
    public static ParameterSet Weights(ModelFamily family, int seed = 1) => Weights(Config(family), seed);

    public static ParameterSet Weights(ModelConfig config, int seed)
    {
        var weights = new ParameterSet(config);
        var random = new Random(seed);
        foreach (var tensor in weights.Tensors)
        {
            var center = tensor.Name.Contains("norm", StringComparison.Ordinal) ? 1f : 0f;
            foreach (ref var value in weights.Slice(tensor)) value = center + (random.NextSingle() - 0.5f) * 0.7f;
        }

        return weights;
    }

    public static int[] Tokens(int count, int seed, int vocabulary = 53)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }
}
