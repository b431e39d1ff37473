using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>One token to compute: where its keys and values go, its position in the sequence, its id, and whether its logits are wanted.</summary>
internal readonly record struct InferenceRow(KeyValueSegment Segment, int Position, int Token, bool WantLogits);

/// <summary>Adjacent rows of one segment, and the range of <see cref="InferenceScratch.Blocks"/> that holds their whole past.</summary>
internal readonly record struct InferenceRun(int FirstRow, int Count, int FirstPosition, KeyValueSegment Segment, int FirstBlock, int BlockCount);

/// <summary>
/// A piece of a run's past: keys and values of <paramref name="Count"/> positions from <paramref name="Position"/> on, at the start of a block.
/// </summary>
internal readonly record struct ContextBlock(NativeBuffer Memory, int Position, int Count);

/// <summary>Working memory of one worker thread.</summary>
internal sealed class InferenceScratch : IDisposable
{
    private readonly ModelConfig _config;
    private readonly int[] _slotOfRow;
    private readonly int[] _siblings;
    private readonly int[] _siblingEnds;
    private NativeBuffer? _logits;

    internal InferenceScratch(ModelConfig config, VectorKernels kernels, int maxRows, int maxPositions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxRows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxPositions);
        (_config, MaxRows, MaxPositions) = (config, maxRows, maxPositions);
        _slotOfRow = new int[maxRows];
        Runs = new InferenceRun[maxRows];
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
        Rotary = new RotaryTable(RopeFrequencies.For(config));
    }

    /// <summary>Most rows of one step.</summary>
    public int MaxRows { get; }

    /// <summary>Longest sequence, in tokens.</summary>
    public int MaxPositions { get; }

    internal InferenceRun[] Runs { get; }

    internal int RunCount { get; set; }

    /// <summary>The pasts of all runs, each in position order.</summary>
    internal List<ContextBlock> Blocks { get; } = [];

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

    /// <summary>Groups of runs of one position whose segments start at the same point of the same parent.</summary>
    internal int SiblingGroupCount { get; private set; }

    internal RotaryTable Rotary { get; }

    /// <summary>Makes the angles of positions up to <paramref name="end"/> available: more than needed, so that it seldom happens.</summary>
    internal void EnsureRotary(int end)
    {
        const int Block = 512;
        if (end > Rotary.Positions) Rotary.Ensure(Math.Min(MaxPositions, (end + Block - 1) / Block * Block));
    }

    /// <summary>
    /// Logits [V] of the <paramref name="index"/>-th row of the last step; that row must have asked for them. Overwritten by the next step.
    /// </summary>
    public Span<float> Logits(int index)
    {
        var slot = _slotOfRow[index];
        if (slot < 0) throw new InvalidOperationException($"Row {index} of the last step did not ask for logits.");
        return _logits!.Span.Slice(slot * _config.VocabularySize, _config.VocabularySize);
    }

    public void Dispose()
    {
        NativeBuffer?[] buffers = [Residual, Normalized, Fused, Attention, GateUp, Activated, Scores, GroupQueries, GroupOutputs, _logits];
        foreach (var buffer in buffers) buffer?.Dispose();
        Rotary.Dispose();
    }

    internal ReadOnlySpan<ContextBlock> BlocksOf(in InferenceRun run) => CollectionsMarshal.AsSpan(Blocks).Slice(run.FirstBlock, run.BlockCount);

    /// <summary>Indices into <see cref="Runs"/> of one group.</summary>
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

    internal void SetSlot(int row, int slot) => _slotOfRow[row] = slot;

    internal NativeBuffer ReserveLogits(int count) => NativeBuffer.EnsureCapacity(ref _logits, (long)count * _config.VocabularySize);
}
