using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Weights under training: sample, forward and backward, optimizer step, save, load. The one contract between reinforcement learning and whatever
/// computes gradients: in process, or a training service. No method may run while another does, except sampling with itself.
/// </summary>
public interface ITrainingSession : IAsyncDisposable
{
    /// <summary>What the session can do.</summary>
    TrainingCapabilities Capabilities { get; }

    /// <summary>Version of the current weights: 0 at the start, one more after every optimizer step.</summary>
    int PolicyVersion { get; }

    /// <summary>Samples from the current weights; responses carry <see cref="SampledTokens"/>.</summary>
    IChatClient Policy { get; }

    /// <summary>Computes the loss and its gradient over one batch; gradients accumulate until the next optimizer step.</summary>
    /// <param name="data">One entry a completion. Normalizers are taken over the whole batch, however it is split inside.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="cancellationToken">Stops between microbatches; the gradients are then undefined until the next optimizer step or load.</param>
    Task<ForwardBackwardResult> ForwardBackwardAsync(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default);

    /// <summary>Applies the gradients and clears them.</summary>
    Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default);

    /// <summary>
    /// One update: <see cref="ForwardBackwardAsync"/> and <see cref="OptimizerStepAsync"/>, one after the other unless the session knows better. A service is sent both
    /// before either is waited for, so that its engine need not wait for the way between them; when the pass then fails, the weights are undefined until the next load.
    /// </summary>
    async Task<TrainingUpdate> UpdateAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, OptimizerStepOptions optimizer, CancellationToken cancellationToken = default)
    {
        var pass = await ForwardBackwardAsync(data, loss, cancellationToken).ConfigureAwait(false);
        return new(pass, await OptimizerStepAsync(optimizer, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// Begins a forward and backward pass whose data comes in parts; the session's next optimizer step must find it completed. Where
    /// <see cref="TrainingCapabilities.LearnsWhileSampling"/> is true its parts are computed while the policy samples; elsewhere they are gathered, and computed
    /// when all are there.
    /// </summary>
    /// <param name="loss">The loss.</param>
    ITrainingPass BeginPass(PolicyLossOptions loss) => new GatheredPass(this, loss);

    /// <summary>Log-probability of every completion token under the current weights, without gradients.</summary>
    Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default);

    /// <summary>Writes weights, optimizer moments and version to a directory that must not exist yet.</summary>
    Task SaveStateAsync(string directory, CancellationToken cancellationToken = default);

    /// <summary>Restores what <see cref="SaveStateAsync"/> wrote: afterwards training goes on exactly as it would have.</summary>
    Task LoadStateAsync(string directory, CancellationToken cancellationToken = default);

    /// <summary>A client bound to the current weights for good: later steps do not change it, and it outlives the session.</summary>
    Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>A client on weights that a snapshot's <see cref="IWeightStore"/> wrote earlier.</summary>
    Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default);
}

/// <summary>A model that can start a training session: a service of its chat client.</summary>
public interface ITrainableModel
{
    /// <summary>Tells this model's weights apart from others, whatever the model is called: a run is resumed from these only. Null where it is not told; then the name has to do.</summary>
    string? WeightsDigest => null;

    /// <summary>Starts training from this model's weights; the model itself stays as it is.</summary>
    /// <exception cref="TrainingNotSupportedException">The plan asks for something that cannot be done here. Nothing was spent.</exception>
    Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default);
}

/// <summary>What a training session can do.</summary>
public sealed record TrainingCapabilities
{
    /// <summary>Losses it computes.</summary>
    public required IReadOnlyList<PolicyLossType> Losses { get; init; }

    /// <summary>Longest prompt plus completion, in tokens.</summary>
    public required int MaxSequenceLength { get; init; }

    /// <summary>Most tokens of an answer to a call that sets no limit; null where such an answer may fill what its prompt leaves.</summary>
    public int? DefaultAnswerTokens { get; init; }

    /// <summary>True when a penalty against the starting weights is possible.</summary>
    public bool SupportsKl { get; init; }

    /// <summary>True when all weights are trained, false for an adapter.</summary>
    public bool IsFullFineTuning { get; init; }

    /// <summary>True when the session learns from text and rewards, which it tokenizes and compares by itself, instead of the tokens that were sampled.</summary>
    public bool LearnsFromText { get; init; }

    /// <summary>True when the weights are updated once for every group instead of once for a batch: later groups of a step are off-policy.</summary>
    public bool LearnsByGroup { get; init; }

    /// <summary>True when the parts of an <see cref="ITrainingPass"/> are computed while the policy samples.</summary>
    public bool LearnsWhileSampling { get; init; }

    /// <summary>Bytes of this process's memory that a step will have taken at its peak, roughly; null when the weights are elsewhere or it is not known.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>True when <see cref="ITrainingSession.ScoreAsync"/> works.</summary>
    /// <value>True by default.</value>
    public bool CanScore { get; init; } = true;

    /// <summary>True when a saved state can be gone back to; false when it only finds training that still runs where it was left.</summary>
    /// <value>True by default.</value>
    public bool CanRestore { get; init; } = true;
}
