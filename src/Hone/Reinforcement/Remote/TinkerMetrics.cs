namespace Hone.Reinforcement;

/// <summary>What a pass found, computed here from the log-probabilities that came back: services differ in what they report and what they call it.</summary>
internal static class TinkerMetrics
{
    public static ForwardBackwardResult Of(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, IReadOnlyList<float[]> logProbs, double seconds)
    {
        var weights = SequenceWeights.Of(data, loss);
        double low = 1 - loss.EpsilonLow, high = loss.Type == PolicyLossType.Cispo ? loss.EpsilonHigh ?? loss.EpsilonLow : 1 + (loss.EpsilonHigh ?? loss.EpsilonLow);
        double total = 0, ratios = 0, entropy = 0, difference = 0, largest = 0;
        long active = 0, clippedLow = 0, clippedHigh = 0;
        for (var i = 0; i < data.Count; i++)
        {
            var datum = data[i];
            if (SequenceWeights.ActiveTokens(datum, loss) == 0)
                continue;
            var (sequenceRatios, factors) = (TinkerLoss.Ratios(datum, loss, logProbs[i]), TinkerLoss.Factors(datum, loss, logProbs[i]));
            for (var t = 0; t < datum.CompletionIds.Count; t++)
            {
                if (datum.Mask is { } mask && mask[t] == 0)
                    continue;
                var old = datum.OldLogProbs?[t] ?? logProbs[i][t];
                var ratio = sequenceRatios[t];
                total += weights[i] * factors[t] * TinkerLoss.Token(loss, ratio, datum.Advantage, logProbs[i][t]).Loss;
                active++;
                ratios += ratio;
                entropy -= logProbs[i][t];
                clippedLow += ratio < low && datum.Advantage < 0 && loss.Type != PolicyLossType.Cispo ? 1 : 0;
                clippedHigh += ratio > high && datum.Advantage > 0 ? 1 : 0;
                var mismatch = datum.SamplerLogProbs.Count > t ? Math.Abs((double)old - datum.SamplerLogProbs[t]) : 0;
                difference += mismatch;
                largest = Math.Max(largest, mismatch);
            }
        }

        var count = Math.Max(1, active);
        return new()
        {
            LogProbs = logProbs,
            Loss = total,
            MeanRatio = active == 0 ? 1 : ratios / count,
            MeanEntropy = entropy / count, // of the tokens that were sampled: the protocol tells no more of the distribution
            ClipFractionLow = clippedLow / (double)count,
            ClipFractionHigh = clippedHigh / (double)count,
            SamplerDifferenceMean = difference / count,
            SamplerDifferenceMax = largest,
            ActiveTokens = active,
            ForwardSeconds = seconds,
        };
    }
}
