using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Hone.Engine;

/// <summary>
/// Forward and hand-written backward pass over packed batches. With an adapter, only its tensors get gradients and those of the frozen weights are
/// not computed; the adapter is merged into the weights for the pass itself.
/// </summary>
internal sealed unsafe partial class TrainingModel : IDisposable
{
    private readonly IKernels _kernels;
    private readonly TrainingWeights _values;
    private readonly ConcurrentBag<TrainingWorkspace> _idleWorkspaces = [];

    /// <param name="weights">Weights, read in place: change them only between passes, then call <see cref="Repack"/>.</param>
    /// <param name="adapter">Adapter to train instead of the weights.</param>
    /// <param name="laneCount">Gradient sums that can be filled side by side. Results depend on it, not on the number of threads.</param>
    /// <param name="kernels">Arithmetic to use; the best of the machine's processor by default.</param>
    public TrainingModel(ParameterSet weights, LoraAdapter? adapter = null, int laneCount = 4, VectorKernels? kernels = null)
        : this(weights, adapter, laneCount, kernels is null ? CpuKernels.Best : new CpuKernels(kernels))
    {
    }

    /// <summary>Trains on other hardware. Kernels that are not the host's get one lane: they have no threads to fill others with.</summary>
    public TrainingModel(ParameterSet weights, LoraAdapter? adapter, int laneCount, IKernels kernels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(laneCount);
        Weights = weights;
        Adapter = adapter;
        _kernels = kernels;
        _values = new TrainingWeights(weights, adapter, kernels);
        Lanes = [.. Enumerable.Range(0, kernels.IsHost ? laneCount : 1)
            .Select(_ => new TrainingLane(kernels, Trained.Values.Length, () => new TrainingWorkspace(Config, kernels)))];
        Repack();
    }

    public ModelConfig Config => Weights.Config;

    public ParameterSet Weights { get; }

    public LoraAdapter? Adapter { get; }

    /// <summary>What is trained: the adapter if there is one, else the weights.</summary>
    public FlatTensors Trained => Adapter is null ? Weights : Adapter;

    /// <summary>Microbatch i belongs to lane i mod <c>Lanes.Count</c>, whatever the number of threads.</summary>
    public IReadOnlyList<TrainingLane> Lanes { get; }

    /// <summary>The arithmetic in use.</summary>
    public IKernels Kernels => _kernels;

    /// <summary>The values of <see cref="Trained"/> where the kernels work.</summary>
    public SharedTensor TrainedValues => _values.Trained;

    /// <summary>All weights where the kernels work, the adapter added to them.</summary>
    public float* EffectiveWeights => _values.Effective;

    /// <summary>Takes over weights, or an adapter, that the host changed.</summary>
    public void Repack() => _values.Push();

    /// <summary>Takes over an update of <see cref="TrainedValues"/>. The host sees it after their <see cref="SharedTensor.Pull"/>.</summary>
    public void TakeUpdate() => _values.Refresh();

    public void ZeroGradients()
    {
        foreach (var lane in Lanes) lane.Gradient.Clear();
    }

    /// <summary>Sums the lanes' gradients in lane order into the first lane, clears the others and returns the sum for the host to read.</summary>
    public Span<float> SumGradients()
    {
        var sum = GradientSum();
        sum.Pull();
        return sum.Host;
    }

    /// <summary>As <see cref="SumGradients"/>, left where the kernels work.</summary>
    public SharedTensor GradientSum()
    {
        var sum = Lanes[0].Gradient;
        for (var i = 1; i < Lanes.Count; i++)
        {
            _kernels.Add(sum.Pointer, Lanes[i].GradientPointer, sum.Length);
            Lanes[i].Gradient.Clear();
        }

        return sum;
    }

    /// <summary>
    /// Runs <paramref name="work"/> (with the lane and the batch's index) once per batch, lane by lane and in order within a lane, on up to
    /// <paramref name="workers"/> threads. Gradients do not depend on the number of threads.
    /// </summary>
    public void ForEachBatch(IReadOnlyList<PackedBatch> batches, int workers, Action<TrainingLane, int> work,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        void RunLane(int lane)
        {
            Lanes[lane].Lend(_idleWorkspaces.TryTake(out var idle) ? idle : null);
            try
            {
                for (var batch = lane; batch < batches.Count; batch += Lanes.Count)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    work(Lanes[lane], batch);
                }
            }
            finally
            {
                if (Lanes[lane].TakeBack() is { } used) _idleWorkspaces.Add(used);
            }
        }

        var lanes = Math.Min(Lanes.Count, batches.Count);
        try
        {
            Parallel.For(0, lanes, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken }, RunLane);
        }
        catch (AggregateException error) when (error.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
        }
    }

    public void Dispose()
    {
        foreach (var lane in Lanes) lane.Dispose();
        foreach (var workspace in _idleWorkspaces) workspace.Dispose();
        _values.Dispose();
    }

    private static void CheckBatch(PackedBatch batch, int targetCount, string name)
    {
        if (targetCount < batch.Targets.Count)
            throw new ArgumentException($"'{name}' has {targetCount} elements; the batch has {batch.Targets.Count} targets.", name);
    }
}
