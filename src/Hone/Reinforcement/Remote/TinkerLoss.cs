namespace Hone.Reinforcement;

/// <summary>
/// One sequence as the service is to see it, a value for each completion token: weights, or advantages with old log-probabilities. Losses of ratios
/// take no weights everywhere; a token that is not learned from has the advantage 0.
/// </summary>
internal sealed record TinkerSequence(TrainingDatum Datum, double[]? Weights, double[]? Advantages = null, IReadOnlyList<float>? LogProbs = null);

/// <summary>One batch in the protocol's terms: a loss by name with its bounds.</summary>
internal sealed record TinkerBatch(string LossFunction, IReadOnlyList<TinkerSequence> Sequences, (double Low, double High)? Clip);

/// <summary>
/// Puts Hone's losses into those of the protocol, which are plain sums over tokens. The gradient of any loss by the log-probabilities can be computed
/// here once these are known, and <c>cross_entropy</c> with signed weights takes it to the weights; that is also how the protocol's own client runs
/// losses of one's own. At the first update of a batch the ratio is 1 and nothing need be asked; clipped ratios have names in the protocol, and so
/// have unlimited corrections. The rest costs one more forward pass.
/// </summary>
internal static class TinkerLoss
{
    /// <summary>The loss with what an automatic correction is here: a service samples with other kernels than it trains with.</summary>
    public static PolicyLossOptions Resolve(PolicyLossOptions loss) =>
        loss.Correction == ImportanceCorrection.Automatic ? loss with { Correction = ImportanceCorrection.TokenTruncate } : loss;

    /// <summary>Whether current log-probabilities must be asked for first.</summary>
    public static bool NeedsCurrentLogProbs(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss) =>
        loss.OffPolicyThreshold is not null
        || (loss.Correction != ImportanceCorrection.None && !IsPlainImportanceSampling(data, loss)
            && data.Any(datum => datum.OldLogProbs is null && datum.SamplerLogProbs.Count > 0))
        || (!HasName(loss) && data.Any(datum => datum.OldLogProbs is not null))
        || IsMixed(data);

    /// <summary>The batch.</summary>
    /// <param name="data">The data.</param>
    /// <param name="loss">The loss; one that the protocol can express.</param>
    /// <param name="current">Current log-probabilities where <see cref="NeedsCurrentLogProbs"/>.</param>
    public static TinkerBatch Build(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, IReadOnlyList<float[]>? current)
    {
        var weights = SequenceWeights.Of(data, loss);
        if (IsPlainImportanceSampling(data, loss))
            return new("importance_sampling", [.. data.Select((datum, i) => Ratio(datum, loss, weights[i], Ones(datum), datum.SamplerLogProbs))], null);

        // Beside what teachers wrote, the policy's own completions say what for them is the current policy: one loss takes both.
        if (IsMixed(data))
            data = [.. data.Select((datum, i) => datum.OldLogProbs is null ? datum with { OldLogProbs = current![i] } : datum)];
        var factors = data.Select((datum, i) => Factors(datum, loss, current?[i])).ToArray();
        if (!HasName(loss) || data.All(datum => datum.OldLogProbs is null))
            return new("cross_entropy", [.. data.Select((datum, i) => Exact(datum, loss, weights[i], factors[i], current?[i]))], null);
        var ratios = data.Select((datum, i) => Ratio(datum, loss, weights[i], factors[i], datum.OldLogProbs!)).ToArray();
        var high = loss.EpsilonHigh ?? loss.EpsilonLow;
        return loss.Type == PolicyLossType.Cispo ? new("cispo", ratios, (0, high)) : new("ppo", ratios, (1 - loss.EpsilonLow, 1 + high));
    }

    /// <summary>A token's loss and its derivative by the token's log-probability, before normalizer and correction.</summary>
    public static (double Loss, double Slope) Token(PolicyLossOptions loss, double ratio, double advantage, double logProb)
    {
        if (loss.Type == PolicyLossType.Cispo)
        {
            var capped = Math.Min(ratio, loss.EpsilonHigh ?? loss.EpsilonLow) * advantage;
            return (-capped * logProb, -capped);
        }

        double low = 1 - loss.EpsilonLow, high = 1 + (loss.EpsilonHigh ?? loss.EpsilonLow);
        var limited = loss.Delta is { } delta ? Math.Min(ratio, delta) : ratio;
        double free = limited * advantage, bounded = Math.Clamp(ratio, low, high) * advantage;
        var moves = bounded < free ? ratio >= low && ratio <= high : limited == ratio;
        return (-Math.Min(free, bounded), moves ? -advantage * ratio : 0);
    }

