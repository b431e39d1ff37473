namespace Hone.Reinforcement;

/// <summary>Opens language models that an Arbor server serves. They can be trained there.</summary>
public static class ArborLM
{
    /// <summary>The model that <see cref="ArborOptions.Model"/> names. Nothing is sent until it is called or trained; Arbor loads it at the first call.</summary>
    public static LM Open(ArborOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var trainer = new Trainer(options);
        var client = new ArborChatClient(options.Connect(), options.Model, _ => ValueTask.FromResult(options.Model)) { Services = type => type.IsInstanceOfType(trainer) ? trainer : null };
        return new(client, options.Model);
    }

    /// <summary>A model on a checkpoint that a job wrote on the server.</summary>
    internal static LM OnCheckpoint(ArborOptions options, ArborReference reference, string name)
    {
        var directory = reference.CheckpointDirectory!;
        var store = new Checkpoint(reference);
        var client = new ArborChatClient(options.Connect(), directory, _ => ValueTask.FromResult(directory)) { Services = type => type.IsInstanceOfType(store) ? store : null };
        return new(client, name);
    }

    private sealed class Trainer(ArborOptions options) : ITrainableModel
    {
        public Task<ITrainingSession> StartTrainingAsync(TrainingOptions training, CancellationToken cancellationToken = default)
        {
            ArborPreflight.Check(options, training);
            return Task.FromResult<ITrainingSession>(new ArborSession(options, training));
        }
    }

    private sealed class Checkpoint(ArborReference reference) : IWeightStore
    {
        public Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default) =>
            AtomicFile.WriteDirectoryAsync(directory, (temporary, token) => reference.SaveAsync(temporary, token), cancellationToken);
    }
}
