namespace Hone.Engine;

/// <summary>What the backward pass needs of one layer's forward pass, per row.</summary>
internal sealed class LayerActivations : IDisposable
{
    private readonly NativeBuffer?[] _all;

    public LayerActivations(ModelConfig config, int rows)
    {
        NativeBuffer Rows(int width) => new((long)rows * width);
        Input = Rows(config.HiddenSize);
        AttentionInput = Rows(config.HiddenSize);
        Fused = Rows(config.FusedAttentionWidth);
        Attention = Rows(config.QueryWidth);
        LogSumExp = Rows(config.HeadCount);
        Middle = Rows(config.HiddenSize);
        FeedForwardInput = Rows(config.HiddenSize);
        GateUp = Rows(2 * config.FeedForwardSize);
        Activated = Rows(config.FeedForwardSize);
        InverseNorms = Rows(2);
        if (config.QueryKeyNorm)
        {
            RawQueryKey = Rows(config.QueryWidth + config.KeyValueWidth);
            HeadInverseNorms = Rows(config.HeadCount + config.KeyValueHeadCount);
        }

        _all = [Input, AttentionInput, Fused, Attention, LogSumExp, Middle, FeedForwardInput, GateUp, Activated, InverseNorms, RawQueryKey,
            HeadInverseNorms];
    }

    /// <summary>Residual stream before the layer [rows, d].</summary>
    public NativeBuffer Input { get; }

    /// <summary>Normalized input [rows, d].</summary>
    public NativeBuffer AttentionInput { get; }

    /// <summary>Rotated queries and keys, values [rows, (H + 2K) · width].</summary>
    public NativeBuffer Fused { get; }

    /// <summary>Attention output before its projection [rows, H · width].</summary>
    public NativeBuffer Attention { get; }

    /// <summary>[rows, H].</summary>
    public NativeBuffer LogSumExp { get; }

    /// <summary>Residual stream between attention and feed-forward [rows, d].</summary>
    public NativeBuffer Middle { get; }

    /// <summary>[rows, d].</summary>
    public NativeBuffer FeedForwardInput { get; }

    /// <summary>[rows, 2F].</summary>
    public NativeBuffer GateUp { get; }

    /// <summary>silu(gate) · up [rows, F].</summary>
    public NativeBuffer Activated { get; }

    /// <summary>Scales of the two RMS norms [rows, 2].</summary>
    public NativeBuffer InverseNorms { get; }

    /// <summary>Queries and keys before their norm [rows, (H + K) · width]; Qwen 3 only.</summary>
    public NativeBuffer? RawQueryKey { get; }

    /// <summary>[rows, H + K]; Qwen 3 only.</summary>
    public NativeBuffer? HeadInverseNorms { get; }

    public void Dispose()
    {
        foreach (var buffer in _all) buffer?.Dispose();
    }
}

/// <summary>Activations and scratch of one microbatch. Grows to the largest batch seen.</summary>
internal sealed class TrainingWorkspace(ModelConfig config, VectorKernels kernels) : IDisposable
{
    /// <summary>Most logits held at a time; larger heads are computed in chunks of rows and again in the backward pass.</summary>
    private const long MaxLogits = 1 << 24;

    private const int MinimumChunkRows = 64;

    private NativeBuffer? _output, _gradient, _branchGradient, _wideGradient, _fusedGradient, _headInput, _headGradient, _logits, _rowStatistics,
        _narrow, _panels;
    private int _rows;

    public LayerActivations[] Layers { get; private set; } = [];

    public BlockAttention Attention { get; } = new(kernels, config.HeadCount, config.KeyValueHeadCount, config.HeadWidth);

    public RotaryTable Rotary { get; } = new(RopeFrequencies.For(config));

    /// <summary>The batch whose activations are held.</summary>
    public PackedBatch? Batch { get; set; }

    public float InverseTemperature { get; set; }

