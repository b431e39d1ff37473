namespace Hone.Reinforcement;

/// <summary>
/// A forward and backward pass over a batch that comes in parts (<see cref="ITrainingSession.BeginPass"/>). Its gradient is that of
/// <see cref="ITrainingSession.ForwardBackwardAsync"/> over all parts at once, but for rounding: normalizers are taken over the whole. Disposing of a pass that
/// was not completed drops what it has computed.
/// </summary>
public interface ITrainingPass : IAsyncDisposable
{
    /// <summary>
    /// Takes over more data and returns at once. Parts are summed in the order in which they are added, however long each takes: the same parts in the same order give
    /// the same gradient. What goes wrong in computing them is thrown by <see cref="CompleteAsync"/>.
    /// </summary>
    /// <param name="data">One entry a completion.</param>
    void Add(IReadOnlyList<TrainingDatum> data);

    /// <summary>Waits until all parts are computed. The result has the log-probabilities of all data in the order in which it was added.</summary>
    Task<ForwardBackwardResult> CompleteAsync(CancellationToken cancellationToken = default);
}

/// <summary>The pass of a session that computes nothing beside sampling: all parts at once, at the end.</summary>
internal sealed class GatheredPass(ITrainingSession session, PolicyLossOptions loss) : ITrainingPass
{
    private readonly List<TrainingDatum> gathered = [];

    public void Add(IReadOnlyList<TrainingDatum> data) => gathered.AddRange(data);

    public Task<ForwardBackwardResult> CompleteAsync(CancellationToken cancellationToken = default) =>
        session.ForwardBackwardAsync(gathered, loss, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
