namespace Hone.Engine;

/// <summary>One row's softmax statistics: ln Σ e^z, and the entropy −Σ p ln p in nats.</summary>
internal readonly record struct SoftmaxStatistics(float LogSumExp, float Entropy);

internal abstract unsafe partial class VectorKernels
{
    /// <summary>
    /// scores ← e^(scale · score − m) with m = max(scale · score), scale > 0. Returns m and the sum, added in position order by lanes.
    /// </summary>
    public abstract (float Maximum, float Sum) ExpOfScores(float* scores, int length, float scale);

    /// <summary>values ← e^(scale · value − shift).</summary>
    public abstract void ExpShifted(float* values, int length, float scale, float shift);

    /// <summary>Backward of softmax(scale · scores): dp ← p · (dp − mean) · scale, where mean = Σ p dp.</summary>
    public abstract void SoftmaxBackward(float* p, float* dp, int length, float mean, float scale);

    /// <summary>Statistics of softmax(scale · logits); logits stay as they are.</summary>
    public abstract SoftmaxStatistics Statistics(float* logits, int length, float scale);
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    public override (float Maximum, float Sum) ExpOfScores(float* scores, int length, float scale)
    {
        var maximum = Maximum(scores, length) * scale;
        TVector sum = default, scales = TSimd.Broadcast(scale), shift = TSimd.Broadcast(-maximum);
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
        {
            var value = Exp(TSimd.MultiplyAdd(TSimd.Load(scores + i), scales, shift));
            TSimd.Store(value, scores + i);
            sum = TSimd.Add(sum, value);
        }

        if (i < length)
        {
            StorePartial(Exp(TSimd.MultiplyAdd(LoadPartial(scores + i, length - i), scales, shift)), scores + i, length - i);
            sum = TSimd.Add(sum, LoadPartial(scores + i, length - i));
        }

        return (maximum, TSimd.Sum(sum));
    }

    public override void ExpShifted(float* values, int length, float scale, float shift)
    {
        TVector scales = TSimd.Broadcast(scale), shifts = TSimd.Broadcast(-shift);
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count) TSimd.Store(Exp(TSimd.MultiplyAdd(TSimd.Load(values + i), scales, shifts)), values + i);
        if (i < length) StorePartial(Exp(TSimd.MultiplyAdd(LoadPartial(values + i, length - i), scales, shifts)), values + i, length - i);
    }

    public override void SoftmaxBackward(float* p, float* dp, int length, float mean, float scale)
    {
        TVector means = TSimd.Broadcast(mean), scales = TSimd.Broadcast(scale);
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(TSimd.Load(p + i), scales), TSimd.Subtract(TSimd.Load(dp + i), means)), dp + i);
        for (; i < length; i++) dp[i] = p[i] * scale * (dp[i] - mean);
    }

    public override SoftmaxStatistics Statistics(float* logits, int length, float scale)
    {
        // Block sums in float, their totals in double: the error does not grow with the vocabulary.
        const int Block = 1024;
        var maximum = Maximum(logits, length) * scale;
        double sum = 0, weighted = 0;
        TVector scales = TSimd.Broadcast(scale), shift = TSimd.Broadcast(-maximum);
        for (var start = 0; start < length; start += Block)
        {
            TVector blockSum = default, blockWeighted = default;
            var end = Math.Min(length, start + Block);
            var i = start;
            for (; i <= end - TSimd.Count; i += TSimd.Count)
            {
                var z = TSimd.MultiplyAdd(TSimd.Load(logits + i), scales, shift);
                var e = Exp(z);
                blockSum = TSimd.Add(blockSum, e);
                blockWeighted = TSimd.MultiplyAdd(e, z, blockWeighted);
            }

            for (; i < end; i++)
            {
                var z = logits[i] * scale - maximum;
                var e = Math.Exp(z);
                sum += e;
                weighted += e * z;
            }

            sum += TSimd.Sum(blockSum);
            weighted += TSimd.Sum(blockWeighted);
        }

        // H = ln S − Σ e^z z / S with z shifted by the maximum.
        return new SoftmaxStatistics((float)(maximum + Math.Log(sum)), (float)(Math.Log(sum) - weighted / sum));
    }

    private static float Maximum(float* values, int length)
    {
        if (length < TSimd.Count)
        {
            var small = values[0];
            for (var k = 1; k < length; k++) small = MathF.Max(small, values[k]);
            return small;
        }

        var maximum = TSimd.Load(values);
        for (var i = TSimd.Count; i <= length - TSimd.Count; i += TSimd.Count) maximum = TSimd.Max(maximum, TSimd.Load(values + i));
        return TSimd.Maximum(TSimd.Max(maximum, TSimd.Load(values + length - TSimd.Count)));
    }
}
