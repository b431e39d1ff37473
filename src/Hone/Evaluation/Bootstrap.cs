namespace Hone;

/// <summary>An interval that holds the true value with 95 % confidence.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct ConfidenceInterval(double Low, double High)
{
    /// <summary>True when zero lies outside.</summary>
    public bool ExcludesZero => Low > 0 || High < 0;
}

/// <summary>Two programs on the same examples.</summary>
/// <param name="Baseline">Mean score of the first.</param>
/// <param name="Candidate">Mean score of the second.</param>
/// <param name="Interval">95 % interval of the difference of means.</param>
public sealed record PairedComparison(double Baseline, double Candidate, ConfidenceInterval Interval)
{
    /// <summary>Candidate minus baseline.</summary>
    public double Gain => Candidate - Baseline;

    /// <summary>True when the interval excludes zero.</summary>
    public bool IsSignificant => Interval.ExcludesZero;
}

/// <summary>Percentile bootstrap (Efron 1979) over examples; seeded, so that reports can be reproduced.</summary>
public static class Bootstrap
{
    private const int Resamples = 10_000;

    // Beyond this the bootstrap's percentiles and the normal quantiles of the mean differ by less than the bootstrap's own noise.
    private const int LargeSample = 1_000;

    // 97.5 % quantile of the standard normal distribution.
    private const double NormalQuantile = 1.959963984540054;

    /// <summary>
    /// 95 % interval of the mean; both ends equal the mean for fewer than two scores. Above 1,000 scores the mean's normal interval is taken: it is the
    /// bootstrap's limit, and resampling would cost more than the evaluation.
    /// </summary>
    public static ConfidenceInterval OfMean(IReadOnlyList<double> scores, long seed = 0)
    {
        if (scores.Count < 2)
            return scores.Count == 0 ? default : new(scores[0], scores[0]);
        if (scores.Count > LargeSample)
            return OfLargeSample(scores);
        var random = new SeedStream(seed).Derive("bootstrap").CreateRandom();
        var means = new double[Resamples];
        for (var i = 0; i < means.Length; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < scores.Count; j++)
                sum += scores[random.Next(scores.Count)];
            means[i] = sum / scores.Count;
        }

        Array.Sort(means);
        return new(means[(int)(Resamples * 0.025)], means[(int)(Resamples * 0.975) - 1]);
    }

    /// <summary>
    /// Compares over several runs, e.g. of a training with different seeds. The interval resamples runs, and within each its examples (two-level bootstrap), so it
    /// covers the luck of the seed as well; with three runs it is a rough guide.
    /// </summary>
    /// <param name="runs">Scores before and after, by run, over the same examples in both.</param>
    /// <param name="seed">Seed of the resampling.</param>
    /// <exception cref="HoneException">There is no run, or the lists of one differ in length or are empty.</exception>
    public static PairedComparison CompareRuns(IReadOnlyList<(IReadOnlyList<double> Baseline, IReadOnlyList<double> Candidate)> runs, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count == 0)
            throw new HoneException("A comparison over runs needs at least one run.");
        var each = runs.Select(run => Compare(run.Baseline, run.Candidate, seed)).ToArray();
        var differences = runs.Select(run => run.Baseline.Zip(run.Candidate, (before, after) => after - before).ToArray()).ToArray();
        var random = new SeedStream(seed).Derive("bootstrap", runs.Count).CreateRandom();
        var gains = new double[Resamples];
        for (var i = 0; i < gains.Length; i++)
        {
            for (var run = 0; run < differences.Length; run++)
                gains[i] += ResampledMean(differences[random.Next(differences.Length)], random) / differences.Length;
        }

        Array.Sort(gains);
        return new(
            each.Average(run => run.Baseline),
            each.Average(run => run.Candidate),
            new(gains[(int)(Resamples * 0.025)], gains[(int)(Resamples * 0.975) - 1]));
    }

    private static double ResampledMean(double[] values, Random random)
    {
        var sum = 0.0;
        for (var i = 0; i < values.Length; i++)
            sum += values[random.Next(values.Length)];
        return sum / values.Length;
    }

    private static ConfidenceInterval OfLargeSample(IReadOnlyList<double> scores)
    {
        var mean = scores.Average();
        var squares = scores.Sum(score => (score - mean) * (score - mean));
        var half = NormalQuantile * Math.Sqrt(squares / (scores.Count - 1) / scores.Count);
        return new(mean - half, mean + half);
    }

    /// <summary>Compares two programs example by example: resampling pairs removes the noise that both share.</summary>
    /// <exception cref="HoneException">The lists differ in length or are empty.</exception>
    public static PairedComparison Compare(IReadOnlyList<double> baseline, IReadOnlyList<double> candidate, long seed = 0)
    {
        if (baseline.Count != candidate.Count || baseline.Count == 0)
            throw new HoneException($"A paired comparison needs two equally long lists of scores, got {baseline.Count} and {candidate.Count}.");
        var differences = baseline.Zip(candidate, (before, after) => after - before).ToArray();
        return new(baseline.Average(), candidate.Average(), OfMean(differences, seed));
    }
}
