namespace Hone.Engine;

/// <summary>
/// Generation through <see cref="IKernels"/>: weights, keys and values stay in the memory of the kernels, logits come to the host. Unlike on the
/// processor, the last bits of a row's logits may depend on how many rows are computed with it.
/// </summary>
internal sealed unsafe class DeviceInferenceModel : InferenceModel
{
    private readonly IKernels _kernels;
    private readonly ParameterSet _weights;
    private readonly MergedWeights _values;

    public DeviceInferenceModel(ParameterSet weights, IKernels kernels)
        : base(weights.Config)
    {
        (_weights, _kernels) = (weights, kernels);
        _values = new MergedWeights(weights, null, kernels);
        _values.Push();
    }

    public override void Repack(ParameterSet weights, LoraAdapter? adapter = null)
    {
        if (ReferenceEquals(weights, _weights) && adapter is null)
        {
            _values.Push();
            return;
        }

        using var merged = new MergedWeights(weights, adapter, _kernels);
        merged.Push();
        Take(merged.Effective);
        GC.KeepAlive(merged);
    }

    public override void Repack(TrainingModel training)
    {
        if (ReferenceEquals(training.Kernels, _kernels)) Take(training.EffectiveWeights);
        else base.Repack(training);
        GC.KeepAlive(training);
    }

    public override InferenceScratch CreateScratch(int maxRows, int maxPositions, StepCrew? crew = null) => new DeviceScratch(Config, _kernels, maxRows, maxPositions);

    public override KeyValuePool CreatePool() => new(Config, int.MaxValue, _kernels);

    public override void Dispose() => _values.Dispose();

    private protected override void Compute(InferenceScratch common, ReadOnlySpan<InferenceRow> rows)
    {
        var scratch = (DeviceScratch)common;
        foreach (ref readonly var row in rows)
        {
            if ((uint)row.Token >= (uint)Config.VocabularySize)
                throw new ArgumentOutOfRangeException(
                    nameof(rows), row.Token, $"Token id {row.Token} is outside the vocabulary of {Config.VocabularySize}.");
        }

        scratch.Describe(rows);
        _values.Gather(rows.Length, scratch.Tokens, scratch.Residual.Pointer);
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            ForwardAttention(scratch, rows.Length, layer);
            ForwardFeedForward(scratch, rows.Length, layer);
        }

        ComputeLogits(scratch);
    }

    private void ForwardAttention(DeviceScratch scratch, int rows, int index)
    {
        ref readonly var layer = ref _values.Layers[index];
        int fused = Config.FusedAttentionWidth, width = Config.HeadWidth;
        Normalize(scratch, layer.AttentionNorm, rows);
        _kernels.Project(rows, scratch.Normalized.Pointer, layer.Fused, scratch.Fused.Pointer, layer.Bias);
        if (Config.QueryKeyNorm)
        {
            NormalizeHeads(scratch, rows, Config.HeadCount, 0, layer.QueryNorm);
            NormalizeHeads(scratch, rows, Config.KeyValueHeadCount, Config.QueryWidth, layer.KeyNorm);
        }

        var paged = scratch.Paged;
        _kernels.Rotate(
            rows, Config.HeadCount + Config.KeyValueHeadCount, width, scratch.Fused.Pointer, fused, paged.Positions, scratch.Cosines, scratch.Sines, 1f);
        var shape = new PageShape(index, Config.HeadCount, Config.KeyValueHeadCount, width, KeyValuePool.BlockPositions);
        _kernels.StoreInPages(rows, shape, scratch.Fused.Pointer, scratch.Slots);
        _kernels.AttendToPages(paged, shape, scratch.Fused.Pointer, scratch.Attention.Pointer);
        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows, scratch.Attention.Pointer, layer.Output, residual, residual, Config.HiddenSize);
    }

    private void ForwardFeedForward(DeviceScratch scratch, int rows, int index)
    {
        ref readonly var layer = ref _values.Layers[index];
        Normalize(scratch, layer.FeedForwardNorm, rows);
        _kernels.Project(rows, scratch.Normalized.Pointer, layer.GateUp, scratch.GateUp.Pointer);
        _kernels.SwiGlu(rows, Config.FeedForwardSize, scratch.GateUp.Pointer, scratch.Activated.Pointer);
        var residual = scratch.Residual.Pointer;
        _kernels.Project(rows, scratch.Activated.Pointer, layer.Down, residual, residual, Config.HiddenSize);
    }

    private void ComputeLogits(DeviceScratch scratch)
    {
        var count = scratch.WantedCount;
        if (count == 0) return;
        int hidden = Config.HiddenSize, vocabulary = Config.VocabularySize;
        var shape = new NormRows(count, 1, hidden, hidden, hidden, 1, scratch.Wanted);
        _kernels.RmsNorm(
            shape, scratch.Residual.Pointer, _values.FinalNorm, scratch.Normalized.Pointer, scratch.InverseNorms.Pointer, Config.NormEpsilon);
        var logits = scratch.LogitsThere((long)count * vocabulary);
        _kernels.Project(count, scratch.Normalized.Pointer, _values.Head, logits);
        _kernels.CopyOut(logits, scratch.ReserveLogits(count).Span[..(count * vocabulary)]);
    }

    private void Normalize(DeviceScratch scratch, float* weight, int rows) => _kernels.RmsNorm(
        NormRows.Of(rows, Config.HiddenSize), scratch.Residual.Pointer, weight, scratch.Normalized.Pointer, scratch.InverseNorms.Pointer,
        Config.NormEpsilon);

    private void NormalizeHeads(DeviceScratch scratch, int rows, int heads, int column, float* weight)
    {
        var fused = Config.FusedAttentionWidth;
        var head = scratch.Fused.Pointer + column;
        _kernels.RmsNorm(
            new NormRows(rows, heads, Config.HeadWidth, fused, fused, heads), head, weight, head, scratch.InverseNorms.Pointer, Config.NormEpsilon);
    }

    private void Take(float* effective)
    {
        _kernels.Copy(effective, _values.Effective, _weights.Values.Length);
        _values.Refresh();
    }
}
