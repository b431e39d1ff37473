namespace Hone.Engine;

/// <summary>A text to imitate.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="LossStart">First position whose prediction counts; at least 1. Positions before it are context only.</param>
/// <param name="Weights">Weight of each counted position, from <paramref name="LossStart"/>; null weighs all with 1.</param>
internal sealed record SupervisedSequence(int[] Tokens, int LossStart, float[]? Weights = null)
{
    /// <summary>Weight of the i-th counted position.</summary>
    public float WeightAt(int index) => Weights is null ? 1 : Weights[index];

    /// <summary>Sum of all weights.</summary>
    public double TotalWeight => Weights is null ? Tokens.Length - LossStart : Weights.Sum(weight => (double)weight);
}

/// <summary>Supervised fine-tuning: the weighted mean of −log p over the counted positions of a batch, and its gradient.</summary>
internal static class SupervisedPass
{
    /// <summary>Adds the batch's gradient to the model's lanes and returns its loss.</summary>
    /// <param name="model">The model; shared prefixes among the sequences are computed once.</param>
    /// <param name="sequences">The batch. A position that several sequences share counts once for each of them.</param>
    /// <param name="workers">Threads; results do not depend on it.</param>
    /// <param name="rowBudget">Rows of a microbatch.</param>
    /// <param name="cancellationToken">Stops between microbatches.</param>
    public static double Run(
        TrainingModel model, IReadOnlyList<SupervisedSequence> sequences, int workers, int rowBudget = 1024, CancellationToken cancellationToken = default)
    {
        var batches = PackedBatch.Plan([.. sequences.Select(sequence => new TrainingSequence(sequence.Tokens, sequence.LossStart))], rowBudget);
        var total = Math.Max(double.Epsilon, sequences.Sum(sequence => sequence.TotalWeight));
        var losses = new double[batches.Count];
        model.ForEachBatch(
            batches, workers,
            (lane, index) =>
            {
                var targets = batches[index].Targets;
                var (logProbs, entropies, gradient) = (new float[targets.Count], new float[targets.Count], new float[targets.Count]);
                model.ForwardScore(lane, batches[index], 1, logProbs, entropies);
                for (var i = 0; i < gradient.Length; i++)
                {
                    var weight = sequences[targets[i].Sequence].WeightAt(targets[i].CompletionIndex) / total;
                    gradient[i] = (float)-weight;
                    losses[index] -= weight * logProbs[i];
                }

                model.Backward(lane, batches[index], gradient);
            },
            cancellationToken);
        return losses.Sum();
    }
}
