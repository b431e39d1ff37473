namespace Hone.Engine;

internal abstract unsafe partial class VectorKernels
{
    /// <summary>
    /// RMS normalization (Zhang &amp; Sennrich 2019, eq. 4) of one row: y = x · s · weight with s = 1 / sqrt(mean(x²) + epsilon). Returns s.
    /// The output may be the input.
    /// </summary>
    public abstract float RmsNorm(float* x, float* weight, float* y, int width, float epsilon);

    /// <summary>
    /// With s from the forward pass: dx (+)= s · (dy · weight) − x · s³ · mean(dy · weight · x); dweight += dy · x · s unless it is null.
    /// </summary>
    public abstract void RmsNormBackward(float* dy, float* x, float* weight, float inverse, float* dx, float* dweight, int width, bool accumulate);
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    public override float RmsNorm(float* x, float* weight, float* y, int width, float epsilon)
    {
        var inverse = 1f / MathF.Sqrt(Dot(x, x, width) / width + epsilon);
        var scale = TSimd.Broadcast(inverse);
        var i = 0;
        for (; i <= width - TSimd.Count; i += TSimd.Count)
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(TSimd.Load(x + i), scale), TSimd.Load(weight + i)), y + i);
        for (; i < width; i++) y[i] = x[i] * inverse * weight[i];
        return inverse;
    }

    public override void RmsNormBackward(float* dy, float* x, float* weight, float inverse, float* dx, float* dweight, int width, bool accumulate)
    {
        TVector sum = default, scale = TSimd.Broadcast(inverse);
        var whole = width - width % TSimd.Count;
        var rest = width - whole;
        for (var i = 0; i < whole; i += TSimd.Count)
        {
            var product = TSimd.Multiply(TSimd.Load(dy + i), TSimd.Load(x + i));
            sum = TSimd.MultiplyAdd(product, TSimd.Load(weight + i), sum);
            if (dweight is not null) TSimd.Store(TSimd.MultiplyAdd(product, scale, TSimd.Load(dweight + i)), dweight + i);
        }

        if (rest > 0)
        {
            var product = TSimd.Multiply(LoadPartial(dy + whole, rest), LoadPartial(x + whole, rest));
            sum = TSimd.MultiplyAdd(product, LoadPartial(weight + whole, rest), sum);
            if (dweight is not null) StorePartial(TSimd.MultiplyAdd(product, scale, LoadPartial(dweight + whole, rest)), dweight + whole, rest);
        }

        var projection = -TSimd.Sum(sum) * inverse * inverse * inverse / width;
        var factor = TSimd.Broadcast(projection);
        for (var i = 0; i < whole; i += TSimd.Count)
        {
            var value = TSimd.Multiply(factor, TSimd.Load(x + i));
            if (accumulate) value = TSimd.Add(value, TSimd.Load(dx + i));
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Multiply(TSimd.Load(dy + i), TSimd.Load(weight + i)), scale, value), dx + i);
        }

        for (var i = whole; i < width; i++) dx[i] = (accumulate ? dx[i] : 0f) + dy[i] * weight[i] * inverse + projection * x[i];
    }
}
