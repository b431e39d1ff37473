namespace Hone.Optimizers;

/// <summary>Keeps what happens in optimizer runs: a log, an experiment tracker. Events come one after the other, from the first to the last of a run.</summary>
public interface IOptimizationTracker
{
    /// <summary>Takes one event. An exception is logged and does not disturb the run.</summary>
    ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default);
}
