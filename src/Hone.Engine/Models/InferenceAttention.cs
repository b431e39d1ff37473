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

    /// <summary>Attention output [rows, width] of a run of several positions, one query head.</summary>
    public static void AttendRun(
        ModelConfig config, VectorKernels kernels, HostScratch scratch, AttentionScratch own, int layer, in InferenceRun run, int query)
    {
        var width = config.HeadWidth;
        var blocks = scratch.BlocksOf(run);
        var pass = new KeyHeadPass(kernels, width, KeyOffset(config, layer, query / config.HeadsPerGroup), scratch.FetchesAhead);
        var scores = new MatrixView(own.Scores.Pointer, own.ScoreStride);
        for (var first = 0; first < run.Count; first += QueryBlock)
        {
            nint row = run.FirstRow + first;
            var count = Math.Min(QueryBlock, run.Count - first);
            var output = scratch.Attention.Pointer + row * config.QueryWidth + query * width;
            var queries = new MatrixView(scratch.Fused.Pointer + row * config.FusedAttentionWidth + query * width, config.FusedAttentionWidth);
            var visible = run.FirstPosition + first + count;
            pass.Score(queries, count, blocks, visible, scores);
            for (var i = 0; i < count; i++) pass.Normalize(scores.Data + i * scores.RowStride, visible - count + i + 1, visible);
            pass.AddValues(scores, count, blocks, visible, new MatrixView(output, config.QueryWidth));
        }
    }

    /// <summary>
    /// Attention output of single positions whose segments have the same parent, the query heads of one key head. Those of all of them pass over the
    /// parent's blocks together, then each over its own segment's.
    /// </summary>
    public static void AttendSiblings(
        ModelConfig config, VectorKernels kernels, HostScratch scratch, AttentionScratch own, int layer, int group, int head)
    {
        int width = config.HeadWidth, heads = config.HeadsPerGroup;
        var runs = scratch.Siblings(group);
        var atOnce = Math.Max(1, QueryBlock / heads);
        var next = group + 1 < scratch.SiblingGroupCount ? FirstBlock(scratch, scratch.Siblings(group + 1)[0]).Memory.Pointer : null;
        var pass = new KeyHeadPass(kernels, width, KeyOffset(config, layer, head), scratch.FetchesAhead);
        for (var first = 0; first < runs.Length; first += atOnce)
        {
            var end = Math.Min(runs.Length, first + atOnce);
            var after = end < runs.Length ? pass.KeysOf(FirstBlock(scratch, runs[end]))
                : head + 1 < config.KeyValueHeadCount ? FirstBlock(scratch, runs[0]).Memory.Pointer + KeyOffset(config, layer, head + 1)
                : next is null ? null
                : next + KeyOffset(config, layer, 0);
            AttendSiblings(config, scratch, own, pass, head * heads * width, runs[first..end], after);
        }
    }

    // What after points to is read next, and fetched meanwhile.
    private static void AttendSiblings(
        ModelConfig config, HostScratch scratch, AttentionScratch own, in KeyHeadPass pass, int column, ReadOnlySpan<int> runs, float* after)
    {
        int width = config.HeadWidth, heads = config.HeadsPerGroup, copied = heads * width;
        float* queries = own.GroupQueries.Pointer, outputs = own.GroupOutputs.Pointer;
        nint stride = own.ScoreStride;
        for (var i = 0; i < runs.Length; i++)
        {
            var source = scratch.Fused.Pointer + (nint)scratch.Runs[runs[i]].FirstRow * config.FusedAttentionWidth + column;
            new ReadOnlySpan<float>(source, copied).CopyTo(new Span<float>(queries + i * copied, copied));
        }

        // All runs have the same blocks before their segments' start.
        var start = scratch.Runs[runs[0]].Segment.Start;
        var shared = SharedBlocks(scratch, runs[0], start);
        var firstOwn = OwnBlocks(scratch, runs[0], start)[0];
        var allScores = new MatrixView(own.Scores.Pointer, stride);
        pass.Score(new MatrixView(queries, width), runs.Length * heads, shared, start, allScores, pass.KeysOf(firstOwn));
        for (var i = 0; i < runs.Length; i++)
        {
            var positions = scratch.Runs[runs[i]].FirstPosition + 1;
            var scores = new MatrixView(allScores.Data + i * heads * stride, stride);
            var next = i + 1 < runs.Length ? pass.KeysOf(OwnBlocks(scratch, runs[i + 1], start)[0]) : pass.ValuesOf(FirstBlock(scratch, runs[0]));
            pass.Score(new MatrixView(queries + i * copied, width), heads, OwnBlocks(scratch, runs[i], start), positions, scores, next);
            for (var k = 0; k < heads; k++) pass.Normalize(scores.Data + k * stride, positions, positions);
        }

        pass.AddValues(allScores, runs.Length * heads, shared, start, new MatrixView(outputs, width), pass.ValuesOf(firstOwn));
        for (var i = 0; i < runs.Length; i++)
        {
            var run = scratch.Runs[runs[i]];
            var scores = new MatrixView(allScores.Data + i * heads * stride, stride);
            var output = outputs + i * copied;
            var next = i + 1 < runs.Length ? pass.ValuesOf(OwnBlocks(scratch, runs[i + 1], start)[0]) : after;
            pass.AddValues(scores, heads, OwnBlocks(scratch, runs[i], start), run.FirstPosition + 1, new MatrixView(output, width), next);
            var target = scratch.Attention.Pointer + (nint)run.FirstRow * config.QueryWidth + column;
            new ReadOnlySpan<float>(output, copied).CopyTo(new Span<float>(target, copied));
        }
    }

    private static ContextBlock FirstBlock(HostScratch scratch, int run) => scratch.BlocksOf(scratch.Runs[run])[0];

    /// <summary>A run's blocks before the start of its segment.</summary>
    private static ReadOnlySpan<ContextBlock> SharedBlocks(HostScratch scratch, int run, int start) =>
        scratch.BlocksOf(scratch.Runs[run])[..CountShared(scratch, run, start)];

    /// <summary>A run's blocks from the start of its segment on: at least the one of its own position.</summary>
    private static ReadOnlySpan<ContextBlock> OwnBlocks(HostScratch scratch, int run, int start) =>
        scratch.BlocksOf(scratch.Runs[run])[CountShared(scratch, run, start)..];

    private static int CountShared(HostScratch scratch, int run, int start)
    {
        var blocks = scratch.BlocksOf(scratch.Runs[run]);
        var shared = 0;
        while (shared < blocks.Length && blocks[shared].Position < start) shared++;
        return shared;
    }
}
