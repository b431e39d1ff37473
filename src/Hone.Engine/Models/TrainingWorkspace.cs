namespace Hone.Engine;

/// <summary>Which activations a workspace keeps between the forward and the backward pass.</summary>
internal enum ActivationMemory
{
    /// <summary>All.</summary>
    Everything,

    /// <summary>Those that take a matrix product; the others are computed once more in the backward pass.</summary>
    Products,

    /// <summary>None: for scores without gradients.</summary>
    Nothing,
}

/// <summary>What the backward pass needs of one layer's forward pass, per row.</summary>
internal sealed class LayerActivations : IDisposable
{
    private readonly FloatBuffer?[] _all;

    /// <param name="config">The model.</param>
    /// <param name="rows">Most rows.</param>
    /// <param name="kernels">Where the memory is.</param>
    /// <param name="innerWidth">Floats a row for the inner sides of an adapter beside the weights.</param>
    /// <param name="first">A layer whose memory serves this one too, but for what takes a matrix product; null for memory of its own.</param>
    public LayerActivations(ModelConfig config, int rows, IKernels kernels, int innerWidth, LayerActivations? first = null)
    {
        FloatBuffer Rows(int width) => kernels.Allocate((long)rows * width);
        Input = Rows(config.HiddenSize);
        AttentionInput = first?.AttentionInput ?? Rows(config.HiddenSize);
        Fused = Rows(config.FusedAttentionWidth);
        Attention = Rows(config.QueryWidth);
        LogSumExp = Rows(config.HeadCount);
        Middle = Rows(config.HiddenSize);
        FeedForwardInput = first?.FeedForwardInput ?? Rows(config.HiddenSize);
        GateUp = Rows(2 * config.FeedForwardSize);
        Activated = first?.Activated ?? Rows(config.FeedForwardSize);
        InverseNorms = Rows(2);
        if (innerWidth > 0) LowRank = Rows(innerWidth);
        if (config.QueryKeyNorm)
        {
            RawQueryKey = Rows(config.QueryWidth + config.KeyValueWidth);
            HeadInverseNorms = Rows(config.HeadCount + config.KeyValueHeadCount);
        }

        _all = [Input, AttentionInput, Fused, Attention, LogSumExp, Middle, FeedForwardInput, GateUp, Activated, InverseNorms, LowRank, RawQueryKey,
            HeadInverseNorms];
    }

    /// <summary>Residual stream before the layer [rows, d].</summary>
    public FloatBuffer Input { get; }

    /// <summary>Normalized input [rows, d].</summary>
    public FloatBuffer AttentionInput { get; }

    /// <summary>Rotated queries and keys, values [rows, (H + 2K) · width].</summary>
    public FloatBuffer Fused { get; }

    /// <summary>Attention output before its projection [rows, H · width].</summary>
    public FloatBuffer Attention { get; }

    /// <summary>[rows, H].</summary>
    public FloatBuffer LogSumExp { get; }

    /// <summary>Residual stream between attention and feed-forward [rows, d].</summary>
    public FloatBuffer Middle { get; }

    /// <summary>[rows, d].</summary>
    public FloatBuffer FeedForwardInput { get; }

    /// <summary>[rows, 2F].</summary>
    public FloatBuffer GateUp { get; }

    /// <summary>silu(gate) · up [rows, F].</summary>
    public FloatBuffer Activated { get; }

    /// <summary>Scales of the two RMS norms [rows, 2].</summary>
    public FloatBuffer InverseNorms { get; }

    /// <summary>Inner sides of the updates beside the weights, scale · X Aᵀ: one [rows, rank] after another. Null without such an adapter.</summary>
    public FloatBuffer? LowRank { get; }

    /// <summary>Queries and keys before their norm [rows, (H + K) · width]; Qwen 3 only.</summary>
    public FloatBuffer? RawQueryKey { get; }

    /// <summary>[rows, H + K]; Qwen 3 only.</summary>
    public FloatBuffer? HeadInverseNorms { get; }

    public void Dispose()
    {
        foreach (var buffer in _all) buffer?.Dispose();
    }
}

/// <summary>Activations and scratch of one microbatch. Grows to the largest batch seen.</summary>
/// <param name="config">The model.</param>
/// <param name="kernels">Where the memory is.</param>
/// <param name="memory">What is kept for the backward pass.</param>
/// <param name="innerWidth">Floats a row and layer for the inner sides of an adapter beside the weights.</param>
internal sealed class TrainingWorkspace(ModelConfig config, IKernels kernels, ActivationMemory memory, int innerWidth) : IDisposable
{
    private const int MinimumChunkRows = 64;

    private FloatBuffer? _output, _gradient, _branchGradient, _wideGradient, _fusedGradient, _headInput, _headGradient, _logits, _rowStatistics,
        _targetValues, _lowRankScratch;
    private int _rows;

    /// <summary>Memory that one row takes.</summary>
    public static long BytesPerRow(ModelConfig config, ActivationMemory memory)
    {
        long hidden = config.HiddenSize, inner = config.FeedForwardSize, fused = config.FusedAttentionWidth, query = config.QueryWidth;
        var products = 2 * hidden + fused + query + config.HeadCount + 2 * inner + 2 + (config.QueryKeyNorm ? query + config.KeyValueWidth : 0);
        var others = 2 * hidden + inner;
        var layers = memory switch
        {
            ActivationMemory.Everything => config.LayerCount * (products + others),
            ActivationMemory.Products => config.LayerCount * products + others,
            _ => 2 * (products + others),
        };
        return sizeof(float) * (layers + 4 * hidden + Math.Max(hidden, Math.Max(query, inner)) + 2 * inner + fused);
    }

