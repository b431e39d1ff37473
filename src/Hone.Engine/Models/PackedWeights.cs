namespace Hone.Engine;

/// <summary>Weights of one layer, matrices as panels for X · Wᵀ, vectors as they are.</summary>
internal sealed class PackedLayer : IDisposable
{
    public PackedLayer(ModelConfig config, VectorKernels kernels, PanelFormat format)
    {
        AttentionNorm = new NativeBuffer(config.HiddenSize);
        FeedForwardNorm = new NativeBuffer(config.HiddenSize);
        Fused = new PackedMatrix(kernels, config.FusedAttentionWidth, config.HiddenSize, format);
        Output = new PackedMatrix(kernels, config.HiddenSize, config.QueryWidth, format);
        GateUp = new PackedMatrix(kernels, 2 * config.FeedForwardSize, config.HiddenSize, format);
        Down = new PackedMatrix(kernels, config.HiddenSize, config.FeedForwardSize, format);
        if (config.AttentionBias) FusedBias = new NativeBuffer(config.FusedAttentionWidth);
        if (config.QueryKeyNorm) (QueryNorm, KeyNorm) = (new NativeBuffer(config.HeadWidth), new NativeBuffer(config.HeadWidth));
    }

    public NativeBuffer AttentionNorm { get; }

    public NativeBuffer FeedForwardNorm { get; }

    /// <summary>Query, key and value side by side.</summary>
    public PackedMatrix Fused { get; }

    public NativeBuffer? FusedBias { get; }

    public NativeBuffer? QueryNorm { get; }

    public NativeBuffer? KeyNorm { get; }

    public PackedMatrix Output { get; }

    /// <summary>Gate and up side by side.</summary>
    public PackedMatrix GateUp { get; }

    public PackedMatrix Down { get; }

    public unsafe float* Bias => FusedBias is null ? null : FusedBias.Pointer;

    public void Dispose()
    {
        IDisposable?[] buffers = [AttentionNorm, FeedForwardNorm, Fused, FusedBias, QueryNorm, KeyNorm, Output, GateUp, Down];
        foreach (var buffer in buffers) buffer?.Dispose();
    }
}

