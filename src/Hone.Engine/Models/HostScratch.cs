namespace Hone.Engine;

/// <summary>Working memory of generation on the processor.</summary>
internal sealed class HostScratch : InferenceScratch
{
    private readonly ModelConfig _config;
    private readonly AttentionScratch?[] _attention;
    private readonly int[] _siblings;
    private readonly int[] _siblingEnds;
    private readonly int _scoreStride;
    private NativeBuffer? _lowRank;

    /// <param name="config">The model's shape.</param>
    /// <param name="kernels">The kernels that will use it.</param>
    /// <param name="maxRows">Most rows of one step.</param>
    /// <param name="maxPositions">Longest sequence, in tokens.</param>
    /// <param name="crew">Who may help with the steps; null for nobody.</param>
    internal HostScratch(ModelConfig config, VectorKernels kernels, int maxRows, int maxPositions, StepCrew? crew)
        : base(config, maxRows, maxPositions)
    {
        (_config, Crew) = (config, crew);
        _attention = new AttentionScratch?[crew?.Size ?? 1];
        Rows = new InferenceRow[maxRows];
        _siblings = new int[maxRows];
        _siblingEnds = new int[maxRows];
        NativeBuffer Of(int width) => new((long)maxRows * width);
        Residual = Of(config.HiddenSize);
        Normalized = Of(config.HiddenSize);
        Fused = Of(config.FusedAttentionWidth);
        Attention = Of(config.QueryWidth);
        GateUp = Of(2 * config.FeedForwardSize);
        Activated = Of(config.FeedForwardSize);
        _scoreStride = kernels.RoundUp(maxPositions) + kernels.PanelWidth;
    }

    internal StepCrew? Crew { get; }

    /// <summary>The rows of this step.</summary>
    internal InferenceRow[] Rows { get; }

    internal int RowCount { get; private set; }

    /// <summary>Rows of the products: those of the step, and at its end those that want logits.</summary>
    internal int ProductRows { get; set; }

    /// <summary>Whether a run of this step has several positions.</summary>
    internal bool HasLongRuns { get; private set; }

    internal NativeBuffer Residual { get; }

    internal NativeBuffer Normalized { get; }

    internal NativeBuffer Fused { get; }

    internal NativeBuffer Attention { get; }

    internal NativeBuffer GateUp { get; }

    internal NativeBuffer Activated { get; }

    /// <summary>Whether the pasts of this step are so large that attention fetches them ahead.</summary>
    internal bool FetchesAhead { get; set; }

    /// <summary>Groups of runs of one position whose segments start at the same point of the same parent.</summary>
    internal int SiblingGroupCount { get; private set; }

    public override void Dispose()
    {
        NativeBuffer[] buffers = [Residual, Normalized, Fused, Attention, GateUp, Activated];
        foreach (var buffer in buffers) buffer.Dispose();
        foreach (var attention in _attention) attention?.Dispose();
        _lowRank?.Dispose();
        base.Dispose();
    }

    /// <summary>The inner sides of a layer's adapter [rows, width].</summary>
    internal NativeBuffer? LowRank => _lowRank;

    /// <summary>Takes over the rows of a step.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="lowRankWidth">Floats that the inner sides of a layer's adapter take, a row.</param>
    internal void TakeRows(ReadOnlySpan<InferenceRow> rows, int lowRankWidth)
    {
        rows.CopyTo(Rows);
        RowCount = ProductRows = rows.Length;
        HasLongRuns = RunCount < rows.Length;
        if (lowRankWidth > 0) NativeBuffer.EnsureCapacity(ref _lowRank, (long)MaxRows * lowRankWidth);
        FindSiblings();
    }

    /// <summary>Lets go of the step's segments.</summary>
    internal void ForgetRows() => Array.Clear(Rows, 0, RowCount);

    /// <summary>What a member of the crew works with in attention; used by that member alone.</summary>
    internal AttentionScratch AttentionOf(int member) => _attention[member] ??= new AttentionScratch(_config, _scoreStride);

    /// <summary>Indices into <see cref="InferenceScratch.Runs"/> of one group.</summary>
    internal ReadOnlySpan<int> Siblings(int group)
    {
        var start = group == 0 ? 0 : _siblingEnds[group - 1];
        return _siblings.AsSpan(start, _siblingEnds[group] - start);
    }

    /// <summary>Gathers the runs of one position into groups, wherever they stand in the step. Segments without a parent stay alone.</summary>
    private void FindSiblings()
    {
        var (groups, members) = (0, 0);
        for (var first = 0; first < RunCount; first++)
        {
            var segment = Runs[first].Segment;
            if (Runs[first].Count != 1 || Array.IndexOf(_siblings, first, 0, members) >= 0) continue;
            _siblings[members++] = first;
            for (var other = first + 1; segment.Parent is not null && other < RunCount; other++)
            {
                var candidate = Runs[other].Segment;
                var isSibling = ReferenceEquals(candidate.Parent, segment.Parent) && candidate.Start == segment.Start;
                if (isSibling && Runs[other].Count == 1) _siblings[members++] = other;
            }

            _siblingEnds[groups++] = members;
        }

        SiblingGroupCount = groups;
    }
}

/// <summary>Working memory of attention of one thread.</summary>
internal sealed class AttentionScratch : IDisposable
{
    public AttentionScratch(ModelConfig config, int scoreStride)
    {
        var queries = (long)Math.Max(InferenceAttention.QueryBlock, config.HeadsPerGroup);
        ScoreStride = scoreStride;
        Scores = new NativeBuffer(queries * scoreStride);
        GroupQueries = new NativeBuffer(queries * config.HeadWidth);
        GroupOutputs = new NativeBuffer(queries * config.HeadWidth);
    }

    /// <summary>[queries, positions].</summary>
    public NativeBuffer Scores { get; }

    public int ScoreStride { get; }

    /// <summary>Query heads of siblings, side by side [queries, width].</summary>
    public NativeBuffer GroupQueries { get; }

    public NativeBuffer GroupOutputs { get; }

    public void Dispose()
    {
        Scores.Dispose();
        GroupQueries.Dispose();
        GroupOutputs.Dispose();
    }
}
