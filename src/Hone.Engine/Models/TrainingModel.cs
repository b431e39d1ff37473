using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Hone.Engine;

/// <summary>
/// Forward and hand-written backward pass over packed batches. With an adapter, only its tensors get gradients and those of the frozen weights are
/// not computed; the adapter is merged into the weights for the pass itself.
/// </summary>
internal sealed unsafe partial class TrainingModel : IDisposable
{
    private const int MinimumRows = 128;
    private const long ActivationLimit = 1L << 30;

    private readonly IKernels _kernels;
    private readonly TrainingWeights _values;
    private readonly MergedWeights? _merged;
    private readonly ParameterSet? _weights;
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
    public TrainingModel(ParameterSet weights, LoraAdapter? adapter, int laneCount, IKernels kernels, bool scoresOnly = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(laneCount);
        (Config, _weights, Adapter, _kernels) = (weights.Config, weights, adapter, kernels);
        Memory = MemoryFor(scoresOnly);
        _values = _merged = new MergedWeights(weights, adapter, kernels);
        Lanes = CreateLanes(kernels.IsHost ? laneCount : 1);
        Repack();
    }

    /// <summary>Trains an adapter beside weights that stay as they are, on the processor; without an adapter it can only score.</summary>
    /// <param name="weights">The weights; retained.</param>
    /// <param name="adapter">The adapter, or null.</param>
    /// <param name="laneCount">As above.</param>
    /// <param name="scoresOnly">Whether no backward pass will be asked for, so that no activations need to be kept.</param>
    public TrainingModel(FrozenWeights weights, LoraAdapter? adapter, int laneCount, bool scoresOnly = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(laneCount);
        (Config, Adapter, _kernels) = (weights.Config, adapter, CpuKernels.Best);
        Memory = MemoryFor(scoresOnly || adapter is null);
        _values = new FrozenTrainingWeights(weights, adapter, CpuKernels.Best);
        Lanes = CreateLanes(laneCount);
        Repack();
    }

    public ModelConfig Config { get; }

    /// <summary>Weights in float32; not there where they are frozen.</summary>
    public ParameterSet Weights => _weights ?? throw new InvalidOperationException("The weights of this model are frozen.");

    public LoraAdapter? Adapter { get; }

    /// <summary>What is trained: the adapter if there is one, else the weights.</summary>
    public FlatTensors Trained => Adapter is null ? Weights : Adapter;

    /// <summary>Rows of a microbatch: what the kernels like best, less where the activations of a large model would take more than a gibibyte.</summary>
    public int MicrobatchRows
    {
        get
        {
            if (!_kernels.IsHost) return _kernels.MicrobatchRows;
            var rows = (int)Math.Min(int.MaxValue, ActivationLimit / TrainingWorkspace.BytesPerRow(Config, Memory));
            return Math.Min(_kernels.MicrobatchRows, Math.Max(MinimumRows, rows / 64 * 64));
        }
    }

    /// <summary>
    /// Rows by which a microbatch may be overfilled rather than compute a shared prefix twice: where a large model keeps microbatches small, a group's
    /// prompt alone may fill one.
    /// </summary>
    public int MicrobatchOverflow => Memory == ActivationMemory.Products ? MicrobatchRows / 2 : 0;

    /// <summary>Which activations are kept for the backward pass: all, unless a microbatch of them would take more than a gibibyte of the host.</summary>
    public ActivationMemory Memory { get; init; }

    /// <summary>Microbatch i belongs to lane i mod <c>Lanes.Count</c>, whatever the number of threads.</summary>
    public IReadOnlyList<TrainingLane> Lanes { get; }

    /// <summary>The arithmetic in use.</summary>
    public IKernels Kernels => _kernels;

    /// <summary>The values of <see cref="Trained"/> where the kernels work.</summary>
    public SharedTensor TrainedValues => _values.Trained;

    /// <summary>All weights where the kernels work, the adapter added to them.</summary>
    public float* EffectiveWeights => (_merged ?? throw new InvalidOperationException("The weights of this model are frozen.")).Effective;

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
        void RunLane(int lane) => OnLane(lane, own =>
        {
            for (var batch = lane; batch < batches.Count; batch += Lanes.Count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                work(own, batch);
            }
        });

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

    /// <summary>Does something with a lane that no other thread uses meanwhile, in a workspace that it has for this time only.</summary>
    public void OnLane(int lane, Action<TrainingLane> work)
    {
        Lanes[lane].Lend(_idleWorkspaces.TryTake(out var idle) ? idle : null);
        try
        {
            work(Lanes[lane]);
        }
        finally
        {
            if (Lanes[lane].TakeBack() is { } used) _idleWorkspaces.Add(used);
        }
    }

    public void Dispose()
    {
        foreach (var lane in Lanes) lane.Dispose();
        foreach (var workspace in _idleWorkspaces) workspace.Dispose();
        _values.Dispose();
    }

    private IReadOnlyList<TrainingLane> CreateLanes(int count) =>
    [
        .. Enumerable.Range(0, count)
            .Select(_ => new TrainingLane(
                _kernels, Memory == ActivationMemory.Nothing ? 0 : TrainedValues.Length, () => new TrainingWorkspace(Config, _kernels, Memory, _values.Beside?.InnerWidth ?? 0))),
    ];

    private ActivationMemory MemoryFor(bool scoresOnly) => scoresOnly ? ActivationMemory.Nothing
        : _kernels.IsHost && _kernels.MicrobatchRows * TrainingWorkspace.BytesPerRow(Config, ActivationMemory.Everything) > ActivationLimit
            ? ActivationMemory.Products : ActivationMemory.Everything;

    private static void CheckBatch(PackedBatch batch, int targetCount, string name)
    {
        if (targetCount < batch.Targets.Count)
            throw new ArgumentException($"'{name}' has {targetCount} elements; the batch has {batch.Targets.Count} targets.", name);
    }
}
