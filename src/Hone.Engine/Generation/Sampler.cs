using System.Numerics.Tensors;

namespace Hone.Engine;

/// <summary>A drawn token and its log-probability under the whole vocabulary.</summary>
internal readonly record struct SampledToken(int Id, float LogProb);

/// <summary>
/// Draws tokens from logits. The recorded log-probability is that of softmax(logits / temperature) over the full vocabulary, whatever top-k and
/// top-p leave out, so that a trainer computes the same number; greedy tokens get theirs at temperature 1. Not thread-safe: one per worker.
/// </summary>
internal sealed class Sampler(int vocabularySize)
{
    private const int Block = 256;

    private readonly double[] _blockSums = new double[(vocabularySize + Block - 1) / Block];
    private readonly ulong[] _ranked = new ulong[vocabularySize];

    /// <summary>Draws one token.</summary>
    /// <param name="logits">[V]; overwritten.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="random">The request's stream; moves on by exactly one number unless greedy.</param>
    public SampledToken Sample(Span<float> logits, SamplingOptions options, ref RandomStream random)
    {
        if (options.Temperature == 0)
        {
            var best = TensorPrimitives.IndexOfMax<float>(logits);
            var top = logits[best];
            return new SampledToken(best, top - LogSumExp(logits, top));
        }
        if (options.Temperature != 1) TensorPrimitives.Divide(logits, options.Temperature, logits);
        var max = TensorPrimitives.Max<float>(logits);
        TensorPrimitives.Subtract(logits, max, logits);
        TensorPrimitives.Exp<float>(logits, logits);
        var total = SumBlocks(logits);
        var draw = random.NextDouble();
        var truncated = options.TopP < 1 || (options.TopK > 0 && options.TopK < logits.Length);
        var token = truncated ? DrawTruncated(logits, total, options, draw) : DrawFull(logits, total, draw);
        return new SampledToken(token, (float)(Math.Log(logits[token]) - Math.Log(total)));
    }

    private float LogSumExp(Span<float> logits, float max)
    {
        TensorPrimitives.Subtract(logits, max, logits);
        TensorPrimitives.Exp<float>(logits, logits);
        return max + (float)Math.Log(SumBlocks(logits));
    }

    private double SumBlocks(ReadOnlySpan<float> weights)
    {
        double total = 0;
        for (var block = 0; block < _blockSums.Length; block++)
        {
            var start = block * Block;
            _blockSums[block] = TensorPrimitives.Sum(weights.Slice(start, Math.Min(Block, weights.Length - start)));
            total += _blockSums[block];
        }
        return total;
    }

    // Inverse of the cumulative distribution: first the block, then the token in it.
    private int DrawFull(ReadOnlySpan<float> weights, double total, double draw)
    {
        var left = draw * total;
        var block = 0;
        while (block < _blockSums.Length - 1 && left >= _blockSums[block]) left -= _blockSums[block++];
        var end = Math.Min(weights.Length, (block + 1) * Block);
        var last = -1;
        for (var id = block * Block; id < end; id++)
        {
            if (weights[id] <= 0) continue;
            last = id;
            left -= weights[id];
            if (left < 0) return id;
        }
        // Rounding can leave a remainder behind the last token of the block.
        return last >= 0 ? last : TensorPrimitives.IndexOfMax(weights);
    }

    private int DrawTruncated(ReadOnlySpan<float> weights, double total, SamplingOptions options, double draw)
    {
        // All tokens below (1 - p)/V together have less than 1 - p, so the nucleus is among the others. Top-k may keep fewer still, never more.
        var floor = options.TopK > 0 && options.TopK < weights.Length ? 0 : (float)((1 - options.TopP) / weights.Length * total);
        var count = 0;
        for (var id = 0; id < weights.Length; id++)
            if (weights[id] >= floor && weights[id] > 0)
                _ranked[count++] = ((ulong)~BitConverter.SingleToUInt32Bits(weights[id]) << 32) | (uint)id; // heavier first, then lower id
        var ranked = _ranked.AsSpan(0, count);
        ranked.Sort();
        if (options.TopK > 0 && options.TopK < count) ranked = ranked[..options.TopK];
        double keptTotal = 0;
        foreach (var entry in ranked) keptTotal += weights[(int)(uint)entry];
        if (options.TopP < 1)
        {
            // The nucleus is taken of what top-k left, renormalized.
            var reference = options.TopK > 0 && options.TopK < weights.Length ? keptTotal : total;
            double reached = 0;
            var kept = 0;
            while (kept < ranked.Length && (kept == 0 || reached < options.TopP * reference)) reached += weights[(int)(uint)ranked[kept++]];
            ranked = ranked[..kept];
            keptTotal = reached;
        }
        var left = draw * keptTotal;
        foreach (var entry in ranked)
        {
            left -= weights[(int)(uint)entry];
            if (left < 0) return (int)(uint)entry;
        }
        return (int)(uint)ranked[^1];
    }
}