    /// <summary>Residual stream after the last layer [rows, d].</summary>
    public NativeBuffer Output => _output!;

    /// <summary>d loss / d residual stream [rows, d].</summary>
    public NativeBuffer Gradient => _gradient!;

    /// <summary>Gradient at the input of a branch [rows, max(d, H · width, F)].</summary>
    public NativeBuffer BranchGradient => _branchGradient!;

    /// <summary>Gradient of gate and up [rows, 2F].</summary>
    public NativeBuffer WideGradient => _wideGradient!;

    /// <summary>Gradient of queries, keys and values [rows, (H + 2K) · width].</summary>
    public NativeBuffer FusedGradient => _fusedGradient!;

    /// <summary>Normalized residual stream of the target rows [targets, d].</summary>
    public NativeBuffer HeadInput => _headInput!;

    /// <summary>[targets, d].</summary>
    public NativeBuffer HeadGradient => _headGradient!;

    /// <summary>Logits of a chunk of target rows [chunk, V]; turned into their gradients in place.</summary>
    public NativeBuffer Logits => _logits!;

    /// <summary>Per target row: scale of the final norm, log-sum-exp, gradient sum [targets, 3].</summary>
    public NativeBuffer RowStatistics => _rowStatistics!;

    /// <summary>Rows of one chunk of the head.</summary>
    public int ChunkRows { get; private set; }

    /// <summary>Low-rank products [rows, rank], twice, and [rank, outputs].</summary>
    public NativeBuffer Narrow(long length) => NativeBuffer.EnsureCapacity(ref _narrow, length);

    /// <summary>Panels of one low-rank matrix.</summary>
    public NativeBuffer Panels(long length) => NativeBuffer.EnsureCapacity(ref _panels, length);

    public void Reserve(PackedBatch batch)
    {
        var rows = batch.RowCount;
        if (rows > _rows)
        {
            foreach (var layer in Layers) layer.Dispose();
            _rows = (rows + 63) / 64 * 64;
            Layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new LayerActivations(config, _rows))];
            NativeBuffer.EnsureCapacity(ref _output, (long)_rows * config.HiddenSize);
            NativeBuffer.EnsureCapacity(ref _gradient, (long)_rows * config.HiddenSize);
            NativeBuffer.EnsureCapacity(ref _branchGradient,
                (long)_rows * Math.Max(config.HiddenSize, Math.Max(config.QueryWidth, config.FeedForwardSize)));
            NativeBuffer.EnsureCapacity(ref _wideGradient, (long)_rows * 2 * config.FeedForwardSize);
            NativeBuffer.EnsureCapacity(ref _fusedGradient, (long)_rows * config.FusedAttentionWidth);
            NativeBuffer.EnsureCapacity(ref _headInput, (long)_rows * config.HiddenSize);
            NativeBuffer.EnsureCapacity(ref _headGradient, (long)_rows * config.HiddenSize);
            NativeBuffer.EnsureCapacity(ref _rowStatistics, (long)_rows * 3);
        }

        var targets = batch.TargetRows.Length;
        ChunkRows = (long)targets * config.VocabularySize <= MaxLogits ? targets : (int)Math.Max(MinimumChunkRows, MaxLogits / config.VocabularySize);
        NativeBuffer.EnsureCapacity(ref _logits, (long)Math.Min(targets, ChunkRows) * config.VocabularySize);
        if (rows > 0) Rotary.Ensure(batch.Positions.Max() + 1);
    }

    public void Dispose()
    {
        foreach (var layer in Layers) layer.Dispose();
        Attention.Dispose();
        Rotary.Dispose();
        NativeBuffer?[] scratch =
            [_output, _gradient, _branchGradient, _wideGradient, _fusedGradient, _headInput, _headGradient, _logits, _rowStatistics, _narrow,
                _panels];
        foreach (var buffer in scratch) buffer?.Dispose();
    }
}
