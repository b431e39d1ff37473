using System.Runtime.CompilerServices;

namespace Hone.Engine;

internal abstract unsafe partial class VectorKernels
{
    /// <summary>target += source.</summary>
    public abstract void Add(float* target, float* source, int length);

    /// <summary>target += factor · source.</summary>
    public abstract void AddScaled(float* target, float* source, float factor, int length);

    /// <summary>target *= factor.</summary>
    public abstract void Scale(float* target, float factor, int length);

    public abstract float Dot(float* left, float* right, int length);

    /// <summary>Sum of squares in blocks, added up in double precision: a norm of any number of gradients.</summary>
    public abstract double SumOfSquares(float* values, long length);

    /// <summary>target[columns] += sum over rows of source[rows, columns]: the gradient of a bias.</summary>
    public void AddColumnSums(float* source, nint stride, int rows, int columns, float* target)
    {
        for (var row = 0; row < rows; row++) Add(target, source + row * stride, columns);
    }
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    public override void Add(float* target, float* source, int length)
    {
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count) TSimd.Store(TSimd.Add(TSimd.Load(target + i), TSimd.Load(source + i)), target + i);
        for (; i < length; i++) target[i] += source[i];
    }

    public override void AddScaled(float* target, float* source, float factor, int length)
    {
        var factors = TSimd.Broadcast(factor);
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
            TSimd.Store(TSimd.MultiplyAdd(factors, TSimd.Load(source + i), TSimd.Load(target + i)), target + i);
        var rest = length - i;
        if (rest > 0) StorePartial(TSimd.MultiplyAdd(factors, LoadPartial(source + i, rest), LoadPartial(target + i, rest)), target + i, rest);
    }

    public override void Scale(float* target, float factor, int length)
    {
        var factors = TSimd.Broadcast(factor);
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count) TSimd.Store(TSimd.Multiply(factors, TSimd.Load(target + i)), target + i);
        for (; i < length; i++) target[i] *= factor;
    }

    public override float Dot(float* left, float* right, int length)
    {
        TVector sum = default;
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count) sum = TSimd.MultiplyAdd(TSimd.Load(left + i), TSimd.Load(right + i), sum);
        if (i < length) sum = TSimd.MultiplyAdd(LoadPartial(left + i, length - i), LoadPartial(right + i, length - i), sum);
        return TSimd.Sum(sum);
    }

    public override double SumOfSquares(float* values, long length)
    {
        const int Block = 4096;
        var sum = 0.0;
        for (long start = 0; start < length; start += Block)
        {
            var block = values + start;
            sum += Dot(block, block, (int)Math.Min(Block, length - start));
        }

        return sum;
    }

    // The ragged end of a row: missing lanes are 0.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TVector LoadPartial(float* source, int count)
    {
        TVector value = default;
        Unsafe.CopyBlockUnaligned(&value, source, (uint)count * sizeof(float));
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StorePartial(TVector value, float* destination, int count) =>
        Unsafe.CopyBlockUnaligned(destination, &value, (uint)count * sizeof(float));

    /// <summary>
    /// e^x to about one unit in the last place (Cephes <c>expf</c>): x = n ln 2 + r, a polynomial in r, scaled by 2^n. Below −87 the result stays at
    /// the smallest normal number instead of 0. NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Exp(TVector x)
    {
        x = TSimd.Max(TSimd.Broadcast(-87f), TSimd.Min(TSimd.Broadcast(88f), x));
        var n = TSimd.Round(TSimd.Multiply(x, TSimd.Broadcast(1.44269504088896341f)));
        var r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-0.693359375f), x);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(2.12194440e-4f), r);
        var p = TSimd.MultiplyAdd(TSimd.Broadcast(1.9875691500e-4f), r, TSimd.Broadcast(1.3981999507e-3f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(8.3334519073e-3f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(4.1665795894e-2f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(1.6666665459e-1f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(5.0000001201e-1f));
        p = TSimd.MultiplyAdd(p, TSimd.Multiply(r, r), TSimd.Add(r, TSimd.Broadcast(1f)));
        return TSimd.ScaleByPowerOfTwo(p, n);
    }
}
