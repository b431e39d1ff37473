using System.Numerics;
using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>Loss of one token and its derivatives by the token's new log-probability.</summary>
internal readonly record struct PolicyLossToken(
    double Ratio, double Correction, double Loss, double PolicySlope, double Divergence, double DivergenceSlope, bool ClippedLow, bool ClippedHigh);

/// <summary>What the tokens of one sequence share, and the loss of each of them.</summary>
internal readonly ref struct SequenceContext<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private readonly PolicyLossOptions _options;
    private readonly TokenLogProbs<T> _logProbs;
    private readonly double _advantage, _sequenceRatio, _sequenceCorrection;
    private readonly bool _dropped;

    public SequenceContext(PolicyLossOptions options, TokenLogProbs<T> logProbs, double advantage, bool masked)
    {
        _options = options;
        _logProbs = logProbs;
        _advantage = advantage;
        double ratioSum = 0, correctionSum = 0, driftSum = 0;
        for (var t = 0; t < logProbs.Length && !masked; t++)
        {
            if (!logProbs.IsActive(t)) continue;
            ActiveTokens++;
            ratioSum += logProbs.NewAt(t) - logProbs.OldAt(t);
            correctionSum += logProbs.OldAt(t) - logProbs.SamplerAt(t);
            driftSum += logProbs.SamplerAt(t) - logProbs.NewAt(t);
        }
        var count = Math.Max(1, ActiveTokens);
        _sequenceRatio = Math.Exp(ratioSum / count);
        _sequenceCorrection = Math.Exp(correctionSum);
        _dropped = options.OffPolicyThreshold is { } threshold && advantage < 0 && driftSum / count > threshold;
    }

    public int ActiveTokens { get; }

    public PolicyLossToken Token(int t, bool active)
    {
        var ratio = _options.Type == PolicyLossType.Gspo ? _sequenceRatio : Math.Exp(_logProbs.NewAt(t) - _logProbs.OldAt(t));
        var (loss, slope, clippedLow, clippedHigh) = _options.Type == PolicyLossType.Cispo ? Capped(t, ratio) : Clipped(ratio);
        var correction = Correction(active ? _logProbs.OldAt(t) - _logProbs.SamplerAt(t) : 0);
        var factor = _dropped ? 0 : correction;
        double divergence = 0, divergenceSlope = 0;
        if (!_logProbs.Reference.IsEmpty)
        {
            // k3: exp(r) - r - 1 with r = reference - new (Schulman 2020); its derivative by new is 1 - exp(r).
            var difference = _logProbs.ReferenceAt(t) - _logProbs.NewAt(t);
            var exponential = Math.Exp(difference);
            divergence = exponential - difference - 1;
            divergenceSlope = _options.Beta * (1 - exponential);
        }
        var total = loss * factor + (_options.Beta == 0 ? 0 : _options.Beta * divergence);
        return new PolicyLossToken(ratio, correction, total, slope * factor, divergence, divergenceSlope, clippedLow, clippedHigh);
    }

    // -min(rho' A, clamp(rho) A) with rho' = min(rho, delta): PPO's clipped objective, optionally two-sided. d rho / d new = rho.
    private (double Loss, double Slope, bool Low, bool High) Clipped(double ratio)
    {
        double low = 1 - _options.EpsilonLow, high = 1 + (_options.EpsilonHigh ?? _options.EpsilonLow);
        var limited = _options.Delta is { } delta ? Math.Min(ratio, delta) : ratio;
        double free = limited * _advantage, bounded = Math.Clamp(ratio, low, high) * _advantage;
        var takesBounded = bounded < free;
        var moves = takesBounded ? ratio >= low && ratio <= high : limited == ratio;
        return (-Math.Min(free, bounded), moves ? -_advantage * ratio : 0, ratio < low && _advantage < 0, ratio > high && _advantage > 0);
    }

    // CISPO (arXiv:2506.13585, eq. 4): -stop_gradient(min(rho, cap)) A log p.
    private (double Loss, double Slope, bool Low, bool High) Capped(int t, double ratio)
    {
        var cap = _options.EpsilonHigh ?? _options.EpsilonLow;
        var weight = Math.Min(ratio, cap) * _advantage;
        return (-weight * _logProbs.NewAt(t), -weight, false, ratio > cap && _advantage > 0);
    }

    private double Correction(double logRatio)
    {
        double min = _options.CorrectionMin ?? 0, max = _options.CorrectionMax ?? double.PositiveInfinity;
        return _options.Correction switch
        {
            ImportanceCorrection.TokenTruncate => Math.Min(Math.Max(Math.Exp(logRatio), min), max),
            ImportanceCorrection.TokenMask => ZeroOutside(Math.Exp(logRatio), min, max),
            ImportanceCorrection.SequenceTruncate => Math.Min(Math.Max(_sequenceCorrection, min), max),
            ImportanceCorrection.SequenceMask => ZeroOutside(_sequenceCorrection, min, max),
            _ => 1,
        };
    }

    private static double ZeroOutside(double weight, double min, double max) => weight < min || weight > max ? 0 : weight;
}
