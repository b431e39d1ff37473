using System.Diagnostics;
using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>One forward and backward pass of a policy loss over a batch of completions, split into microbatches that share prefixes.</summary>
internal sealed class PolicyPass
{
    private readonly TrainingModel model;
    private readonly IReadOnlyList<TrainingDatum> data;
    private readonly PolicyLossOptions loss;
    private readonly Func<int, double> weightOf;
    private readonly IReadOnlyList<PackedBatch> batches;
    private readonly IReadOnlyList<float[]>? reference;
    private readonly float[][] logProbs;
    private readonly BatchSums[] sums;

    public PolicyPass(
        TrainingModel model, IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, int rowBudget, IReadOnlyList<float[]>? reference)
        : this(model, data, loss, rowBudget, reference, NormalizerOf(data, loss).WeightOf)
    {
    }

    /// <param name="model">The model.</param>
    /// <param name="data">Completions; all of a step, or those of one part.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="rowBudget">Rows of a microbatch.</param>
    /// <param name="reference">Log-probabilities under the reference policy; null without one.</param>
    /// <param name="weightOf">The factor of a datum's summed token losses.</param>
    public PolicyPass(
        TrainingModel model, IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, int rowBudget, IReadOnlyList<float[]>? reference, Func<int, double> weightOf)
    {
        (this.model, this.data, this.loss, this.reference, this.weightOf) = (model, data, loss, reference, weightOf);
        batches = PackedBatch.Plan([.. data.Select(SequenceOf)], rowBudget, overflow: model.MicrobatchOverflow);
        logProbs = [.. data.Select(datum => new float[datum.CompletionIds.Count])];
        sums = new BatchSums[batches.Count];
    }

    /// <summary>How many microbatches there are.</summary>
    public int BatchCount => batches.Count;

    /// <summary>Trainable tokens of a datum, before truncation is considered.</summary>
    public static int ActiveTokensOf(TrainingDatum datum) => datum.Mask?.Count(weight => weight != 0) ?? datum.CompletionIds.Count;

    /// <summary>Runs the pass; gradients are added to the model's lanes.</summary>
    public ForwardBackwardResult Run(int workers, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        model.ForEachBatch(batches, workers, RunBatch, cancellationToken);
        return ResultOf([this], Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>What passes found that ran as one.</summary>
    /// <param name="passes">The passes, in order.</param>
    /// <param name="seconds">How long they took together.</param>
    /// <param name="scale">What their losses have yet to be multiplied by.</param>
    public static ForwardBackwardResult ResultOf(IReadOnlyList<PolicyPass> passes, double seconds, double scale = 1)
    {
        var metrics = new PolicyLossMetrics();
        var total = new BatchSums();
        foreach (var batch in passes.SelectMany(pass => pass.sums))
        {
            metrics.Add(batch.Metrics);
            total = total.Plus(batch);
        }

        var busy = Math.Max(1, total.ForwardTicks + total.BackwardTicks);
        return new()
        {
            LogProbs = passes.Count == 1 ? passes[0].logProbs : [.. passes.SelectMany(pass => pass.logProbs)],
            Loss = scale * total.Loss,
            MeanRatio = metrics.Tokens == 0 ? 1 : metrics.MeanRatio,
            ClipFractionLow = metrics.ClipFractionLow,
            ClipFractionHigh = metrics.ClipFractionHigh,
            MeanKl = metrics.MeanKl,
            MeanEntropy = metrics.Tokens == 0 ? 0 : total.Entropy / metrics.Tokens,
            SamplerDifferenceMean = metrics.MeanSamplerMismatch,
            SamplerDifferenceMax = metrics.MaxSamplerMismatch,
            ActiveTokens = metrics.Tokens,
            ForwardSeconds = seconds * total.ForwardTicks / busy,
            BackwardSeconds = seconds * total.BackwardTicks / busy,
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

    // One microbatch as far as the loss is concerned: how the batch is split for the hardware must not change the gradient.
    private static LossNormalizer NormalizerOf(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss)
    {
        var predictors = data.Select(datum => datum.Predictor).Distinct(StringComparer.Ordinal).ToList();
        return LossNormalizer.Create(loss, [.. data.Select(datum => new SequenceCount(ActiveTokensOf(datum), datum.IsTruncated, 0, predictors.IndexOf(datum.Predictor)))]);
    }

    /// <summary>Runs one microbatch; its gradient is added to the lane's.</summary>
    public void RunBatch(TrainingLane lane, int index)
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
        return PolicyLoss.AddSequence(loss, tokens, datum.Advantage, datum.IsTruncated, weightOf(sequence), gradient, ref metrics);
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
