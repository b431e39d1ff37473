namespace Hone.Engine;

/// <summary>One AdamW update of a run of parameters (Loshchilov &amp; Hutter 2019, algorithm 2), the step's corrections worked in.</summary>
/// <param name="LearningRate">Step size η.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="Decay">Decoupled weight decay λ; 0 for biases and norms.</param>
/// <param name="GradientScale">Factor on the gradient: the clipping.</param>
/// <param name="Correction1">1 / (1 − β₁ᵗ).</param>
/// <param name="Correction2">1 / (1 − β₂ᵗ).</param>
internal readonly record struct AdamWUpdate(
    float LearningRate, float Beta1, float Beta2, float Epsilon, float Decay, float GradientScale, float Correction1, float Correction2);

internal abstract unsafe partial class VectorKernels
{
    /// <summary>
    /// In one pass: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w(1 − ηλ) − η m̂ / (√v̂ + ε).
    /// </summary>
    public abstract void AdamW(float* weights, float* gradients, float* firstMoments, float* secondMoments, int length, in AdamWUpdate update);
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    public override void AdamW(float* weights, float* gradients, float* firstMoments, float* secondMoments, int length, in AdamWUpdate update)
    {
        var i = 0;
        for (; i <= length - TSimd.Count; i += TSimd.Count)
        {
            var (m, v, w) = Update(
                TSimd.Load(weights + i), TSimd.Load(gradients + i), TSimd.Load(firstMoments + i), TSimd.Load(secondMoments + i), update);
            TSimd.Store(m, firstMoments + i);
            TSimd.Store(v, secondMoments + i);
            TSimd.Store(w, weights + i);
        }

        if (i < length)
        {
            var rest = length - i;
            var (m, v, w) = Update(
                LoadPartial(weights + i, rest), LoadPartial(gradients + i, rest), LoadPartial(firstMoments + i, rest),
                LoadPartial(secondMoments + i, rest), update);
            StorePartial(m, firstMoments + i, rest);
            StorePartial(v, secondMoments + i, rest);
            StorePartial(w, weights + i, rest);
        }
    }

    private static (TVector First, TVector Second, TVector Weight) Update(
        TVector weight, TVector gradient, TVector first, TVector second, in AdamWUpdate update)
    {
        var g = TSimd.Multiply(gradient, TSimd.Broadcast(update.GradientScale));
        var m = TSimd.MultiplyAdd(first, TSimd.Broadcast(update.Beta1), TSimd.Multiply(g, TSimd.Broadcast(1 - update.Beta1)));
        var v = TSimd.MultiplyAdd(second, TSimd.Broadcast(update.Beta2), TSimd.Multiply(TSimd.Multiply(g, g), TSimd.Broadcast(1 - update.Beta2)));
        var root = TSimd.SquareRoot(TSimd.Multiply(v, TSimd.Broadcast(update.Correction2)));
        var rate = TSimd.Broadcast(update.LearningRate * update.Correction1);
        var step = TSimd.Divide(TSimd.Multiply(m, rate), TSimd.Add(root, TSimd.Broadcast(update.Epsilon)));
        return (m, v, TSimd.Subtract(TSimd.Multiply(weight, TSimd.Broadcast(1 - update.LearningRate * update.Decay)), step));
    }
}
