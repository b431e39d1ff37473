using System.Diagnostics;
using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>
/// A policy pass whose data comes in parts, while the policy still samples. Microbatch i of all parts belongs to lane i mod <c>Lanes.Count</c> and a lane works in
/// order, so that the gradient depends on the order of the parts alone. It stays in the lanes, not yet divided by what the whole step is divided by.
/// </summary>
internal sealed class GradualPolicyPass : ITrainingPass
{
    private readonly TrainingModel model;
    private readonly PolicyLossOptions loss;
    private readonly GradualPassOwner owner;
    private readonly GradualNormalizer normalizer;
    private readonly SemaphoreSlim threads;
    private readonly CancellationTokenSource abandoned = new();
    private readonly Lock gate = new();
    private readonly List<PolicyPass> parts = [];
    private readonly Task[] lanes;
    private readonly TaskCompletionSource begun = new();
    private Task planned;
    private int batches;
    private int running;
    private long runningSince;
    private TimeSpan busy;
    private bool isOver;

    public GradualPolicyPass(TrainingModel model, PolicyLossOptions loss, int workers, GradualPassOwner owner)
    {
        if (loss.NormalizePerPredictor)
            throw new HoneException("NormalizePerPredictor divides by what the whole step has of each predictor: it cannot be learned from in parts.");
        (this.model, this.loss, this.owner) = (model, loss, owner);
        normalizer = new(loss);
        threads = new(workers);
        lanes = [.. model.Lanes.Select(_ => Task.CompletedTask)];

        // Other hardware does one thing at a time: there the parts wait until nobody samples.
        if (model.Kernels.IsHost)
            begun.SetResult();
        planned = begun.Task;
    }

    public void Add(IReadOnlyList<TrainingDatum> data)
    {
        owner.Check(data);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isOver, this);
            planned = PlanAsync(planned, data);
        }
    }

    public async Task<ForwardBackwardResult> CompleteAsync(CancellationToken cancellationToken = default)
    {
        begun.TrySetResult();
        await planned.WaitAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(lanes).WaitAsync(cancellationToken).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(isOver, this);
        isOver = true;
        var scale = 1 / normalizer.Divisor;
        owner.Complete(scale);
        return PolicyPass.ResultOf(parts, busy.TotalSeconds, scale);
    }

    public async ValueTask DisposeAsync()
    {
        if (!isOver)
        {
            isOver = true;
            await abandoned.CancelAsync().ConfigureAwait(false);
            begun.TrySetCanceled();
            await planned.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll(lanes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            owner.Abandon();
        }

        abandoned.Dispose();
        threads.Dispose();
    }

    // One part after the other: the reference policy scores one list at a time, and microbatches are numbered in the order of the parts.
    private async Task PlanAsync(Task before, IReadOnlyList<TrainingDatum> data)
    {
        await before.ConfigureAwait(false);
        var part = await Task.Run(
            () =>
            {
                var weights = data.Select(datum => normalizer.Add(new(PolicyPass.ActiveTokensOf(datum), datum.IsTruncated))).ToArray();
                return new PolicyPass(model, data, loss, model.MicrobatchRows, owner.Reference(data, abandoned.Token), index => weights[index]);
            },
            abandoned.Token).ConfigureAwait(false);
        parts.Add(part);
        for (var i = 0; i < part.BatchCount; i++)
        {
            var lane = batches++ % lanes.Length;
            lanes[lane] = RunAsync(lanes[lane], part, i, lane);
        }
    }

    private async Task RunAsync(Task before, PolicyPass part, int batch, int lane)
    {
        await before.ConfigureAwait(false);
        await threads.WaitAsync(abandoned.Token).ConfigureAwait(false);
        try
        {
            await Task.Run(
                () => model.OnLane(lane, own =>
                {
                    Count(1);
                    try
                    {
                        part.RunBatch(own, batch);
                    }
                    finally
                    {
                        Count(-1);
                    }
                }),
                abandoned.Token).ConfigureAwait(false);
        }
        finally
        {
            threads.Release();
        }
    }

    // The time in which at least one microbatch was under way.
    private void Count(int change)
    {
        lock (gate)
        {
            if (running == 0)
                runningSince = Stopwatch.GetTimestamp();
            running += change;
            if (running == 0)
                busy += Stopwatch.GetElapsedTime(runningSince);
        }
    }
}

/// <summary>What a gradual pass asks of its session, and tells it.</summary>
/// <param name="Check">Refuses data that cannot be learned from.</param>
/// <param name="Reference">Log-probabilities under the reference policy; null when the loss needs none.</param>
/// <param name="Complete">Told what the gradient in the lanes has yet to be multiplied by.</param>
/// <param name="Abandon">Told that the gradient in the lanes is of no use.</param>
internal sealed record GradualPassOwner(
    Action<IReadOnlyList<TrainingDatum>> Check,
    Func<IReadOnlyList<TrainingDatum>, CancellationToken, IReadOnlyList<float[]>?> Reference,
    Action<double> Complete,
    Action Abandon);
