using System.Diagnostics;
using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>One forward and backward pass of a policy loss over a batch of completions, split into microbatches that share prefixes.</summary>
internal sealed class PolicyPass
{
    private readonly TrainingModel model;
    private readonly IReadOnlyList<TrainingDatum> data;
    private readonly PolicyLossOptions loss;
    private readonly LossNormalizer normalizer;
    private readonly IReadOnlyList<PackedBatch> batches;
    private readonly IReadOnlyList<float[]>? reference;
    private readonly float[][] logProbs;
    private readonly BatchSums[] sums;

    public PolicyPass(
        TrainingModel model, IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, int rowBudget, IReadOnlyList<float[]>? reference)
    {
        (this.model, this.data, this.loss, this.reference) = (model, data, loss, reference);
        batches = PackedBatch.Plan([.. data.Select(SequenceOf)], rowBudget, overflow: model.MicrobatchOverflow);
        var predictors = data.Select(datum => datum.Predictor).Distinct(StringComparer.Ordinal).ToList();
        // One microbatch as far as the loss is concerned: how the batch is split for the hardware must not change the gradient.
        normalizer = LossNormalizer.Create(loss, [.. data.Select(datum => new SequenceCount(
            datum.Mask?.Count(weight => weight != 0) ?? datum.CompletionIds.Count, datum.IsTruncated, 0, predictors.IndexOf(datum.Predictor)))]);
        logProbs = [.. data.Select(datum => new float[datum.CompletionIds.Count])];
        sums = new BatchSums[batches.Count];
    }

    /// <summary>Runs the pass; gradients are added to the model's lanes.</summary>
    public ForwardBackwardResult Run(int workers, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        model.ForEachBatch(batches, workers, RunBatch, cancellationToken);
        var wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var metrics = new PolicyLossMetrics();
        var total = new BatchSums();
        foreach (var batch in sums)
        {
            metrics.Add(batch.Metrics);
            total = total.Plus(batch);
        }

        var busy = Math.Max(1, total.ForwardTicks + total.BackwardTicks);
        return new()
        {
            LogProbs = logProbs,
            Loss = total.Loss,
            MeanRatio = metrics.Tokens == 0 ? 1 : metrics.MeanRatio,
            ClipFractionLow = metrics.ClipFractionLow,
            ClipFractionHigh = metrics.ClipFractionHigh,
            MeanKl = metrics.MeanKl,
            MeanEntropy = metrics.Tokens == 0 ? 0 : total.Entropy / metrics.Tokens,
            SamplerDifferenceMean = metrics.MeanSamplerMismatch,
            SamplerDifferenceMax = metrics.MaxSamplerMismatch,
            ActiveTokens = metrics.Tokens,
            ForwardSeconds = wall * total.ForwardTicks / busy,
            BackwardSeconds = wall * total.BackwardTicks / busy,
        };
    }

    /// <summary>Log-probabilities of every completion token, without gradients.</summary>
    public static IReadOnlyList<float[]> Score(
        TrainingModel model, IReadOnlyList<TrainingDatum> data, double temperature, int rowBudget, int workers, CancellationToken cancellationToken)
    {
        var batches = PackedBatch.Plan([.. data.Select(SequenceOf)], rowBudget, overflow: model.MicrobatchOverflow);
        var scores = data.Select(datum => new float[datum.CompletionIds.Count]).ToArray();
        model.ForEachBatch(
            batches, workers,
            (lane, index) =>
            {
                var (flat, entropies) = (new float[batches[index].Targets.Count], new float[batches[index].Targets.Count]);
                model.ForwardScore(lane, batches[index], (float)temperature, flat, entropies);
                foreach (var (target, position) in batches[index].Targets.Select((target, position) => (target, position)))
                    scores[target.Sequence][target.CompletionIndex] = flat[position];
            },
            cancellationToken);
        return scores;
    }

    private static TrainingSequence SequenceOf(TrainingDatum datum) => new([.. datum.PromptIds, .. datum.CompletionIds], datum.PromptIds.Count);

    private void RunBatch(TrainingLane lane, int index)
    {
        var batch = batches[index];
        var count = batch.Targets.Count;
        var (flat, entropies, gradient) = (new float[count], new float[count], new float[count]);
        var started = Stopwatch.GetTimestamp();
        model.ForwardScore(lane, batch, (float)loss.Temperature, flat, entropies);
        var scored = Stopwatch.GetTimestamp();
        var sum = new BatchSums { ForwardTicks = scored - started };
        var metrics = new PolicyLossMetrics();
        for (var start = 0; start < count;)
        {
            var sequence = batch.Targets[start].Sequence;
            var length = data[sequence].CompletionIds.Count;
            var values = flat.AsSpan(start, length);
            values.CopyTo(logProbs[sequence]);
            sum.Loss += AddSequence(sequence, values, gradient.AsSpan(start, length), ref metrics);
            sum.Entropy += SumActive(data[sequence], entropies.AsSpan(start, length));
            start += length;
        }

        model.Backward(lane, batch, gradient);
        sum.BackwardTicks = Stopwatch.GetTimestamp() - scored;
        sum.Metrics = metrics;
        sums[index] = sum;
    }

    private double AddSequence(int sequence, ReadOnlySpan<float> current, Span<float> gradient, ref PolicyLossMetrics metrics)
    {
        var datum = data[sequence];
        var tokens = new TokenLogProbs<float>(
            current,
            datum.OldLogProbs is { } old ? [.. old] : default(ReadOnlySpan<float>),
            datum.SamplerLogProbs.Count > 0 ? [.. datum.SamplerLogProbs] : default(ReadOnlySpan<float>),
            reference is null ? default(ReadOnlySpan<float>) : reference[sequence],
            datum.Mask is { } mask ? mask.Select(weight => weight != 0).ToArray() : default(ReadOnlySpan<bool>));
        return PolicyLoss.AddSequence(loss, tokens, datum.Advantage, datum.IsTruncated, normalizer.WeightOf(sequence), gradient, ref metrics);
    }

    private double SumActive(TrainingDatum datum, ReadOnlySpan<float> entropies)
    {
        if (loss.MaskTruncated && datum.IsTruncated)
            return 0;
        var sum = 0.0;
        for (var i = 0; i < entropies.Length; i++)
            sum += datum.Mask is null || datum.Mask[i] != 0 ? entropies[i] : 0;
        return sum;
    }

    private struct BatchSums
    {
        public double Loss;
        public double Entropy;
        public long ForwardTicks;
        public long BackwardTicks;
        public PolicyLossMetrics Metrics;

        public readonly BatchSums Plus(in BatchSums other) => new()
        {
            Loss = Loss + other.Loss,
            Entropy = Entropy + other.Entropy,
            ForwardTicks = ForwardTicks + other.ForwardTicks,
            BackwardTicks = BackwardTicks + other.BackwardTicks,
        };
    }
}
