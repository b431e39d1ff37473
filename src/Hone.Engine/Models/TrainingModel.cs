namespace Hone.Engine;

/// <summary>Activations of one microbatch and the gradients that its lane has gathered. Used by one thread at a time.</summary>
internal sealed class TrainingLane : IDisposable
{
    /// <summary>Gradient sum, laid out like the trained tensors.</summary>
    public Span<float> Gradient => throw new NotImplementedException();

    public void Dispose()
    {
    }
}

/// <summary>Forward and hand-written backward pass over packed batches. With an adapter, only its tensors get gradients.</summary>
internal sealed class TrainingModel : IDisposable
{
    public TrainingModel(ParameterSet weights, LoraAdapter? adapter = null, int laneCount = 4)
    {
        Weights = weights;
        Adapter = adapter;
        Lanes = [.. Enumerable.Range(0, laneCount).Select(_ => new TrainingLane())];
    }

    public ParameterSet Weights { get; }

    public LoraAdapter? Adapter { get; }

    /// <summary>What is trained: the adapter if there is one, else the weights.</summary>
    public FlatTensors Trained => Adapter is null ? Weights : Adapter;

    /// <summary>Microbatch i belongs to lane i mod <c>Lanes.Count</c>, whatever the number of threads.</summary>
    public IReadOnlyList<TrainingLane> Lanes { get; }

    /// <summary>Takes over changed weights. Call after every update.</summary>
    public void Repack() => throw new NotImplementedException();

    public void ZeroGradients() => throw new NotImplementedException();

    /// <summary>Runs <paramref name="work"/> once per batch, lane by lane, on up to <paramref name="workers"/> threads; the result does not depend on their number.</summary>
    public void ForEachBatch(IReadOnlyList<PackedBatch> batches, int workers, Action<TrainingLane, int> work, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Sums the lanes' gradients in lane order into the first lane and returns it.</summary>
    public Span<float> SumGradients() => throw new NotImplementedException();

    /// <summary>Log-probability and entropy of every target under softmax(logits / temperature) over the full vocabulary. Keeps the activations in the lane.</summary>
    public void ForwardScore(TrainingLane lane, PackedBatch batch, float temperature, Span<float> logProbs, Span<float> entropies) =>
        throw new NotImplementedException();

    /// <summary>Adds to the lane's gradient, given d loss / d log-probability per target of the batch that the lane scored last.</summary>
    public void Backward(TrainingLane lane, PackedBatch batch, ReadOnlySpan<float> gradientOfLogProb) => throw new NotImplementedException();

    public void Dispose()
    {
        foreach (var lane in Lanes) lane.Dispose();
    }
}
