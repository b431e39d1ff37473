namespace Hone.Engine;

/// <summary>
/// Attention of generation over the blocks of a run's past. Scores of all blocks go into one row per query, indexed by position; then maximum,
/// exponentials, sum and weighted values are taken in position order. So a row's result depends neither on how its past is split into segments nor on
/// the rows beside it.
/// </summary>
internal static unsafe class InferenceAttention
{
    /// <summary>Most queries scored at a time.</summary>
    public const int QueryBlock = 24;

    /// <summary>Offset in a block of the keys of a head, [64 / P] panels of [width, P]; its values [64, width] follow.</summary>
    public static nint KeyOffset(ModelConfig config, int layer, int head) =>
        ((nint)layer * config.KeyValueHeadCount + head) * 2 * KeyValuePool.BlockPositions * config.HeadWidth;

    /// <summary>Stores the rotated keys and the values of one row.</summary>
    public static void Write(ModelConfig config, VectorKernels kernels, int layer, KeyValueSegment segment, int position, float* keys, float* values)
    {
        var index = position - segment.Start;
        var inBlock = index % KeyValuePool.BlockPositions;
        int width = config.HeadWidth, panel = kernels.PanelWidth;
        var block = segment.Block(index / KeyValuePool.BlockPositions).Pointer;
        for (var head = 0; head < config.KeyValueHeadCount; head++, keys += width, values += width)
        {
            var target = block + KeyOffset(config, layer, head);
            var column = target + (nint)(inBlock / panel) * panel * width + inBlock % panel;
            for (var i = 0; i < width; i++, column += panel) *column = keys[i];
            new ReadOnlySpan<float>(values, width).CopyTo(new Span<float>(target + (nint)(KeyValuePool.BlockPositions + inBlock) * width, width));
        }
    }

    /// <summary>Attention output [rows, H · width] of a run of several positions, all heads.</summary>
    public static void AttendRun(ModelConfig config, VectorKernels kernels, HostScratch scratch, int layer, in InferenceRun run)
    {
        int width = config.HeadWidth, group = config.HeadsPerGroup;
        var blocks = scratch.BlocksOf(run);
        for (var query = 0; query < config.HeadCount; query++)
        {
            var offset = KeyOffset(config, layer, query / group);
            for (var first = 0; first < run.Count; first += QueryBlock)
            {
                nint row = run.FirstRow + first;
                var count = Math.Min(QueryBlock, run.Count - first);
                var output = scratch.Attention.Pointer + row * config.QueryWidth + query * width;
                var queries = new MatrixView(scratch.Fused.Pointer + row * config.FusedAttentionWidth + query * width, config.FusedAttentionWidth);
                var visible = run.FirstPosition + first + count;
                var scores = new MatrixView(scratch.Scores.Pointer, scratch.ScoreStride);
                Score(kernels, width, queries, count, blocks, offset, visible, scores);
                for (var i = 0; i < count; i++) Normalize(kernels, width, scores.Data + i * scores.RowStride, visible - count + i + 1, visible);
                AddValues(kernels, width, scores, count, blocks, offset, visible, new MatrixView(output, config.QueryWidth));
            }
        }
    }

    /// <summary>
    /// Attention output of single positions whose segments have the same parent. The query heads of all of them pass over the parent's blocks
    /// together, then each over its own segment's.
    /// </summary>
    public static void AttendSiblings(ModelConfig config, VectorKernels kernels, HostScratch scratch, int layer, ReadOnlySpan<int> runs)
    {
        int width = config.HeadWidth, group = config.HeadsPerGroup;
        var atOnce = Math.Max(1, QueryBlock / group);
        for (var head = 0; head < config.KeyValueHeadCount; head++)
        {
            for (var first = 0; first < runs.Length; first += atOnce)
                AttendSiblings(config, kernels, scratch, head * group * width, KeyOffset(config, layer, head),
                    runs[first..Math.Min(runs.Length, first + atOnce)]);
        }
    }

