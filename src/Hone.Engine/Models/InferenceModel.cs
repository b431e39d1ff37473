namespace Hone.Engine;

/// <summary>Weights packed for generation. Safe to share by any number of workers, each with its own <see cref="InferenceScratch"/>.</summary>
internal sealed unsafe class InferenceModel : IDisposable
{
    private readonly VectorKernels _kernels;
    private readonly PackedWeights _packed;

    private InferenceModel(ModelConfig config, VectorKernels kernels)
    {
        (Config, _kernels) = (config, kernels);
        _packed = new PackedWeights(config, kernels, keepEmbedding: true);
    }

    public ModelConfig Config { get; }

    /// <summary>Packs the weights, with the adapter merged into them if there is one.</summary>
    public static InferenceModel Create(ParameterSet weights, LoraAdapter? adapter = null) => Create(weights, adapter, VectorKernels.Best);

    internal static InferenceModel Create(ParameterSet weights, LoraAdapter? adapter, VectorKernels kernels)
    {
        var model = new InferenceModel(weights.Config, kernels);
        model.Repack(weights, adapter);
        return model;
    }

    /// <summary>
    /// Takes over changed weights in the same memory. No <see cref="Forward"/> may run meanwhile; keys and values computed before are stale.
    /// </summary>
    public void Repack(ParameterSet weights, LoraAdapter? adapter = null) => _packed.Pack(weights, adapter);

    /// <param name="maxRows">Most rows of one step.</param>
    /// <param name="maxPositions">Longest sequence, in tokens.</param>
    public InferenceScratch CreateScratch(int maxRows, int maxPositions) => new(Config, _kernels, maxRows, maxPositions);

    /// <summary>
    /// Computes one step of any mix of prefill and decode rows. Rows of one segment are adjacent, with consecutive ascending positions. Every
    /// segment's past must be written already or be part of the step. Segments grow as needed.
    /// </summary>
    public void Forward(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        if (rows.Length > scratch.MaxRows)
            throw new ArgumentException($"The step has {rows.Length} rows; the scratch was made for {scratch.MaxRows}.", nameof(rows));
        if (rows.IsEmpty) return;
        FindRuns(scratch, rows);
        for (var row = 0; row < rows.Length; row++) _packed.CopyEmbedding(rows[row].Token, scratch.Residual.Pointer + (nint)row * Config.HiddenSize);
        for (var layer = 0; layer < Config.LayerCount; layer++)
        {
            ForwardAttention(scratch, rows, layer);
            ForwardFeedForward(scratch, rows.Length, layer);
        }

        ComputeLogits(scratch, rows);
        Array.Clear(scratch.Runs, 0, scratch.RunCount);
        scratch.Blocks.Clear();
        GC.KeepAlive(this);
    }

    public void Dispose() => _packed.Dispose();

    private static void FindRuns(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        scratch.RunCount = 0;
        scratch.Blocks.Clear();
        for (var row = 0; row < rows.Length;)
        {
            var (first, segment, position) = (row, rows[row].Segment, rows[row].Position);
            while (++row < rows.Length && ReferenceEquals(rows[row].Segment, segment))
            {
                if (rows[row].Position == position + (row - first)) continue;
                throw new ArgumentException(
                    $"Row {row} has position {rows[row].Position}; the rows of a segment must be adjacent and ascend by one.", nameof(rows));
            }

            var end = position + (row - first);
            if (position < segment.Start || position > segment.End || end > scratch.MaxPositions)
            {
                throw new ArgumentException(
                    $"Rows {first} … {row - 1} have the positions {position} … {end - 1}; their segment goes on at {segment.End} " +
                    $"and the scratch holds {scratch.MaxPositions} positions.",
                    nameof(rows));
            }

            scratch.EnsureRotary(end);
            segment.Reserve(end - segment.Start);
            segment.Length = Math.Max(segment.Length, end - segment.Start);
            scratch.Runs[scratch.RunCount++] = new InferenceRun(first, row - first, position, segment, 0, 0);
        }

        // Only now every segment has its length: a run's past may be part of this step.
        for (var index = 0; index < scratch.RunCount; index++)
        {
            ref var run = ref scratch.Runs[index];
            var firstBlock = scratch.Blocks.Count;
            AddBlocks(scratch.Blocks, run.Segment, run.FirstPosition + run.Count);
            run = run with { FirstBlock = firstBlock, BlockCount = scratch.Blocks.Count - firstBlock };
        }

        scratch.FindSiblings();
    }

    // Root first; of each segment the positions before its child's start.
    private static void AddBlocks(List<ContextBlock> blocks, KeyValueSegment segment, int end)
    {
        if (segment.End < end)
        {
            throw new ArgumentException(
                $"A segment ends at position {segment.End} where its child needs {end} positions; compute the parent first or in the same step.");
        }

        if (segment.Parent is not null) AddBlocks(blocks, segment.Parent, segment.Start);
        for (var position = segment.Start; position < end; position += KeyValuePool.BlockPositions)
        {
            var block = segment.Block((position - segment.Start) / KeyValuePool.BlockPositions);
            blocks.Add(new ContextBlock(block, position, Math.Min(KeyValuePool.BlockPositions, end - position)));
        }
    }

    private void ForwardAttention(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows, int index)
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

    private void ForwardFeedForward(InferenceScratch scratch, int rows, int index)
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

    private void ComputeLogits(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows)
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

    private void Normalize(InferenceScratch scratch, NativeBuffer weight, int rows)
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
