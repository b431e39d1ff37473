namespace Hone.Reinforcement;

/// <summary>
/// The factor of every sequence's summed token losses in the step loss: what turns a service's plain sum over tokens into any of the losses. Counts
/// are those of the whole batch, so that it may be sent in parts.
/// </summary>
internal static class SequenceWeights
{
    public static double[] Of(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss)
    {
        if (loss.Type == PolicyLossType.DrGrpo && loss.MaxCompletionLength <= 0)
            throw new HoneException("Loss.MaxCompletionLength must be above 0 for DrGrpo: it divides the loss. Set it to the completion limit of the rollouts.");
        var active = data.Select(datum => ActiveTokens(datum, loss)).ToArray();
        string[] shares = loss.NormalizePerPredictor ? [.. data.Select(datum => datum.Predictor)] : [.. data.Select(_ => string.Empty)];
        var sums = shares.Zip(active).GroupBy(entry => entry.First, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => (Sequences: group.Count(), Tokens: Math.Max(1, group.Sum(entry => entry.Second))), StringComparer.Ordinal);
        var weights = new double[data.Count];
        for (var i = 0; i < weights.Length; i++)
        {
            var (sequences, tokens) = sums[shares[i]];
            weights[i] = 1 / (sums.Count * loss.Type switch
            {
                PolicyLossType.Grpo or PolicyLossType.Gspo => (double)sequences * Math.Max(1, active[i]),
                PolicyLossType.DrGrpo => (double)sequences * loss.MaxCompletionLength,
                _ => tokens,
            });
        }

        return weights;
    }

    /// <summary>Tokens that are learned from; none of a masked truncated completion.</summary>
    public static int ActiveTokens(TrainingDatum datum, PolicyLossOptions loss) => loss.MaskTruncated && datum.IsTruncated ? 0
        : datum.Mask is { } mask ? mask.Count(value => value != 0) : datum.CompletionIds.Count;
}
