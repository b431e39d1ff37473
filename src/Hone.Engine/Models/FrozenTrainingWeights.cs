namespace Hone.Engine;

/// <summary>
/// Weights of a checkpoint that are read and not trained, shared with whoever samples from them, and an adapter beside them. On the processor only.
/// </summary>
internal sealed unsafe class FrozenTrainingWeights : TrainingWeights
{
    private readonly FrozenWeights _weights;
    private readonly PackedWeights _packed;
    private readonly LoraAdapter? _adapter;

    /// <param name="weights">The weights; retained.</param>
    /// <param name="adapter">What is trained, or null to compute without.</param>
    /// <param name="kernels">The processor's.</param>
    public FrozenTrainingWeights(FrozenWeights weights, LoraAdapter? adapter, CpuKernels kernels)
    {
        (_weights, _packed, _adapter) = (weights.Retain(), weights.Packed, adapter);
        Trained = adapter is null ? new SharedTensor(kernels, 0) : new SharedTensor(kernels, adapter.Buffer);
        if (adapter is not null) Beside = new LowRankWeights(adapter, kernels.Vectors);
        Layers = new TrainingLayer[weights.Config.LayerCount];
        for (var index = 0; index < Layers.Length; index++) Layers[index] = LayerOf(_packed.Layers[index], new ParameterNames(index));
        Head = ProjectionOf(_packed.Head, weights.Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head);
    }

    public override TrainingLayer[] Layers { get; }

    public override Projection Head { get; }

    public override float* FinalNorm => _packed.FinalNorm.Pointer;

    public override SharedTensor Trained { get; }

    public override LowRankWeights? Beside { get; }

    public override void Push() => Refresh();

    public override void Refresh()
    {
        if (_adapter is not null) Beside!.Pack(_adapter);
    }

    public override LowRankUpdate UpdateOf(string projection) =>
        (_adapter ?? throw new InvalidOperationException("The model is computed without an adapter.")).UpdateOf(projection);

    public override void Gather(int rows, int* tokens, float* target) => _weights.Gather(rows, tokens, target);

    public override void Dispose()
    {
        Trained.Dispose();
        Beside?.Dispose();
        _weights.Dispose();
    }

    private TrainingLayer LayerOf(PackedLayer layer, ParameterNames names) => new()
    {
        Fused = ProjectionOf(layer.Fused, names.Query + ".weight", names.Key + ".weight", names.Value + ".weight"),
        Output = ProjectionOf(layer.Output, names.Output + ".weight"),
        GateUp = ProjectionOf(layer.GateUp, names.Gate + ".weight", names.Up + ".weight"),
        Down = ProjectionOf(layer.Down, names.Down + ".weight"),
        AttentionNorm = layer.AttentionNorm.Pointer,
        FeedForwardNorm = layer.FeedForwardNorm.Pointer,
        Bias = layer.Bias,
        QueryNorm = layer.QueryNorm is null ? null : layer.QueryNorm.Pointer,
        KeyNorm = layer.KeyNorm is null ? null : layer.KeyNorm.Pointer,
    };

    private Projection ProjectionOf(PackedMatrix panels, params ReadOnlySpan<string> names) =>
        new(null, null, panels.Outputs, panels.Inputs, new FrozenMatrix(panels, _weights.Readable(names)));
}