    private static void AttendSiblings(
        ModelConfig config, VectorKernels kernels, HostScratch scratch, int column, nint offset, ReadOnlySpan<int> runs)
    {
        int width = config.HeadWidth, group = config.HeadsPerGroup, copied = group * width;
        float* queries = scratch.GroupQueries.Pointer, outputs = scratch.GroupOutputs.Pointer;
        nint stride = scratch.ScoreStride;
        for (var i = 0; i < runs.Length; i++)
        {
            var source = scratch.Fused.Pointer + (nint)scratch.Runs[runs[i]].FirstRow * config.FusedAttentionWidth + column;
            new ReadOnlySpan<float>(source, copied).CopyTo(new Span<float>(queries + i * copied, copied));
        }

        // All runs have the same blocks before their segments' start.
        var segmentStart = scratch.Runs[runs[0]].Segment.Start;
        var shared = Split(scratch, scratch.Runs[runs[0]], segmentStart).Shared;
        var allScores = new MatrixView(scratch.Scores.Pointer, stride);
        Score(kernels, width, new MatrixView(queries, width), runs.Length * group, shared, offset, segmentStart, allScores);
        for (var i = 0; i < runs.Length; i++)
        {
            var run = scratch.Runs[runs[i]];
            var scores = new MatrixView(allScores.Data + i * group * stride, stride);
            Score(kernels, width, new MatrixView(queries + i * copied, width), group, Split(scratch, run, segmentStart).Own, offset,
                run.FirstPosition + 1, scores);
            for (var k = 0; k < group; k++) Normalize(kernels, width, scores.Data + k * stride, run.FirstPosition + 1, run.FirstPosition + 1);
        }

        AddValues(kernels, width, allScores, runs.Length * group, shared, offset, segmentStart, new MatrixView(outputs, width));
        for (var i = 0; i < runs.Length; i++)
        {
            var run = scratch.Runs[runs[i]];
            var scores = new MatrixView(allScores.Data + i * group * stride, stride);
            var output = outputs + i * copied;
            AddValues(kernels, width, scores, group, Split(scratch, run, segmentStart).Own, offset, run.FirstPosition + 1,
                new MatrixView(output, width));
            var target = scratch.Attention.Pointer + (nint)run.FirstRow * config.QueryWidth + column;
            new ReadOnlySpan<float>(output, copied).CopyTo(new Span<float>(target, copied));
        }
    }

    private static BlockSplit Split(HostScratch scratch, in InferenceRun run, int segmentStart)
    {
        var blocks = scratch.BlocksOf(run);
        var shared = 0;
        while (shared < blocks.Length && blocks[shared].Position < segmentStart) shared++;
        return new BlockSplit(blocks[..shared], blocks[shared..]);
    }

    // scores[query, position] for every position of the blocks that is visible to some query.
    private static void Score(
        VectorKernels kernels, int width, MatrixView queries, int count, ReadOnlySpan<ContextBlock> blocks, nint offset, int visible,
        MatrixView scores)
    {
        foreach (var block in blocks)
        {
            // Whole panels: what they write past the block's positions is overwritten by the next block or never read.
            var positions = Math.Min(block.Count, visible - block.Position);
            if (positions <= 0) break;
            kernels.Multiply(
                count, kernels.RoundUp(positions), width, queries, kernels.Packed(block.Memory.Pointer + offset, width),
                scores.Data + block.Position, scores.RowStride);
        }
    }

    // Probabilities of the first length positions; the others up to visible are 0.
    private static void Normalize(VectorKernels kernels, int width, float* scores, int length, int visible)
    {
        var sum = kernels.ExpOfScores(scores, length, 1f / MathF.Sqrt(width)).Sum;
        kernels.Scale(scores, 1f / sum, length);
        new Span<float>(scores + length, visible - length).Clear();
    }

    // outputs[query] += Σ over positions of probability · value; the block at position 0 starts from zero.
    private static void AddValues(
        VectorKernels kernels, int width, MatrixView scores, int count, ReadOnlySpan<ContextBlock> blocks, nint offset, int visible,
        MatrixView outputs)
    {
        foreach (var block in blocks)
        {
            var positions = Math.Min(block.Count, visible - block.Position);
            if (positions <= 0) break;
            var values = block.Memory.Pointer + offset + (nint)KeyValuePool.BlockPositions * width;
            kernels.Multiply(
                count, width, positions, new MatrixView(scores.Data + block.Position, scores.RowStride), kernels.RowMajor(values, width),
                outputs.Data, outputs.RowStride, block.Position == 0 ? null : outputs.Data, outputs.RowStride);
        }
    }

    /// <summary>The blocks before a segment's start, and its own.</summary>
    private readonly ref struct BlockSplit(ReadOnlySpan<ContextBlock> shared, ReadOnlySpan<ContextBlock> own)
    {
        public ReadOnlySpan<ContextBlock> Shared { get; } = shared;

        public ReadOnlySpan<ContextBlock> Own { get; } = own;
    }
}
