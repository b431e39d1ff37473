namespace Hone.Engine;

/// <summary>
/// Attention of generation over the blocks of a run's past. Scores of all blocks go into one row per query, indexed by position; then maximum, exponentials,
/// sum and weighted values are taken in position order. So a row's result depends neither on how its past is split into segments nor on the rows beside it.
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

    /// <summary>Attention output [rows, H · width] of one run, all heads.</summary>
    public static void Attend(ModelConfig config, VectorKernels kernels, InferenceScratch scratch, int layer, in InferenceRun run)
    {
        int width = config.HeadWidth, group = config.HeadsPerGroup;
        var blocks = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(scratch.Blocks).Slice(run.FirstBlock, run.BlockCount);
        for (var head = 0; head < config.KeyValueHeadCount; head++)
        {
            var offset = KeyOffset(config, layer, head);
            if (run.Count == 1)
            {
                // One position: the query heads of the group are the rows of the product.
                var queries = new QueryBlockView(
                    scratch.Fused.Pointer + (nint)run.FirstRow * config.FusedAttentionWidth + head * group * width, width,
                    scratch.Attention.Pointer + (nint)run.FirstRow * config.QueryWidth + head * group * width, width, group, run.FirstPosition + 1, 0);
                Attend(config, kernels, scratch, queries, blocks, offset);
                continue;
            }

            for (var query = head * group; query < (head + 1) * group; query++)
            {
                for (var first = 0; first < run.Count; first += QueryBlock)
                {
                    nint row = run.FirstRow + first;
                    var queries = new QueryBlockView(
                        scratch.Fused.Pointer + row * config.FusedAttentionWidth + query * width, config.FusedAttentionWidth,
                        scratch.Attention.Pointer + row * config.QueryWidth + query * width, config.QueryWidth,
                        Math.Min(QueryBlock, run.Count - first), run.FirstPosition + first + 1, 1);
                    Attend(config, kernels, scratch, queries, blocks, offset);
                }
            }
        }
    }

    private static void Attend(
        ModelConfig config, VectorKernels kernels, InferenceScratch scratch, QueryBlockView queries, ReadOnlySpan<ContextBlock> blocks, nint offset)
    {
        var width = config.HeadWidth;
        var scores = scratch.Scores.Pointer;
        nint stride = scratch.ScoreStride;
        var visible = queries.VisibleTo(queries.Count - 1);
        foreach (var block in blocks)
        {
            // Whole panels: what they write past the block's positions is overwritten by the next block or never read.
            var count = Math.Min(block.Count, visible - block.Position);
            if (count <= 0) break;
            kernels.Multiply(
                queries.Count, kernels.RoundUp(count), width, new MatrixView(queries.Queries, queries.QueryStride),
                kernels.Packed(block.Memory.Pointer + offset, width), scores + block.Position, stride);
        }

        var scale = 1f / MathF.Sqrt(width);
        var sums = stackalloc float[queries.Count];
        for (var i = 0; i < queries.Count; i++)
        {
            var line = scores + i * stride;
            var length = queries.VisibleTo(i);
            sums[i] = kernels.ExpOfScores(line, length, scale).Sum;
            new Span<float>(line + length, visible - length).Clear();
        }

        foreach (var block in blocks)
        {
            var count = Math.Min(block.Count, visible - block.Position);
            if (count <= 0) break;
            var values = block.Memory.Pointer + offset + (nint)KeyValuePool.BlockPositions * width;
            kernels.Multiply(
                queries.Count, width, count, new MatrixView(scores + block.Position, stride), kernels.RowMajor(values, width),
                queries.Outputs, queries.OutputStride, block.Position == 0 ? null : queries.Outputs, queries.OutputStride);
        }

        for (var i = 0; i < queries.Count; i++) kernels.Scale(queries.Outputs + i * queries.OutputStride, 1f / sums[i], width);
    }

    /// <summary>Queries that share their keys: the i-th sees the positions [0, visible + i · growth).</summary>
    private readonly struct QueryBlockView(float* queries, nint queryStride, float* outputs, nint outputStride, int count, int visible, int growth)
    {
        public readonly float* Queries = queries;
        public readonly nint QueryStride = queryStride;
        public readonly float* Outputs = outputs;
        public readonly nint OutputStride = outputStride;
        public readonly int Count = count;

        public int VisibleTo(int query) => visible + query * growth;
    }
}
