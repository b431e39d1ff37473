namespace Hone.Optimizers;

/// <summary>
/// Whether a predictor samples from the distribution that the loss takes log-probabilities of. Where it does not, every ratio is wrong, and no number
/// of the run shows it.
/// </summary>
internal static class SamplerAgreement
{
    /// <summary>Differences of temperature that are rounding.</summary>
    private const double Tolerance = 1e-6;

    // What providers call the cuts and penalties that CallOptions has no property for.
    private static readonly string[] Distorting = ["min_p", "repetition_penalty", "temperature", "top_k", "top_p", "typical_p"];

    public static bool IsSame(double temperature, double assumed) => Math.Abs(temperature - assumed) <= Tolerance;

    /// <summary>What is wrong with a predictor's options, in words; null when nothing is.</summary>
    /// <param name="path">The predictor.</param>
    /// <param name="effective">Its options with those of the model, the run and its state overlaid.</param>
    /// <param name="temperature">The temperature that the loss assumes.</param>
    public static string? Conflict(string path, CallOptions effective, double temperature)
    {
        string[] found = [.. Find(effective, temperature)];
        return found.Length == 0 ? null : $"'{path}' samples with {string.Join(" and ", found)}";
    }

    private static IEnumerable<string> Find(CallOptions effective, double temperature)
    {
        if (!IsSame(effective.Temperature ?? 1, temperature))
            yield return FormattableString.Invariant($"Temperature {effective.Temperature ?? 1} where the loss assumes {temperature}");
        if (effective.TopP is { } mass and < 1)
            yield return FormattableString.Invariant($"TopP {mass}");
        if (effective.TopK is { } most and > 0)
            yield return FormattableString.Invariant($"TopK {most}");
        if (effective.FrequencyPenalty is { } frequency and not 0)
            yield return FormattableString.Invariant($"FrequencyPenalty {frequency}");
        if (effective.PresencePenalty is { } presence and not 0)
            yield return FormattableString.Invariant($"PresencePenalty {presence}");
        foreach (var name in Distorting.Where(effective.Additional.ContainsKey))
            yield return $"the additional option '{name}'";
    }
}
