namespace Hone.Engine;

/// <summary>Generation on the processor, with weights packed for it.</summary>
internal sealed unsafe partial class HostInferenceModel : InferenceModel
{
    // What a core's own cache may hold of keys and values beside weights: below, fetching costs more than it brings (1 M parameters, two sequences: 7 %).
    private const long FetchFromBytes = 1 << 20;

    // Below, a step takes less time than helpers take to arrive.
    private const long HelpFromWeights = 4_000_000;

    // Weights that the caches hold are read by every core as fast as by one; larger ones once for all sequences of a step.
    private const long TogetherFromBytes = 48_000_000;

    private readonly VectorKernels _kernels;
    private readonly PackedWeights _packed;
    private readonly FrozenWeights? _frozen;
    private readonly LowRankWeights? _adapter;

    internal HostInferenceModel(ModelConfig config, VectorKernels kernels)
        : this(config, kernels, new PackedWeights(config, kernels, PanelFormat.Single, keepEmbedding: true))
    {
    }

    /// <summary>Weights that stay as they are, shared with others, and an adapter beside them that may change.</summary>
    internal HostInferenceModel(FrozenWeights weights, LoraAdapter? adapter)
        : this(weights.Config, VectorKernels.Best, weights.Retain().Packed)
    {
        _frozen = weights;
        if (adapter is not null) _adapter = new LowRankWeights(adapter, _kernels);
    }

    private HostInferenceModel(ModelConfig config, VectorKernels kernels, PackedWeights packed)
        : base(config)
    {
        (_kernels, _packed) = (kernels, packed);
        var weights = ParameterSet.Describe(config).Sum(tensor => (long)tensor.Length);
        IsWorthHelping = weights >= HelpFromWeights;
        SequencesTogether = weights * (packed.Head.Format == PanelFormat.Single ? sizeof(float) : sizeof(ushort)) >= TogetherFromBytes ? 8 : 1;
    }

    public override bool IsWorthHelping { get; }

    public override int SequencesTogether { get; }

    public override void Repack(ParameterSet weights, LoraAdapter? adapter = null)
    {
        if (_frozen is not null) throw new InvalidOperationException("The weights of this model are frozen; only its adapter can change.");
        _packed.Pack(weights, adapter);
    }

    public override void Repack(TrainingModel training)
    {
        if (_adapter is null) base.Repack(training);
        else _adapter.Pack(training.Adapter!);
    }

    public override InferenceScratch CreateScratch(int maxRows, int maxPositions, StepCrew? crew = null) =>
        new HostScratch(Config, _kernels, maxRows, maxPositions, crew);

    public override KeyValuePool CreatePool() => new(Config);

    internal PackedLayer WeightsOf(int layer) => _packed.Layers[layer];

    internal LowRankLayer UpdatesOf(int layer) => _adapter!.Layers[layer];

    public override void Dispose()
    {
        _adapter?.Dispose();
        if (_frozen is null) _packed.Dispose();
        else _frozen.Dispose();
    }
}
