namespace Hone.Engine;

/// <summary>Working memory of generation on the processor.</summary>
internal sealed class HostScratch : InferenceScratch
{
    private readonly int[] _siblings;
    private readonly int[] _siblingEnds;
    private NativeBuffer? _lowRank;

    internal HostScratch(ModelConfig config, VectorKernels kernels, int maxRows, int maxPositions)
        : base(config, maxRows, maxPositions)
    {
        _siblings = new int[maxRows];
        _siblingEnds = new int[maxRows];
        NativeBuffer Rows(int width) => new((long)maxRows * width);
        Residual = Rows(config.HiddenSize);
        Normalized = Rows(config.HiddenSize);
        Fused = Rows(config.FusedAttentionWidth);
        Attention = Rows(config.QueryWidth);
        GateUp = Rows(2 * config.FeedForwardSize);
        Activated = Rows(config.FeedForwardSize);
        ScoreStride = kernels.RoundUp(maxPositions) + kernels.PanelWidth;
        var queries = (long)Math.Max(InferenceAttention.QueryBlock, config.HeadsPerGroup);
        Scores = new NativeBuffer(queries * ScoreStride);
        GroupQueries = new NativeBuffer(queries * config.HeadWidth);
        GroupOutputs = new NativeBuffer(queries * config.HeadWidth);
    }

    internal NativeBuffer Residual { get; }

    internal NativeBuffer Normalized { get; }

    internal NativeBuffer Fused { get; }

    internal NativeBuffer Attention { get; }

    internal NativeBuffer GateUp { get; }

    internal NativeBuffer Activated { get; }

    internal NativeBuffer Scores { get; }

    internal int ScoreStride { get; }

    /// <summary>Query heads of siblings, side by side [queries, width].</summary>
    internal NativeBuffer GroupQueries { get; }

    internal NativeBuffer GroupOutputs { get; }

    /// <summary>Whether the pasts of this step are so large that attention fetches them ahead.</summary>
    internal bool FetchesAhead { get; set; }

    /// <summary>Groups of runs of one position whose segments start at the same point of the same parent.</summary>
    internal int SiblingGroupCount { get; private set; }

    public override void Dispose()
    {
        NativeBuffer[] buffers = [Residual, Normalized, Fused, Attention, GateUp, Activated, Scores, GroupQueries, GroupOutputs];
        foreach (var buffer in buffers) buffer.Dispose();
        _lowRank?.Dispose();
        base.Dispose();
    }

    /// <summary>Room for the inner sides of a layer's adapter [rows, width].</summary>
    internal NativeBuffer LowRank(int rows, int width) =>
        _lowRank is null || _lowRank.Length < (long)rows * width ? NativeBuffer.EnsureCapacity(ref _lowRank, (long)MaxRows * width) : _lowRank;

    /// <summary>Indices into <see cref="InferenceScratch.Runs"/> of one group.</summary>
    internal ReadOnlySpan<int> Siblings(int group)
    {
        var start = group == 0 ? 0 : _siblingEnds[group - 1];
        return _siblings.AsSpan(start, _siblingEnds[group] - start);
    }

    /// <summary>Gathers the runs of one position into groups, wherever they stand in the step. Segments without a parent stay alone.</summary>
    internal void FindSiblings()
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
