namespace Hone.Engine;

/// <summary>Weights of one layer where the training kernels read them.</summary>
internal unsafe struct TrainingLayer
{
    /// <summary>Query, key and value side by side.</summary>
    public Projection Fused;

    public Projection Output;

    /// <summary>Gate and up side by side.</summary>
    public Projection GateUp;

    public Projection Down;

    public float* AttentionNorm;

    public float* FeedForwardNorm;

    /// <summary>Bias of query, key and value; null where the model has none.</summary>
    public float* Bias;

    /// <summary>Null but for Qwen 3.</summary>
    public float* QueryNorm;

    /// <summary>Null but for Qwen 3.</summary>
    public float* KeyNorm;
}

/// <summary>
/// All weights of a model in the memory of the training kernels, with the adapter added to them if there is one. Addresses do not change.
/// </summary>
internal sealed unsafe class TrainingWeights : IDisposable
{
    private readonly IKernels _kernels;
    private readonly ParameterSet _weights;
    private readonly LoraAdapter? _adapter;
    private readonly SharedTensor _given;
    private readonly SharedTensor? _adapterValues;
    private readonly FloatBuffer? _merged;
    private readonly List<FloatBuffer> _packed = [];

    public TrainingWeights(ParameterSet weights, LoraAdapter? adapter, IKernels kernels)
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

    public TrainingLayer[] Layers { get; }

    /// <summary>Output projection (the embedding where tied).</summary>
    public Projection Head { get; }

    /// <summary>All weights, the adapter added to them, laid out as the parameter set.</summary>
    public float* Effective => _merged is null ? _given.Pointer : _merged.Pointer;

    public float* Embedding => At(ParameterNames.Embedding);

    public float* FinalNorm => At(ParameterNames.FinalNorm);

    /// <summary>What is trained: the adapter's values if there is one, else the weights.</summary>
    public SharedTensor Trained => _adapterValues ?? _given;

    /// <summary>Takes over what the host wrote into weights and adapter.</summary>
    public void Push()
    {
        _given.Push();
        _adapterValues?.Push();
        Refresh();
    }

    /// <summary>Takes over trained values that changed where the kernels work.</summary>
    public void Refresh()
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

    /// <summary>The adapter's update of a projection (named without <c>.weight</c>).</summary>
    public LowRankUpdate UpdateOf(string projection)
    {
        var adapter = _adapter ?? throw new InvalidOperationException("The model is trained without an adapter.");
        var (down, up) = (adapter.Tensor(projection + LoraAdapter.DownSuffix), adapter.Tensor(projection + LoraAdapter.UpSuffix));
        var values = _adapterValues!.Pointer;
        return new LowRankUpdate(values + down.Offset, values + up.Offset, up.Rows, down.Columns, adapter.Rank, adapter.Scale);
    }

    public void Dispose()
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
