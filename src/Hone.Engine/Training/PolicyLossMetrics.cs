namespace Hone.Engine;

/// <summary>Sums over active tokens; the means are zero when there are none. Add the metrics of microbatches in order.</summary>
internal struct PolicyLossMetrics
{
    private double _ratioSum, _klSum, _mismatchSum;
    private long _clippedLow, _clippedHigh;

    /// <summary>Active tokens seen.</summary>
    public long Tokens { get; private set; }

    /// <summary>Mean probability ratio new/old.</summary>
    public readonly double MeanRatio => Mean(_ratioSum);

    /// <summary>Mean k3 divergence from the reference; zero without a reference.</summary>
    public readonly double MeanKl => Mean(_klSum);

    /// <summary>Share of tokens clipped from below: negative advantage and a ratio under 1 − ε.</summary>
    public readonly double ClipFractionLow => Mean(_clippedLow);

    /// <summary>Share of tokens clipped from above: positive advantage and a ratio over 1 + ε (Cispo: over the cap).</summary>
    public readonly double ClipFractionHigh => Mean(_clippedHigh);

    /// <summary>Share of tokens clipped on either side.</summary>
    public readonly double ClipFraction => Mean(_clippedLow + _clippedHigh);

    /// <summary>Mean of |old − sampler|; with one engine for both it must stay below 1e-3.</summary>
    public readonly double MeanSamplerMismatch => Mean(_mismatchSum);

    /// <summary>Largest |old − sampler|.</summary>
    public double MaxSamplerMismatch { get; private set; }

    internal void Add(double ratio, double kl, bool clippedLow, bool clippedHigh, double mismatch)
    {
        Tokens++;
        _ratioSum += ratio;
        _klSum += kl;
        _mismatchSum += mismatch;
        MaxSamplerMismatch = Math.Max(MaxSamplerMismatch, mismatch);
        if (clippedLow) _clippedLow++;
        if (clippedHigh) _clippedHigh++;
    }

    /// <summary>Adds other metrics.</summary>
    public void Add(in PolicyLossMetrics other)
    {
        Tokens += other.Tokens;
        _ratioSum += other._ratioSum;
        _klSum += other._klSum;
        _mismatchSum += other._mismatchSum;
        _clippedLow += other._clippedLow;
        _clippedHigh += other._clippedHigh;
        MaxSamplerMismatch = Math.Max(MaxSamplerMismatch, other.MaxSamplerMismatch);
    }

    private readonly double Mean(double sum) => Tokens == 0 ? 0 : sum / Tokens;
}
