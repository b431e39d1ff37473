namespace Hone.Engine;

/// <summary>Generation on the processor, with weights packed for it.</summary>
internal sealed unsafe class HostInferenceModel : InferenceModel
{
    // What a core's own cache may hold of keys and values beside weights: below, fetching costs more than it brings (1 M parameters, two sequences: 7 %).
    private const long FetchFromBytes = 1 << 20;

    private readonly VectorKernels _kernels;
    private readonly PackedWeights _packed;
    private readonly FrozenWeights? _frozen;
    private readonly LowRankWeights? _adapter;

    internal HostInferenceModel(ModelConfig config, VectorKernels kernels)
        : base(config)
    {
        _kernels = kernels;
        _packed = new PackedWeights(config, kernels, PanelFormat.Single, keepEmbedding: true);
    }

    /// <summary>Weights that stay as they are, shared with others, and an adapter beside them that may change.</summary>
    internal HostInferenceModel(FrozenWeights weights, LoraAdapter? adapter)
        : base(weights.Config)
    {
        _kernels = VectorKernels.Best;
        _frozen = weights.Retain();
        _packed = weights.Packed;
        if (adapter is not null) _adapter = new LowRankWeights(adapter, _kernels);
    }

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

    public override InferenceScratch CreateScratch(int maxRows, int maxPositions) => new HostScratch(Config, _kernels, maxRows, maxPositions);

    public override KeyValuePool CreatePool() => new(Config);

    public override void Dispose()
    {
        _adapter?.Dispose();
        if (_frozen is null) _packed.Dispose();
        else _frozen.Dispose();
    }

    private protected override void Compute(InferenceScratch common, ReadOnlySpan<InferenceRow> rows)
    {
        var scratch = (HostScratch)common;
        scratch.FindSiblings();
        scratch.FetchesAhead = (long)scratch.Blocks.Count * KeyValuePool.BytesOfBlock(Config) > FetchFromBytes;
        for (var row = 0; row < rows.Length; row++) CopyEmbedding(rows[row].Token, scratch.Residual.Pointer + (nint)row * Config.HiddenSize);
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            ForwardAttention(scratch, rows, layer);
            ForwardFeedForward(scratch, rows.Length, layer);
        }

        ComputeLogits(scratch, rows);
    }

    private void CopyEmbedding(int token, float* target)
    {
        if ((uint)token >= (uint)Config.VocabularySize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"Token id {token} is outside the vocabulary of {Config.VocabularySize}.");
        if (_frozen is null) _packed.CopyEmbedding(token, target);
        else _frozen.Gather(1, &token, target);
    }

    private void ForwardAttention(HostScratch scratch, ReadOnlySpan<InferenceRow> rows, int index)
    {
        var layer = _packed.Layers[index];
        int hidden = Config.HiddenSize, fused = Config.FusedAttentionWidth, width = Config.HeadWidth;
        Normalize(scratch, layer.AttentionNorm, rows.Length);
        _kernels.Project(rows.Length, scratch.Normalized.Pointer, layer.Fused, scratch.Fused.Pointer, layer.Bias);
        AddUpdate(scratch, _adapter?.Layers[index].Fused, rows.Length, scratch.Normalized, scratch.Fused);
        for (var row = 0; row < rows.Length; row++)
        {
            var query = scratch.Fused.Pointer + (nint)row * fused;
            var position = rows[row].Position;
            if (Config.QueryKeyNorm) NormalizeHeads(layer, query);
            for (var head = 0; head < Config.HeadCount + Config.KeyValueHeadCount; head++)
                _kernels.Rotate(query + head * width, scratch.Rotary.Cosines(position), scratch.Rotary.Sines(position), width / 2, 1f);
            var keys = query + Config.QueryWidth;
            InferenceAttention.Write(Config, _kernels, index, rows[row].Segment, position, keys, keys + Config.KeyValueWidth);
        }

        for (var run = 0; run < scratch.RunCount; run++)
        {
            if (scratch.Runs[run].Count > 1) InferenceAttention.AttendRun(Config, _kernels, scratch, index, scratch.Runs[run]);
        }

        for (var group = 0; group < scratch.SiblingGroupCount; group++)
            InferenceAttention.AttendSiblings(Config, _kernels, scratch, index, group);
        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows.Length, scratch.Attention.Pointer, layer.Output, residual, residual, hidden);
        AddUpdate(scratch, _adapter?.Layers[index].Output, rows.Length, scratch.Attention, scratch.Residual);
    }

    private void ForwardFeedForward(HostScratch scratch, int rows, int index)
    {
        var layer = _packed.Layers[index];
        int hidden = Config.HiddenSize, inner = Config.FeedForwardSize;
        Normalize(scratch, layer.FeedForwardNorm, rows);
        _kernels.Project(rows, scratch.Normalized.Pointer, layer.GateUp, scratch.GateUp.Pointer);
        AddUpdate(scratch, _adapter?.Layers[index].GateUp, rows, scratch.Normalized, scratch.GateUp);
        for (var row = 0; row < rows; row++)
        {
            var gate = scratch.GateUp.Pointer + (nint)row * 2 * inner;
            _kernels.SwiGlu(gate, gate + inner, scratch.Activated.Pointer + (nint)row * inner, inner);
        }

        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows, scratch.Activated.Pointer, layer.Down, residual, residual, hidden);
        AddUpdate(scratch, _adapter?.Layers[index].Down, rows, scratch.Activated, scratch.Residual);
    }

    private void AddUpdate(HostScratch scratch, LowRankGroup? update, int rows, NativeBuffer x, NativeBuffer y) =>
        update?.Add(rows, x.Pointer, y.Pointer, scratch.LowRank(rows, _adapter!.InnerWidth).Pointer);

    private void ComputeLogits(HostScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        var (hidden, count) = (Config.HiddenSize, 0);
        for (var row = 0; row < rows.Length; row++)
        {
            scratch.SetSlot(row, rows[row].WantLogits ? count : -1);
            if (!rows[row].WantLogits) continue;
            float* input = scratch.Residual.Pointer + (nint)row * hidden, output = scratch.Normalized.Pointer + (nint)count * hidden;
            _kernels.RmsNorm(input, _packed.FinalNorm.Pointer, output, hidden, Config.NormEpsilon);
            count++;
        }

        if (count == 0) return;
        var logits = scratch.ReserveLogits(count);
        _kernels.Project(count, scratch.Normalized.Pointer, _packed.Head, logits.Pointer);
    }

    private void Normalize(HostScratch scratch, NativeBuffer weight, int rows)
    {
        float* input = scratch.Residual.Pointer, output = scratch.Normalized.Pointer;
        for (var row = 0; row < rows; row++, input += Config.HiddenSize, output += Config.HiddenSize)
            _kernels.RmsNorm(input, weight.Pointer, output, Config.HiddenSize, Config.NormEpsilon);
    }

    private void NormalizeHeads(PackedLayer layer, float* head)
    {
        for (var i = 0; i < Config.HeadCount + Config.KeyValueHeadCount; i++, head += Config.HeadWidth)
            _kernels.RmsNorm(head, (i < Config.HeadCount ? layer.QueryNorm : layer.KeyNorm)!.Pointer, head, Config.HeadWidth, Config.NormEpsilon);
    }
}
