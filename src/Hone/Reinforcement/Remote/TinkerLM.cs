using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hone.Reinforcement;

/// <summary>Opens language models of a service that speaks the Tinker protocol (SkyRL, or a hosted one). They can be trained there.</summary>
public static class TinkerLM
{
    /// <summary>The base model. Nothing is sent until it is called or trained.</summary>
    public static LM Open(TinkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var client = new TinkerClient(options.Connect(), options);
        var trainer = new Trainer(client);
        var weights = TinkerWeights.Base(options.BaseModel);
        return new(new TinkerChatClient(client, _ => new(weights)) { Services = type => type.IsInstanceOfType(trainer) ? trainer : null }, options.BaseModel);
    }

    /// <summary>A model on saved weights. What is written down of it is where the service keeps them.</summary>
    internal static LM OnSavedWeights(TinkerClient client, string path, int version, string name)
    {
        var store = new SavedWeights(new(client.Options.BaseModel, path, version));
        var weights = TinkerWeights.Saved(path, version);
        return new(new TinkerChatClient(client, _ => new(weights)) { Services = type => type.IsInstanceOfType(store) ? store : null }, name);
    }

    private sealed class Trainer(TinkerClient client) : ITrainableModel
    {
        public async Task<ITrainingSession> StartTrainingAsync(TrainingOptions options, CancellationToken cancellationToken = default) =>
            await TinkerSession.StartAsync(client, options, cancellationToken).ConfigureAwait(false);
    }

    private sealed class SavedWeights(TinkerReference reference) : IWeightStore
    {
        public Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default) =>
            AtomicFile.WriteDirectoryAsync(directory, (temporary, token) => reference.SaveAsync(temporary, token), cancellationToken);
    }
}

/// <summary>Where a service keeps weights: what a run directory holds in their place.</summary>
internal sealed record TinkerReference(string BaseModel, string Path, int PolicyVersion)
{
    public const string FileName = "tinker.json";

    public static async Task<TinkerReference> LoadAsync(string directory, string baseModel, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(directory, FileName);
        if (!File.Exists(path))
            throw new HoneException($"{directory} holds no weights of a Tinker service: {FileName} is missing. Was it written by another kind of session?");
        var reference = JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), RemoteJson.Default.TinkerReference)!;
        return reference.BaseModel == baseModel
            ? reference
            : throw new HoneException($"{path} belongs to the base model '{reference.BaseModel}', not to '{baseModel}'.");
    }

    public async Task SaveAsync(string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(System.IO.Path.Combine(directory, FileName), JsonSerializer.Serialize(this, RemoteJson.Default.TinkerReference), cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>The JSON that remote sessions keep.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(TinkerReference))]
[JsonSerializable(typeof(ArborReference))]
internal sealed partial class RemoteJson : JsonSerializerContext;
