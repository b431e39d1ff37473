namespace Hone.Optimizers;

/// <summary>The arithmetic of SIMBA: percentiles, softmax draws, Poisson numbers.</summary>
internal static class SimbaMath
{
    /// <summary>A percentile by linear interpolation between the two nearest ranks.</summary>
    /// <param name="values">The values, in any order.</param>
    /// <param name="share">From 0 to 1.</param>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        var rank = share * (sorted.Length - 1);
        var below = (int)rank;
        return below + 1 < sorted.Length ? sorted[below] + ((rank - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>Draws an index with probability proportional to exp(score / temperature); scores of any size.</summary>
    public static int SoftmaxPick(IReadOnlyList<double> scores, double temperature, Random random)
    {
        var largest = scores.Max();
        double[] weights = [.. scores.Select(score => Math.Exp((score - largest) / temperature))];
        var draw = random.NextDouble() * weights.Sum();
        for (var i = 0; i < weights.Length; i++)
        {
            draw -= weights[i];
            if (draw < 0)
                return i;
        }

        // Rounding: the largest weight is never 0.
        return Array.IndexOf(weights, 1.0);
    }

    /// <summary>A Poisson number (Knuth 1969); means here are small.</summary>
    public static int Poisson(double mean, Random random)
    {
        var limit = Math.Exp(-mean);
        var count = 0;
        for (var product = random.NextDouble(); product > limit; product *= random.NextDouble())
            count++;
        return count;
    }
}
