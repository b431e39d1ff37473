namespace Hone.Engine;

/// <summary>
/// All weights of a model under their Hugging Face names in one flat buffer. Query, key and value (and gate and up) matrices lie side by side, so
/// that each trio (pair) is one matrix for the kernels.
/// </summary>
internal sealed class ParameterSet : FlatTensors
{
    public ParameterSet(ModelConfig config)
        : base(Describe(config)) => Config = config;

    public ModelConfig Config { get; }

    /// <summary>Names and shapes of a model's tensors, in the buffer's order.</summary>
    public static IReadOnlyList<ParameterTensor> Describe(ModelConfig config)
    {
        var layout = new Layout();
        layout.Add(ParameterNames.Embedding, config.VocabularySize, config.HiddenSize);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var names = new ParameterNames(layer);
            layout.Add(names.AttentionNorm, config.HiddenSize);
            layout.Add(names.Query + ".weight", config.QueryWidth, config.HiddenSize);
            layout.Add(names.Key + ".weight", config.KeyValueWidth, config.HiddenSize);
            layout.Add(names.Value + ".weight", config.KeyValueWidth, config.HiddenSize);
            if (config.AttentionBias)
            {
                layout.Add(names.Query + ".bias", config.QueryWidth);
                layout.Add(names.Key + ".bias", config.KeyValueWidth);
                layout.Add(names.Value + ".bias", config.KeyValueWidth);
            }

            if (config.QueryKeyNorm)
            {
                layout.Add(names.QueryNorm, config.HeadWidth);
                layout.Add(names.KeyNorm, config.HeadWidth);
            }

            layout.Add(names.Output + ".weight", config.HiddenSize, config.QueryWidth);
            layout.Add(names.FeedForwardNorm, config.HiddenSize);
            layout.Add(names.Gate + ".weight", config.FeedForwardSize, config.HiddenSize);
            layout.Add(names.Up + ".weight", config.FeedForwardSize, config.HiddenSize);
            layout.Add(names.Down + ".weight", config.HiddenSize, config.FeedForwardSize);
        }

        layout.Add(ParameterNames.FinalNorm, config.HiddenSize);
        if (!config.TiedEmbeddings) layout.Add(ParameterNames.Head, config.VocabularySize, config.HiddenSize);
        return layout.Tensors;
    }

    /// <summary>
    /// Random weights: norms 1, biases 0, embeddings N(0, 0.02²), matrices N(0, 0.36 / columns), those that write to the residual stream divided by
    /// sqrt(2 · layers) as in GPT-2.
    /// </summary>
    public static ParameterSet CreateRandom(ModelConfig config, int seed)
    {
        var parameters = new ParameterSet(config);
        var random = new Random(seed);
        foreach (var tensor in parameters.Tensors)
        {
            var values = parameters.Slice(tensor);
            if (tensor.Shape.Length == 1)
            {
                values.Fill(tensor.Name.EndsWith(".bias", StringComparison.Ordinal) ? 0f : 1f);
                continue;
            }

            var deviation = tensor.Name is ParameterNames.Embedding or ParameterNames.Head ? 0.02 : 0.6 / Math.Sqrt(tensor.Columns);
            if (ParameterNames.WritesResidual(tensor.Name)) deviation /= Math.Sqrt(2.0 * config.LayerCount);
            foreach (ref var value in values) value = (float)(deviation * NextGaussian(random));
        }

        return parameters;
    }

    public ParameterSet Clone()
    {
        var copy = new ParameterSet(Config);
        Values.CopyTo(copy.Values);
        return copy;
    }

    // Box–Muller; one value per two draws keeps the stream simple to reproduce.
    private static double NextGaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
