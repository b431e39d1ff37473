using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Tunes models in process, or on a training service: whatever <see cref="ITrainableModel"/> they have.</summary>
public sealed class LocalFineTuning : IFineTuneProvider
{
    private readonly SupervisedOptions options;

    /// <summary>Creates the provider.</summary>
    public LocalFineTuning(SupervisedOptions? options = null) => this.options = options ?? new();

    /// <inheritdoc/>
    public int MaxParallelJobs => 1;

    /// <inheritdoc/>
    public void Check(LM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.GetService<ITrainableModel>() is null)
            throw new HoneException($"The model '{model.Name}' cannot be trained here. Use a local one (Hone.Engine), a training service's client, or {nameof(OpenAIFineTuning)}.");
    }

    /// <inheritdoc/>
    public async Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        SupervisedItem[] items = [.. job.Rows.Select(row => new SupervisedItem(row.Predictor, row.Prompt, row.Completion))];
        var outcome = await new SupervisedTrainer(options).TrainAsync(job.Model, items, cancellationToken).ConfigureAwait(false);
        job.Report?.Invoke(FormattableString.Invariant($"{job.Name}: {outcome.Losses.Count} steps, loss {outcome.Losses[0]:0.000} -> {outcome.Losses[^1]:0.000}"));
        return outcome.Model;
    }
}
