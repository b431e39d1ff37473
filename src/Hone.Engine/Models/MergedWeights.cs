namespace Hone.Engine;

/// <summary>Weights in float32 in the memory of the training kernels, with the adapter added to them if there is one.</summary>
internal sealed unsafe class MergedWeights : TrainingWeights
{
    private readonly IKernels _kernels;
    private readonly ParameterSet _weights;
    private readonly LoraAdapter? _adapter;
    private readonly SharedTensor _given;
    private readonly SharedTensor? _adapterValues;
    private readonly FloatBuffer? _merged;
    private readonly List<FloatBuffer> _packed = [];

    public MergedWeights(ParameterSet weights, LoraAdapter? adapter, IKernels kernels)
    {
        (_weights, _adapter, _kernels) = (weights, adapter, kernels);
        _given = new SharedTensor(kernels, weights.Buffer);
        if (adapter is not null)
        {
            _adapterValues = new SharedTensor(kernels, adapter.Buffer);
            _merged = kernels.Allocate(weights.Values.Length);
        }

        Layers = new TrainingLayer[weights.Config.LayerCount];
        for (var index = 0; index < Layers.Length; index++) Layers[index] = LayerOf(new ParameterNames(index));
        Head = ProjectionOf([weights.Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head]);
    }

    public override TrainingLayer[] Layers { get; }

    public override Projection Head { get; }

    /// <summary>All weights, the adapter added to them, laid out as the parameter set.</summary>
    public float* Effective => _merged is null ? _given.Pointer : _merged.Pointer;

    public override float* FinalNorm => At(ParameterNames.FinalNorm);

    public override SharedTensor Trained => _adapterValues ?? _given;

    public override void Push()
    {
        _given.Push();
        _adapterValues?.Push();
        Refresh();
    }

    public override void Refresh()
    {
        if (_merged is not null) Merge();
        foreach (ref readonly var layer in Layers.AsSpan())
        {
            Pack(layer.Fused);
            Pack(layer.Output);
            Pack(layer.GateUp);
            Pack(layer.Down);
        }

        Pack(Head);
        GC.KeepAlive(this);
    }

    public override LowRankUpdate UpdateOf(string projection)
    {
        var adapter = _adapter ?? throw new InvalidOperationException("The model is trained without an adapter.");
        var (down, up) = (adapter.Tensor(projection + LoraAdapter.DownSuffix), adapter.Tensor(projection + LoraAdapter.UpSuffix));
        var values = _adapterValues!.Pointer;
        return new LowRankUpdate(values + down.Offset, values + up.Offset, up.Rows, down.Columns, adapter.Rank, adapter.Scale);
    }

    public override void Gather(int rows, int* tokens, float* target) =>
        _kernels.Gather(rows, _weights.Config.HiddenSize, At(ParameterNames.Embedding), tokens, target);

    public override void Dispose()
    {
        _given.Dispose();
        _adapterValues?.Dispose();
        _merged?.Dispose();
        foreach (var buffer in _packed) buffer.Dispose();
    }

    private TrainingLayer LayerOf(ParameterNames names)
    {
        var config = _weights.Config;
        return new TrainingLayer
        {
            Fused = ProjectionOf([names.Query + ".weight", names.Key + ".weight", names.Value + ".weight"]),
            Output = ProjectionOf([names.Output + ".weight"]),
            GateUp = ProjectionOf([names.Gate + ".weight", names.Up + ".weight"]),
            Down = ProjectionOf([names.Down + ".weight"]),
            AttentionNorm = At(names.AttentionNorm),
            FeedForwardNorm = At(names.FeedForwardNorm),
            Bias = config.AttentionBias ? At(names.Query + ".bias") : null, // Those of key and value follow.
            QueryNorm = config.QueryKeyNorm ? At(names.QueryNorm) : null,
            KeyNorm = config.QueryKeyNorm ? At(names.KeyNorm) : null,
        };
    }

    // The projections lie side by side in the parameter set, so that they are one matrix.
    private Projection ProjectionOf(ReadOnlySpan<string> names)
    {
        var outputs = 0;
        foreach (var name in names) outputs += _weights.Tensor(name).Rows;
        var inputs = _weights.Tensor(names[0]).Columns;
        var length = _kernels.PackedLength(outputs, inputs);
        if (length == 0) return new Projection(At(names[0]), null, outputs, inputs);
        _packed.Add(_kernels.Allocate(length));
        return new Projection(At(names[0]), _packed[^1].Pointer, outputs, inputs);
    }

    private void Pack(in Projection projection)
    {
        if (projection.Packed is not null) _kernels.Pack(projection);
    }

    private void Merge()
    {
        _kernels.Copy(_given.Pointer, _merged!.Pointer, _weights.Values.Length);
        foreach (var tensor in _weights.Tensors)
        {
            if (tensor.Shape.Length == 2 && tensor.Name[..^".weight".Length] is var projection && _adapter!.Targets(projection))
                _kernels.AddLowRank(UpdateOf(projection), _merged.Pointer + tensor.Offset);
        }
    }

    private float* At(string name) => Effective + _weights.Tensor(name).Offset;
}