    /// <summary>The ratio of every token to the policy before the batch's first update; for Gspo the sequence's.</summary>
    public static double[] Ratios(TrainingDatum datum, PolicyLossOptions loss, IReadOnlyList<float>? current)
    {
        if (datum.OldLogProbs is not { } old || current is null)
            return Ones(datum);
        double[] differences = [.. current.Select((value, t) => (double)value - old[t])];
        if (loss.Type != PolicyLossType.Gspo)
            return [.. differences.Select(Math.Exp)];
        int[] active = [.. ActiveOf(datum, loss)];
        var sequence = Math.Exp(active.Sum(t => differences[t]) / Math.Max(1, active.Length));
        return [.. differences.Select(_ => sequence)];
    }

    /// <summary>Correction weights and the off-policy mask, by token: constants of the gradient, as in the loss in process.</summary>
    public static double[] Factors(TrainingDatum datum, PolicyLossOptions loss, IReadOnlyList<float>? current)
    {
        var factors = Ones(datum);
        var old = datum.OldLogProbs ?? current;
        var sampler = datum.SamplerLogProbs.Count > 0 ? datum.SamplerLogProbs : old;
        if (old is null || sampler is null)
            return factors;
        int[] active = [.. ActiveOf(datum, loss)];
        var drift = active.Length == 0 || current is null ? 0 : active.Average(t => (double)sampler[t] - current[t]);
        if (loss.OffPolicyThreshold is { } threshold && datum.Advantage < 0 && drift > threshold)
            return new double[factors.Length];
        var sequence = Math.Exp(active.Sum(t => (double)old[t] - sampler[t]));
        foreach (var t in active)
            factors[t] = Correction(loss, Math.Exp((double)old[t] - sampler[t]), sequence);
        return factors;
    }

    private static bool IsMixed(IReadOnlyList<TrainingDatum> data) =>
        data.Any(datum => datum.OldLogProbs is null) && data.Any(datum => datum.OldLogProbs is not null);

    // The protocol's ppo and cispo are Hone's clipped losses; a ratio of sequences and a second bound it has not.
    private static bool HasName(PolicyLossOptions loss) => loss.Type != PolicyLossType.Gspo && loss.Delta is null;

    // Correcting each token without limits by old/sampler, with old = current: -exp(current - sampler) A, for which the protocol has a name.
    private static bool IsPlainImportanceSampling(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss) =>
        loss is { Correction: ImportanceCorrection.TokenTruncate, CorrectionMin: null or 0, CorrectionMax: null, OffPolicyThreshold: null, Delta: null }
        && loss.Type is not (PolicyLossType.Cispo or PolicyLossType.Gspo)
        && data.All(datum => datum.OldLogProbs is null && datum.SamplerLogProbs.Count == datum.CompletionIds.Count);

    // The weights -dL/dlog p. Every token moves the one ratio of its sequence by 1/n (Gspo), so corrections count by their mean there.
    private static TinkerSequence Exact(TrainingDatum datum, PolicyLossOptions loss, double weight, double[] factors, IReadOnlyList<float>? current)
    {
        var mask = MaskOf(datum, loss);
        var ratios = Ratios(datum, loss, current);
        if (loss.Type == PolicyLossType.Gspo)
            factors = [.. Enumerable.Repeat(ActiveOf(datum, loss).Select(t => factors[t]).DefaultIfEmpty(0).Average(), factors.Length)];
        return new(datum, [.. factors.Select((factor, t) => -mask[t] * factor * weight * Token(loss, ratios[t], datum.Advantage, 0).Slope)]);
    }

    private static TinkerSequence Ratio(TrainingDatum datum, PolicyLossOptions loss, double weight, double[] factors, IReadOnlyList<float> old)
    {
        var mask = MaskOf(datum, loss);
        return new(datum, null, [.. factors.Select((factor, t) => mask[t] * factor * weight * datum.Advantage)], old);
    }

    private static IEnumerable<int> ActiveOf(TrainingDatum datum, PolicyLossOptions loss)
    {
        var mask = MaskOf(datum, loss);
        return Enumerable.Range(0, mask.Length).Where(t => mask[t] != 0);
    }

    private static double[] MaskOf(TrainingDatum datum, PolicyLossOptions loss) => loss.MaskTruncated && datum.IsTruncated
        ? new double[datum.CompletionIds.Count]
        : datum.Mask is { } mask ? [.. mask.Select(value => (double)value)] : Ones(datum);

    private static double[] Ones(TrainingDatum datum) => [.. Enumerable.Repeat(1.0, datum.CompletionIds.Count)];

    private static double Correction(PolicyLossOptions loss, double token, double sequence)
    {
        double min = loss.CorrectionMin ?? 0, max = loss.CorrectionMax ?? double.PositiveInfinity;
        return loss.Correction switch
        {
            ImportanceCorrection.TokenTruncate => Math.Min(Math.Max(token, min), max),
            ImportanceCorrection.TokenMask => token < min || token > max ? 0 : token,
            ImportanceCorrection.SequenceTruncate => Math.Min(Math.Max(sequence, min), max),
            ImportanceCorrection.SequenceMask => sequence < min || sequence > max ? 0 : sequence,
            _ => 1,
        };
    }
}
