namespace Hone.Engine;

/// <summary>
/// Queries of one key head over blocks of keys and values. Where a step's pasts are too large for the cache of one core, what is read after a block is fetched
/// while the block is: a few queries compute too little to hide what memory takes, and blocks are too short for the processor to foresee the next.
/// </summary>
/// <param name="kernels">The arithmetic.</param>
/// <param name="width">Width of a head.</param>
/// <param name="keys">Offset of the head's keys in every block; its values follow.</param>
/// <param name="fetches">Whether to fetch ahead.</param>
internal readonly unsafe struct KeyHeadPass(VectorKernels kernels, int width, nint keys, bool fetches)
{
    private readonly nint _values = keys + (nint)KeyValuePool.BlockPositions * width;

    /// <summary>Where a block's keys begin.</summary>
    public float* KeysOf(in ContextBlock block) => block.Memory.Pointer + keys;

    /// <summary>Where a block's values begin.</summary>
    public float* ValuesOf(in ContextBlock block) => block.Memory.Pointer + _values;

    /// <summary>
    /// scores[query, position] for every position of the blocks that is visible to some query. What <paramref name="after"/> points to, null for nothing, is read
    /// after the blocks.
    /// </summary>
    public void Score(MatrixView queries, int count, ReadOnlySpan<ContextBlock> blocks, int visible, MatrixView scores, float* after = null)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            ref readonly var block = ref blocks[i];
            // Whole panels: what they write past the block's positions is overwritten by the next block or never read.
            var positions = Math.Min(block.Count, visible - block.Position);
            if (positions <= 0) break;
            var next = i + 1 < blocks.Length ? KeysOf(blocks[i + 1]) : after;
            var panels = kernels.Packed(KeysOf(block), width);
            kernels.Multiply(
                count, kernels.RoundUp(positions), width, queries, fetches ? panels.Before(next) : panels, scores.Data + block.Position, scores.RowStride);
        }
    }

    /// <summary>Probabilities of the first <paramref name="length"/> positions; the others up to <paramref name="visible"/> are 0.</summary>
    public void Normalize(float* scores, int length, int visible)
    {
        var sum = kernels.ExpOfScores(scores, length, 1f / MathF.Sqrt(width)).Sum;
        kernels.Scale(scores, 1f / sum, length);
        new Span<float>(scores + length, visible - length).Clear();
    }

    /// <summary>outputs[query] += Σ over positions of probability · value; the block at position 0 starts from zero.</summary>
    public void AddValues(MatrixView scores, int count, ReadOnlySpan<ContextBlock> blocks, int visible, MatrixView outputs, float* after = null)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            ref readonly var block = ref blocks[i];
            var positions = Math.Min(block.Count, visible - block.Position);
            if (positions <= 0) break;
            var next = i + 1 < blocks.Length ? ValuesOf(blocks[i + 1]) : after;
            var rows = kernels.RowMajor(ValuesOf(block), width);
            kernels.Multiply(
                count, width, positions, new MatrixView(scores.Data + block.Position, scores.RowStride), fetches ? rows.Before(next) : rows,
                outputs.Data, outputs.RowStride, block.Position == 0 ? null : outputs.Data, outputs.RowStride);
        }
    }
}
