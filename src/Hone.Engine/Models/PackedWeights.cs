namespace Hone.Engine;

/// <summary>Weights of one layer, matrices as panels for X · Wᵀ, vectors as they are.</summary>
internal sealed class PackedLayer : IDisposable
{
    public PackedLayer(ModelConfig config, VectorKernels kernels)
    {
        AttentionNorm = new NativeBuffer(config.HiddenSize);
        FeedForwardNorm = new NativeBuffer(config.HiddenSize);
        Fused = new NativeBuffer(kernels.PackedLength(config.FusedAttentionWidth, config.HiddenSize));
        Output = new NativeBuffer(kernels.PackedLength(config.HiddenSize, config.QueryWidth));
        GateUp = new NativeBuffer(kernels.PackedLength(2 * config.FeedForwardSize, config.HiddenSize));
        Down = new NativeBuffer(kernels.PackedLength(config.HiddenSize, config.FeedForwardSize));
        if (config.AttentionBias) FusedBias = new NativeBuffer(config.FusedAttentionWidth);
        if (config.QueryKeyNorm) (QueryNorm, KeyNorm) = (new NativeBuffer(config.HeadWidth), new NativeBuffer(config.HeadWidth));
    }

    public NativeBuffer AttentionNorm { get; }

    public NativeBuffer FeedForwardNorm { get; }

    /// <summary>Query, key and value side by side.</summary>
    public NativeBuffer Fused { get; }

    public NativeBuffer? FusedBias { get; }

    public NativeBuffer? QueryNorm { get; }

    public NativeBuffer? KeyNorm { get; }

    public NativeBuffer Output { get; }

    /// <summary>Gate and up side by side.</summary>
    public NativeBuffer GateUp { get; }

    public NativeBuffer Down { get; }

    public unsafe float* Bias => FusedBias is null ? null : FusedBias.Pointer;

    public void Dispose()
    {
        NativeBuffer?[] buffers = [AttentionNorm, FeedForwardNorm, Fused, FusedBias, QueryNorm, KeyNorm, Output, GateUp, Down];
        foreach (var buffer in buffers) buffer?.Dispose();
    }
}

/// <summary>All weights of a model in the form that the forward pass reads.</summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    private readonly VectorKernels _kernels;
    private readonly NativeBuffer? _embedding;

    public PackedWeights(ModelConfig config, VectorKernels kernels, bool keepEmbedding)
    {
        (Config, _kernels) = (config, kernels);
        Layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new PackedLayer(config, kernels))];
        FinalNorm = new NativeBuffer(config.HiddenSize);
        Head = new NativeBuffer(kernels.PackedLength(config.VocabularySize, config.HiddenSize));
        if (keepEmbedding && !config.TiedEmbeddings) _embedding = new NativeBuffer((long)config.VocabularySize * config.HiddenSize);
    }

    public ModelConfig Config { get; }

    public PackedLayer[] Layers { get; }

    public NativeBuffer FinalNorm { get; }

    /// <summary>Output projection (the embedding where tied).</summary>
    public NativeBuffer Head { get; }

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
        _kernels.PackTransposed(weights.Buffer.Pointer + head.Offset, head.Columns, head.Rows, head.Columns, Head.Pointer);
        if (_embedding is not null) weights.Get(ParameterNames.Embedding).CopyTo(_embedding.Span);
        GC.KeepAlive(weights);
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

        nint panelWidth = _kernels.PanelWidth;
        var source = Head.Pointer + token / panelWidth * panelWidth * width + token % panelWidth;
        for (var i = 0; i < width; i++, source += panelWidth) target[i] = *source;
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
    private void PackMatrix(ParameterSet weights, LoraAdapter? adapter, NativeBuffer panels, params ReadOnlySpan<string> projections)
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

        _kernels.PackTransposed(pointer, columns, rows, columns, panels.Pointer);
    }
}
