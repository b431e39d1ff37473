namespace Hone.Engine;

internal abstract unsafe partial class VectorKernels
{
    /// <summary>SwiGLU (Shazeer 2020, eq. 6) of one row: y = silu(gate) · up with silu(g) = g / (1 + e^−g).</summary>
    public abstract void SwiGlu(float* gate, float* up, float* y, int width);

    /// <summary>dgate = dy · up · σ(g)(1 + g(1 − σ(g))), dup = dy · silu(g).</summary>
    public abstract void SwiGluBackward(float* gate, float* up, float* dy, float* dgate, float* dup, int width);

    /// <summary>
    /// Rotary position embedding (Su et al. 2021) on one head, halves rotated together: (a, b) → (a cos − b sin, b cos + a sin). With
    /// <paramref name="direction"/> −1 the inverse, which is also the backward pass.
    /// </summary>
    public abstract void Rotate(float* head, float* cosines, float* sines, int half, float direction);
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    public override void SwiGlu(float* gate, float* up, float* y, int width)
    {
        var i = 0;
        for (; i <= width - TSimd.Count; i += TSimd.Count)
        {
            var g = TSimd.Load(gate + i);
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(g, Sigmoid(g)), TSimd.Load(up + i)), y + i);
        }

        if (i < width)
        {
            var g = LoadPartial(gate + i, width - i);
            StorePartial(TSimd.Multiply(TSimd.Multiply(g, Sigmoid(g)), LoadPartial(up + i, width - i)), y + i, width - i);
        }
    }

    public override void SwiGluBackward(float* gate, float* up, float* dy, float* dgate, float* dup, int width)
    {
        var i = 0;
        for (; i <= width - TSimd.Count; i += TSimd.Count)
        {
            var (ofGate, ofUp) = SwiGluGradient(TSimd.Load(gate + i), TSimd.Load(up + i), TSimd.Load(dy + i));
            TSimd.Store(ofGate, dgate + i);
            TSimd.Store(ofUp, dup + i);
        }

        if (i < width)
        {
            var rest = width - i;
            var (ofGate, ofUp) = SwiGluGradient(LoadPartial(gate + i, rest), LoadPartial(up + i, rest), LoadPartial(dy + i, rest));
            StorePartial(ofGate, dgate + i, rest);
            StorePartial(ofUp, dup + i, rest);
        }
    }

    public override void Rotate(float* head, float* cosines, float* sines, int half, float direction)
    {
        var sign = TSimd.Broadcast(direction);
        var second = head + half;
        var i = 0;
        for (; i <= half - TSimd.Count; i += TSimd.Count)
        {
            TVector a = TSimd.Load(head + i), b = TSimd.Load(second + i);
            TVector cosine = TSimd.Load(cosines + i), sine = TSimd.Multiply(sign, TSimd.Load(sines + i));
            TSimd.Store(TSimd.Subtract(TSimd.Multiply(a, cosine), TSimd.Multiply(b, sine)), head + i);
            TSimd.Store(TSimd.Add(TSimd.Multiply(b, cosine), TSimd.Multiply(a, sine)), second + i);
        }

        for (; i < half; i++)
        {
            float a = head[i], b = second[i], sine = direction * sines[i];
            head[i] = a * cosines[i] - b * sine;
            second[i] = b * cosines[i] + a * sine;
        }
    }

    private static TVector Sigmoid(TVector x)
    {
        var one = TSimd.Broadcast(1f);
        return TSimd.Divide(one, TSimd.Add(one, Exp(TSimd.Subtract(default, x))));
    }

    private static (TVector Gate, TVector Up) SwiGluGradient(TVector gate, TVector up, TVector dy)
    {
        var sigmoid = Sigmoid(gate);
        var one = TSimd.Broadcast(1f);
        var slope = TSimd.Multiply(sigmoid, TSimd.MultiplyAdd(gate, TSimd.Subtract(one, sigmoid), one));
        return (TSimd.Multiply(TSimd.Multiply(dy, up), slope), TSimd.Multiply(dy, TSimd.Multiply(gate, sigmoid)));
    }
}
