using System.Security.Cryptography;
using System.Text;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Tunes models in process, or on a training service: whatever <see cref="ITrainableModel"/> they have. With a run directory the tuned weights are kept in
/// <c>finetune/NAME</c>; a run that goes on takes them from there when rows and settings are the same.
/// </summary>
public sealed class LocalFineTuning : IFineTuneProvider
{
    private const string Weights = "weights";
    private const string Identity = "tuned.txt";

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
        var trainer = new SupervisedTrainer(options);
        var (folder, identity) = job.Directory is { } directory ? (Path.Combine(directory, job.Name), IdentityOf(job)) : (null, string.Empty);
        if (folder is not null && await IsKeptAsync(folder, identity, cancellationToken).ConfigureAwait(false))
        {
            job.Report?.Invoke($"{job.Name}: the weights were tuned before");
            return await trainer.LoadAsync(job.Model, Path.Combine(folder, Weights), cancellationToken).ConfigureAwait(false);
        }

        SupervisedItem[] items = [.. job.Rows.Select(row => new SupervisedItem(row.Predictor, row.Prompt, row.Completion))];
        var outcome = await trainer.TrainAsync(job.Model, items, cancellationToken).ConfigureAwait(false);
        job.Report?.Invoke(FormattableString.Invariant($"{job.Name}: {outcome.Losses.Count} steps, loss {outcome.Losses[0]:0.000} -> {outcome.Losses[^1]:0.000}"));
        if (folder is not null && outcome.Model.GetService<IWeightStore>() is { } store)
            await KeepAsync(store, folder, identity, cancellationToken).ConfigureAwait(false);
        return outcome.Model;
    }

    private static async Task<bool> IsKeptAsync(string folder, string identity, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, Identity);
        return File.Exists(path) && await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false) == identity;
    }

    private static Task KeepAsync(IWeightStore store, string folder, string identity, CancellationToken cancellationToken) => AtomicFile.WriteDirectoryAsync(
        folder,
        async (temporary, token) =>
        {
            Directory.CreateDirectory(temporary);
            await store.SaveWeightsAsync(Path.Combine(temporary, Weights), token).ConfigureAwait(false);
            await File.WriteAllTextAsync(Path.Combine(temporary, Identity), identity, token).ConfigureAwait(false);
        },
        cancellationToken);

    private string IdentityOf(FineTuneJob job)
    {
        var settings = FormattableString.Invariant(
            $"{ProgramParts.Identity(job.Model)}; {options.Epochs}; {options.BatchSize}; {options.LearningRate:R}; {options.Schedule}; {options.WarmupShare:R}; ")
            + FormattableString.Invariant($"{options.Optimizer}; {options.Lora}; {options.Seed}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(settings));
        hash.AppendData(FineTuneData.ToBytes(job.Rows));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
