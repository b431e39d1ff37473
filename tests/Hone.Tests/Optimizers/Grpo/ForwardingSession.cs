using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>A session that does what another one does: tests change single things of it.</summary>
internal class ForwardingSession(ITrainingSession inner) : ITrainingSession
{
    public virtual TrainingCapabilities Capabilities => inner.Capabilities;

    public int PolicyVersion => inner.PolicyVersion;

    public virtual IChatClient Policy => inner.Policy;

    public virtual Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default) => inner.ForwardBackwardAsync(data, loss, cancellationToken);

    public Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default) =>
        inner.OptimizerStepAsync(options, cancellationToken);

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default) =>
        inner.ScoreAsync(data, temperature, cancellationToken);

    public virtual Task SaveStateAsync(string directory, CancellationToken cancellationToken = default) => inner.SaveStateAsync(directory, cancellationToken);

    public Task LoadStateAsync(string directory, CancellationToken cancellationToken = default) => inner.LoadStateAsync(directory, cancellationToken);

    public virtual Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default) => inner.SnapshotAsync(name, cancellationToken);

    public Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default) => inner.LoadSnapshotAsync(directory, name, cancellationToken);

    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();
}
