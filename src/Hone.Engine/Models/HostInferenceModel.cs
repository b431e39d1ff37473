namespace Hone.Engine;

/// <summary>Generation on the processor, with weights packed for it.</summary>
internal sealed unsafe class HostInferenceModel : InferenceModel
{
    private readonly VectorKernels _kernels;
    private readonly PackedWeights _packed;

    internal HostInferenceModel(ModelConfig config, VectorKernels kernels)
        : base(config)
    {
        _kernels = kernels;
        _packed = new PackedWeights(config, kernels, keepEmbedding: true);
    }

    public override void Repack(ParameterSet weights, LoraAdapter? adapter = null) => _packed.Pack(weights, adapter);

    public override InferenceScratch CreateScratch(int maxRows, int maxPositions) => new HostScratch(Config, _kernels, maxRows, maxPositions);

    public override KeyValuePool CreatePool() => new(Config);

    public override void Dispose() => _packed.Dispose();

    private protected override void Compute(InferenceScratch common, ReadOnlySpan<InferenceRow> rows)
    {
        var scratch = (HostScratch)common;
        scratch.FindSiblings();
        for (var row = 0; row < rows.Length; row++) _packed.CopyEmbedding(rows[row].Token, scratch.Residual.Pointer + (nint)row * Config.HiddenSize);
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            ForwardAttention(scratch, rows, layer);
            ForwardFeedForward(scratch, rows.Length, layer);
        }

        ComputeLogits(scratch, rows);
    }

    private void ForwardAttention(HostScratch scratch, ReadOnlySpan<InferenceRow> rows, int index)
    {
        var layer = _packed.Layers[index];
        int hidden = Config.HiddenSize, fused = Config.FusedAttentionWidth, width = Config.HeadWidth;
        Normalize(scratch, layer.AttentionNorm, rows.Length);
        _kernels.Project(rows.Length, scratch.Normalized.Pointer, hidden, layer.Fused, scratch.Fused.Pointer, fused, layer.Bias);
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
            InferenceAttention.AttendSiblings(Config, _kernels, scratch, index, scratch.Siblings(group));
        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows.Length, scratch.Attention.Pointer, Config.QueryWidth, layer.Output, residual, hidden, residual, hidden);
    }

    private void ForwardFeedForward(HostScratch scratch, int rows, int index)
    {
        var layer = _packed.Layers[index];
        int hidden = Config.HiddenSize, inner = Config.FeedForwardSize;
        Normalize(scratch, layer.FeedForwardNorm, rows);
        _kernels.Project(rows, scratch.Normalized.Pointer, hidden, layer.GateUp, scratch.GateUp.Pointer, 2 * inner);
        for (var row = 0; row < rows; row++)
        {
            var gate = scratch.GateUp.Pointer + (nint)row * 2 * inner;
            _kernels.SwiGlu(gate, gate + inner, scratch.Activated.Pointer + (nint)row * inner, inner);
        }

        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows, scratch.Activated.Pointer, inner, layer.Down, residual, hidden, residual, hidden);
    }

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
        _kernels.Project(count, scratch.Normalized.Pointer, hidden, _packed.Head, logits.Pointer, Config.VocabularySize);
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
