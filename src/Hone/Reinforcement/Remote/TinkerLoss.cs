namespace Hone.Reinforcement;

/// <summary>
/// One sequence as the service is to see it, a value for each completion token: weights, or advantages with old log-probabilities. Losses of ratios
/// take no weights everywhere; a token that is not learned from has the advantage 0.
/// </summary>
internal sealed record TinkerSequence(TrainingDatum Datum, double[]? Weights, double[]? Advantages = null, IReadOnlyList<float>? LogProbs = null);

/// <summary>One batch in the protocol's terms: a loss by name with its bounds.</summary>
internal sealed record TinkerBatch(string LossFunction, IReadOnlyList<TinkerSequence> Sequences, (double Low, double High)? Clip);

/// <summary>
/// Puts Hone's losses into those of the protocol, which are plain sums over tokens. What depends on numbers that are known here (normalizers,
/// corrections, masks, clipping of a ratio that is 1) is multiplied into the weights, so the gradient is exactly that of the loss in process.
/// </summary>
internal static class TinkerLoss
{
    public static readonly PolicyLossType[] Supported =
        [PolicyLossType.Grpo, PolicyLossType.Bnpo, PolicyLossType.DrGrpo, PolicyLossType.Dapo, PolicyLossType.Cispo];

    /// <summary>Whether current log-probabilities must be asked for first: corrections and the off-policy mask compare with them.</summary>
    public static bool NeedsCurrentLogProbs(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss) =>
        loss.OffPolicyThreshold is not null
        || (loss.Correction != ImportanceCorrection.None && !IsPlainImportanceSampling(data, loss) && data.Any(datum => datum.OldLogProbs is null));

    /// <summary>The batch.</summary>
    /// <param name="data">The data.</param>
    /// <param name="loss">The loss; one that the protocol can express.</param>
    /// <param name="current">Current log-probabilities where <see cref="NeedsCurrentLogProbs"/>.</param>
    public static TinkerBatch Build(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, IReadOnlyList<float[]>? current)
    {
        var weights = SequenceWeights.Of(data, loss);
        if (IsPlainImportanceSampling(data, loss))
            return new("importance_sampling", [.. data.Select((datum, i) => Ratio(datum, loss, weights[i], Ones(datum), datum.SamplerLogProbs))], null);
        var factors = data.Select((datum, i) => Factors(datum, loss, current?[i])).ToArray();
        if (data.All(datum => datum.OldLogProbs is null))
            return new("cross_entropy", [.. data.Select((datum, i) => Plain(datum, loss, weights[i], factors[i]))], null);
        var ratios = data.Select((datum, i) => Ratio(
            datum, loss, weights[i], factors[i],
            datum.OldLogProbs ?? throw new HoneException("Either all data of a batch have OldLogProbs, or none."))).ToArray();
        var high = loss.EpsilonHigh ?? loss.EpsilonLow;
        return loss.Type == PolicyLossType.Cispo ? new("cispo", ratios, (0, high)) : new("ppo", ratios, (1 - loss.EpsilonLow, 1 + high));
    }

    // Correcting each token without limits by old/sampler, with old = current: -exp(current - sampler) A, for which the protocol has a name.
    private static bool IsPlainImportanceSampling(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss) =>
        loss is { Correction: ImportanceCorrection.TokenTruncate, CorrectionMin: null or 0, CorrectionMax: null, OffPolicyThreshold: null }
        && loss.Type != PolicyLossType.Cispo && data.All(datum => datum.OldLogProbs is null && datum.SamplerLogProbs.Count == datum.CompletionIds.Count);

    // With the ratio 1 the gradient of every loss is that of -A w log p.
    private static TinkerSequence Plain(TrainingDatum datum, PolicyLossOptions loss, double weight, double[] factors)
    {
        var ratio = loss.Type == PolicyLossType.Cispo ? Math.Min(1, loss.EpsilonHigh ?? loss.EpsilonLow) : 1;
        var mask = MaskOf(datum, loss);
        return new(datum, [.. factors.Select((factor, t) => mask[t] * factor * ratio * weight * datum.Advantage)]);
    }

    private static TinkerSequence Ratio(TrainingDatum datum, PolicyLossOptions loss, double weight, double[] factors, IReadOnlyList<float> old)
    {
        var mask = MaskOf(datum, loss);
        return new(datum, null, [.. factors.Select((factor, t) => mask[t] * factor * weight * datum.Advantage)], old);
    }

    private static double[] MaskOf(TrainingDatum datum, PolicyLossOptions loss) => loss.MaskTruncated && datum.IsTruncated
        ? new double[datum.CompletionIds.Count]
        : datum.Mask is { } mask ? [.. mask.Select(value => (double)value)] : Ones(datum);

    private static double[] Ones(TrainingDatum datum) => [.. Enumerable.Repeat(1.0, datum.CompletionIds.Count)];

    // Correction weights and the off-policy mask: constants of the gradient, as in the loss in process.
    private static double[] Factors(TrainingDatum datum, PolicyLossOptions loss, float[]? current)
    {
        var factors = Ones(datum);
        var old = datum.OldLogProbs ?? current;
        var sampler = datum.SamplerLogProbs.Count > 0 ? datum.SamplerLogProbs : old;
        if (old is null || sampler is null)
            return factors;
        var mask = MaskOf(datum, loss);
        var active = Enumerable.Range(0, factors.Length).Where(t => mask[t] != 0).ToArray();
        var drift = active.Length == 0 || current is null ? 0 : active.Average(t => (double)sampler[t] - current[t]);
        if (loss.OffPolicyThreshold is { } threshold && datum.Advantage < 0 && drift > threshold)
            return new double[factors.Length];
        var sequence = Math.Exp(active.Sum(t => (double)old[t] - sampler[t]));
        foreach (var t in active)
            factors[t] = Correction(loss, Math.Exp((double)old[t] - sampler[t]), sequence);
        return factors;
    }

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
