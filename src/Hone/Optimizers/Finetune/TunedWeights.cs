using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Weights that a tuned model wrote, under the model that they were tuned from.</summary>
internal static class TunedWeights
{
    /// <summary>True when weights of a tuned model can be written, and read back under the model that it came from.</summary>
    public static bool CanKeep(LM tuned, LM? from) => tuned.GetService<IWeightStore>() is not null && from?.GetService<ITrainableModel>() is not null;

    /// <summary>The model on these weights, with its options.</summary>
    /// <exception cref="HoneException">The model cannot be trained, or the weights are not its.</exception>
    public static async Task<LM> LoadAsync(LM model, string directory, string name, TrainingOptions options, CancellationToken cancellationToken)
    {
        var trainable = model.GetService<ITrainableModel>()
            ?? throw new HoneException($"The model '{model.Name}' cannot be trained here, so that the weights in {directory} cannot be loaded under it.");
        var session = await trainable.StartTrainingAsync(options, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
            return await session.LoadSnapshotAsync(directory, name, cancellationToken).ConfigureAwait(false) with { Options = model.Options };
    }
}