    /// <summary>Memory that the logits of so many target rows take; beyond the most that the kernels hold it stays the same.</summary>
    public static long BytesOfLogits(ModelConfig config, IKernels kernels, int targets) =>
        sizeof(float) * (long)Math.Min(targets, ChunkRowsFor(config, kernels, targets)) * config.VocabularySize;

    /// <summary>Which activations are kept.</summary>
    public ActivationMemory Memory => memory;

    public LayerActivations[] Layers { get; private set; } = [];

    public IBlockAttention Attention { get; } = kernels.CreateAttention(config.HeadCount, config.KeyValueHeadCount, config.HeadWidth);

    /// <summary>The batch's tokens, positions and targets where the kernels read them.</summary>
    public BatchPlan Plan { get; } = new(config, kernels);

    /// <summary>The batch whose activations are held.</summary>
    public PackedBatch? Batch { get; set; }

    public float InverseTemperature { get; set; }

    /// <summary>Residual stream after the last layer [rows, d].</summary>
    public FloatBuffer Output => _output!;

    /// <summary>d loss / d residual stream [rows, d].</summary>
    public FloatBuffer Gradient => _gradient!;

    /// <summary>Gradient at the input of a branch [rows, max(d, H · width, F)].</summary>
    public FloatBuffer BranchGradient => _branchGradient!;

    /// <summary>Gradient of gate and up [rows, 2F].</summary>
    public FloatBuffer WideGradient => _wideGradient!;

    /// <summary>Gradient of queries, keys and values [rows, (H + 2K) · width].</summary>
    public FloatBuffer FusedGradient => _fusedGradient!;

    /// <summary>Normalized residual stream of the target rows [targets, d].</summary>
    public FloatBuffer HeadInput => _headInput!;

    /// <summary>[targets, d].</summary>
    public FloatBuffer HeadGradient => _headGradient!;

    /// <summary>Logits of a chunk of target rows [chunk, V]; turned into their gradients in place.</summary>
    public FloatBuffer Logits => _logits!;

    /// <summary>Per target row: scale of the final norm, log-sum-exp, gradient sum (before it the entropy) [3, targets].</summary>
    public FloatBuffer RowStatistics => _rowStatistics!;

    /// <summary>One number per target, in the order of the rows: its log-probability, then d loss / d log-probability.</summary>
    public FloatBuffer TargetValues => _targetValues!;

    /// <summary>Rows of one chunk of the head.</summary>
    public int ChunkRows { get; private set; }

    public FloatBuffer LowRankScratch(long length) => Ensure(ref _lowRankScratch, length);

    /// <summary>Makes room for a batch and brings it to where the kernels work.</summary>
    public void Bind(PackedBatch batch)
    {
        Batch = null;
        Reserve(batch);
        Plan.Bind(batch);
        Attention.Bind([.. batch.Nodes.Select(node => new RowNode(node.Start, node.Length, node.Parent))]);
        Batch = batch;
    }

    public void Dispose()
    {
        foreach (var layer in Layers) layer.Dispose();
        Attention.Dispose();
        Plan.Dispose();
        FloatBuffer?[] scratch =
            [_output, _gradient, _branchGradient, _wideGradient, _fusedGradient, _headInput, _headGradient, _logits, _rowStatistics, _targetValues,
                _lowRankScratch];
        foreach (var buffer in scratch) buffer?.Dispose();
    }

    private static int ChunkRowsFor(ModelConfig config, IKernels kernels, int targets) => (long)targets * config.VocabularySize <= kernels.MaxLogits
        ? targets
        : (int)Math.Max(MinimumChunkRows, kernels.MaxLogits / config.VocabularySize);

    private void Reserve(PackedBatch batch)
    {
        var rows = batch.RowCount;
        if (rows > _rows)
        {
            foreach (var layer in Layers) layer.Dispose();
            _rows = (rows + 63) / 64 * 64;
            Layers = CreateLayers();
            Ensure(ref _output, (long)_rows * config.HiddenSize);
            Ensure(ref _gradient, (long)_rows * config.HiddenSize);
            Ensure(ref _branchGradient, (long)_rows * Math.Max(config.HiddenSize, Math.Max(config.QueryWidth, config.FeedForwardSize)));
            Ensure(ref _wideGradient, (long)_rows * 2 * config.FeedForwardSize);
            Ensure(ref _fusedGradient, (long)_rows * config.FusedAttentionWidth);
            Ensure(ref _headInput, (long)_rows * config.HiddenSize);
            Ensure(ref _headGradient, (long)_rows * config.HiddenSize);
            Ensure(ref _rowStatistics, (long)_rows * 3);
        }

        var targets = batch.TargetRows.Length;
        ChunkRows = ChunkRowsFor(config, kernels, targets);
        Ensure(ref _logits, (long)Math.Min(targets, ChunkRows) * config.VocabularySize);
        Ensure(ref _targetValues, batch.Targets.Count);
    }

    // Without gradients two layers are enough: the one that is computed and the next, which takes its output.
    private LayerActivations[] CreateLayers()
    {
        var layers = new LayerActivations[config.LayerCount];
        for (var index = 0; index < layers.Length; index++)
        {
            layers[index] = memory == ActivationMemory.Nothing && index > 1 ? layers[index - 2]
                : new LayerActivations(config, _rows, kernels, innerWidth, memory == ActivationMemory.Products && index > 0 ? layers[0] : null);
        }

        return layers;
    }

    private FloatBuffer Ensure(ref FloatBuffer? buffer, long length)
    {
        if (buffer is not null && buffer.Capacity >= length) return buffer;
        buffer?.Dispose();
        return buffer = kernels.Allocate(length);
    }
}