/// <summary>All weights of a model in the form that the forward pass reads.</summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    private readonly NativeBuffer? _embedding;

    public PackedWeights(ModelConfig config, VectorKernels kernels, PanelFormat format, bool keepEmbedding)
    {
        Config = config;
        Layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new PackedLayer(config, kernels, format))];
        FinalNorm = new NativeBuffer(config.HiddenSize);
        Head = new PackedMatrix(kernels, config.VocabularySize, config.HiddenSize, format);
        if (keepEmbedding && !config.TiedEmbeddings) _embedding = new NativeBuffer((long)config.VocabularySize * config.HiddenSize);
    }

    public ModelConfig Config { get; }

    public PackedLayer[] Layers { get; }

    public NativeBuffer FinalNorm { get; }

    /// <summary>Output projection (the embedding where tied).</summary>
    public PackedMatrix Head { get; }

    /// <summary>Packs the weights, with the adapter added to them on the way if there is one.</summary>
    public void Pack(ParameterSet weights, LoraAdapter? adapter)
    {
        if (weights.Config != Config)
            throw new ArgumentException("The weights belong to a model of another shape than the packed ones.", nameof(weights));
        for (var index = 0; index < Layers.Length; index++)
        {
            var (names, layer) = (new ParameterNames(index), Layers[index]);
            weights.Get(names.AttentionNorm).CopyTo(layer.AttentionNorm.Span);
            weights.Get(names.FeedForwardNorm).CopyTo(layer.FeedForwardNorm.Span);
            if (layer.FusedBias is { } bias) CopyBias(weights, names, bias);
            if (layer.QueryNorm is not null) weights.Get(names.QueryNorm).CopyTo(layer.QueryNorm.Span);
            if (layer.KeyNorm is not null) weights.Get(names.KeyNorm).CopyTo(layer.KeyNorm.Span);
            PackMatrix(weights, adapter, layer.Fused, names.Query, names.Key, names.Value);
            PackMatrix(weights, adapter, layer.Output, names.Output);
            PackMatrix(weights, adapter, layer.GateUp, names.Gate, names.Up);
            PackMatrix(weights, adapter, layer.Down, names.Down);
        }

        weights.Get(ParameterNames.FinalNorm).CopyTo(FinalNorm.Span);
        var head = weights.Tensor(Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head);
        Head.Pack(weights.Buffer.Pointer + head.Offset);
        if (_embedding is not null) weights.Get(ParameterNames.Embedding).CopyTo(_embedding.Span);
        GC.KeepAlive(weights);
    }

    /// <summary>Packs the weights of a checkpoint from where they lie.</summary>
    public void Pack(FrozenWeights weights)
    {
        for (var index = 0; index < Layers.Length; index++)
        {
            var (names, layer) = (new ParameterNames(index), Layers[index]);
            weights.Read(names.AttentionNorm, layer.AttentionNorm.Span);
            weights.Read(names.FeedForwardNorm, layer.FeedForwardNorm.Span);
            if (layer.QueryNorm is not null) weights.Read(names.QueryNorm, layer.QueryNorm.Span);
            if (layer.KeyNorm is not null) weights.Read(names.KeyNorm, layer.KeyNorm.Span);
            if (layer.FusedBias is { } bias)
            {
                var (query, keyValue) = (Config.QueryWidth, Config.KeyValueWidth);
                weights.Read(names.Query + ".bias", bias.Span[..query]);
                weights.Read(names.Key + ".bias", bias.Span.Slice(query, keyValue));
                weights.Read(names.Value + ".bias", bias.Span[(query + keyValue)..]);
            }

            layer.Fused.Pack([weights.Rows(names.Query + ".weight"), weights.Rows(names.Key + ".weight"), weights.Rows(names.Value + ".weight")]);
            layer.Output.Pack([weights.Rows(names.Output + ".weight")]);
            layer.GateUp.Pack([weights.Rows(names.Gate + ".weight"), weights.Rows(names.Up + ".weight")]);
            layer.Down.Pack([weights.Rows(names.Down + ".weight")]);
        }

        weights.Read(ParameterNames.FinalNorm, FinalNorm.Span);
        Head.Pack([weights.Rows(Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head)]);
    }

    /// <summary>Copies the embedding of a token; a tied one is gathered from the output panels, so that it is stored once.</summary>
    public void CopyEmbedding(int token, float* target)
    {
        if ((uint)token >= (uint)Config.VocabularySize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"Token id {token} is outside the vocabulary of {Config.VocabularySize}.");
        var width = Config.HiddenSize;
        if (_embedding is not null)
        {
            _embedding.Span.Slice(token * width, width).CopyTo(new Span<float>(target, width));
            return;
        }

        Head.Unpack(token, target);
    }

    public void Dispose()
    {
        foreach (var layer in Layers) layer.Dispose();
        FinalNorm.Dispose();
        Head.Dispose();
        _embedding?.Dispose();
    }

    private static void CopyBias(ParameterSet weights, ParameterNames names, NativeBuffer bias)
    {
        var target = bias.Span;
        foreach (var projection in (ReadOnlySpan<string>)[names.Query, names.Key, names.Value])
        {
            var source = weights.Get(projection + ".bias");
            source.CopyTo(target);
            target = target[source.Length..];
        }
    }

    // The projections lie side by side in the parameter set, so that they pack as one matrix.
    private void PackMatrix(ParameterSet weights, LoraAdapter? adapter, PackedMatrix panels, params ReadOnlySpan<string> projections)
    {
        var tensors = new ParameterTensor[projections.Length];
        for (var i = 0; i < projections.Length; i++) tensors[i] = weights.Tensor(projections[i] + ".weight");
        var rows = tensors.Sum(tensor => tensor.Rows);
        var columns = tensors[0].Columns;
        var pointer = weights.Buffer.Pointer + tensors[0].Offset;
        using var joined = adapter is null ? null : new NativeBuffer((long)rows * columns);
        if (adapter is not null && joined is not null)
        {
            var target = joined.Span;
            foreach (var tensor in tensors)
            {
                weights.Slice(tensor).CopyTo(target);
                adapter.AddTo(tensor, target[..tensor.Length]);
                target = target[tensor.Length..];
            }

            pointer = joined.Pointer;
        }

        panels.Pack(pointer);
    }
}
