using System.Numerics;
using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>Log-probabilities of one completion's T tokens under the policies involved. Optional ones are empty when absent.</summary>
/// <param name="New">[T] under the weights being trained.</param>
/// <param name="Old">[T] under the weights before the first update on this batch; absent: equal to <paramref name="New"/>, without gradient.</param>
/// <param name="Sampler">[T] as the sampler recorded them.</param>
/// <param name="Reference">[T] under the reference policy; needed when the divergence has a weight.</param>
/// <param name="Mask">[T] which tokens are trainable; absent: all.</param>
internal readonly ref struct TokenLogProbs<T>(
    ReadOnlySpan<T> New, ReadOnlySpan<T> Old = default, ReadOnlySpan<T> Sampler = default, ReadOnlySpan<T> Reference = default,
    ReadOnlySpan<bool> Mask = default)
    where T : struct, IFloatingPointIeee754<T>
{
    public ReadOnlySpan<T> New { get; } = New;
    public ReadOnlySpan<T> Old { get; } = Old;
    public ReadOnlySpan<T> Sampler { get; } = Sampler;
    public ReadOnlySpan<T> Reference { get; } = Reference;
    public ReadOnlySpan<bool> Mask { get; } = Mask;

    public int Length => New.Length;

    public bool IsActive(int token) => Mask.IsEmpty || Mask[token];

    public double NewAt(int token) => double.CreateChecked(New[token]);

    public double OldAt(int token) => double.CreateChecked(Old.IsEmpty ? New[token] : Old[token]);

    // Without a sampler's record the old policy stands for it.
    public double SamplerAt(int token) => Sampler.IsEmpty ? OldAt(token) : double.CreateChecked(Sampler[token]);

    public double ReferenceAt(int token) => double.CreateChecked(Reference[token]);
}

/// <summary>Per-token values for inspection; spans may be empty. Inactive tokens get values too.</summary>
internal readonly ref struct PolicyLossDetail
{
    /// <summary>[T] probability ratios; for Gspo the sequence's value repeated.</summary>
    public Span<double> Ratios { get; init; }

    /// <summary>[T] correction weights.</summary>
    public Span<double> CorrectionWeights { get; init; }

    /// <summary>[T] losses before mask and normalizer, divergence included.</summary>
    public Span<double> TokenLosses { get; init; }
}

/// <summary>
/// The losses of group-relative policy optimization as functions of log-probabilities, with their gradients. Order: policy term, off-policy mask,
/// correction weight, divergence, token mask, normalizer. Pure; arithmetic in double precision.
/// </summary>
internal static class PolicyLoss
{
    /// <summary>Adds one sequence: returns its part of the step loss and writes d(step loss)/d(new log-probability) per token.</summary>
    /// <param name="options">Which loss.</param>
    /// <param name="logProbs">Log-probabilities of the sequence.</param>
    /// <param name="advantage">Advantage of the sequence; every token has it.</param>
    /// <param name="isTruncated">Whether the completion was cut off at the length limit.</param>
    /// <param name="weight">The sequence's factor from <see cref="LossNormalizer.WeightOf"/>.</param>
    /// <param name="gradient">[T] receives the gradient; exactly zero for inactive tokens.</param>
    /// <param name="metrics">Sums to add to.</param>
    /// <param name="detail">Where per-token values go, if anywhere.</param>
    public static double AddSequence<T>(
        PolicyLossOptions options, TokenLogProbs<T> logProbs, double advantage, bool isTruncated, double weight, Span<T> gradient,
        ref PolicyLossMetrics metrics, PolicyLossDetail detail = default)
        where T : struct, IFloatingPointIeee754<T>
    {
        Check(options, logProbs, gradient.Length);
        gradient.Clear();
        var masked = options.MaskTruncated && isTruncated;
        var context = new SequenceContext<T>(options, logProbs, advantage, masked);
        double loss = 0, sharedSlope = 0;
        for (var t = 0; t < logProbs.Length; t++)
        {
            var active = !masked && logProbs.IsActive(t);
            var wanted = t < detail.TokenLosses.Length || t < detail.Ratios.Length || t < detail.CorrectionWeights.Length;
            if (!active && !wanted) continue;
            var token = context.Token(t, active);
            if (t < detail.Ratios.Length) detail.Ratios[t] = token.Ratio;
            if (t < detail.CorrectionWeights.Length) detail.CorrectionWeights[t] = token.Correction;
            if (t < detail.TokenLosses.Length) detail.TokenLosses[t] = token.Loss;
            if (!active) continue;
            loss += token.Loss;
            sharedSlope += token.PolicySlope;
            var slope = (options.Type == PolicyLossType.Gspo ? 0 : token.PolicySlope) + token.DivergenceSlope;
            gradient[t] = T.CreateTruncating(weight * slope);
            var mismatch = logProbs.Sampler.IsEmpty ? 0 : Math.Abs(logProbs.OldAt(t) - logProbs.SamplerAt(t));
            metrics.Add(token.Ratio, token.Divergence, token.ClippedLow, token.ClippedHigh, mismatch);
        }
        // Gspo: every token moves the one ratio of its sequence by 1/n.
        if (options.Type == PolicyLossType.Gspo && context.ActiveTokens > 0)
            for (var t = 0; t < logProbs.Length; t++)
                if (logProbs.IsActive(t)) gradient[t] += T.CreateTruncating(weight * sharedSlope / context.ActiveTokens);
        return weight * loss;
    }

    private static void Check<T>(PolicyLossOptions options, TokenLogProbs<T> logProbs, int gradientLength)
        where T : struct, IFloatingPointIeee754<T>
    {
        var length = logProbs.Length;
        CheckLength(nameof(logProbs.Old), logProbs.Old.Length, length, optional: true);
        CheckLength(nameof(logProbs.Sampler), logProbs.Sampler.Length, length, optional: true); // absent: the old policy sampled, or a teacher, which is corrected by its ratio
        CheckLength(nameof(logProbs.Reference), logProbs.Reference.Length, length, options.Beta == 0);
        CheckLength(nameof(logProbs.Mask), logProbs.Mask.Length, length, optional: true);
        CheckLength("gradient", gradientLength, length, optional: false);
    }

    private static void CheckLength(string name, int actual, int expected, bool optional)
    {
        if (actual == expected || (optional && actual == 0)) return;
        throw new ArgumentException(
            $"The sequence has {expected} new log-probabilities but {actual} values of '{name}'. " +
            (optional ? "Pass as many, or none." : "These options need as many."), name);
    }
}
