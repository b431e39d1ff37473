using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>Opens language models that run, and can be trained, in this process.</summary>
public static class EngineLM
{
    /// <summary>The small model that ships with Hone: it knows the signatures of the training samples, copies well, and knows nothing else; others it must be taught first. For tests, samples and learning.</summary>
    /// <param name="options">How to run it.</param>
    /// <param name="adapter">Directory of a PEFT adapter that was trained on it, or null.</param>
    /// <exception cref="FileNotFoundException">A file of the adapter is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">The adapter is of another model or kind; the message names file and key.</exception>
    public static LM Embedded(EngineOptions? options = null, string? adapter = null) => Owning(EngineModel.LoadEmbedded(adapter), options ?? new());

    /// <summary>
    /// A Hugging Face directory of a Qwen2, Qwen2.5, Qwen3, Llama 3 or SmolLM2 model: <c>config.json</c>, <c>tokenizer.json</c> and safetensors.
    /// </summary>
    /// <param name="directory">The model.</param>
    /// <param name="options">How to run it.</param>
    /// <param name="adapter">Directory of a PEFT adapter for the model, or null.</param>
    /// <param name="chatFormat">One of <see cref="ChatTemplate.Names"/>; null to recognize it.</param>
    /// <exception cref="ArgumentException">There is no such chat format.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file or key is missing or odd; the message names it.</exception>
    public static LM Load(string directory, EngineOptions? options = null, string? adapter = null, string? chatFormat = null) =>
        Owning(EngineModel.Load(directory, chatFormat, adapter: adapter), options ?? new());

    /// <summary>A client for a model that it disposes, with the services that training and saving need.</summary>
    internal static LM Owning(EngineModel model, EngineOptions options)
    {
        var trainer = new EngineTrainer(model, options);
        return new(new EngineChatClient(model, options) { OwnsModel = true, Services = type => type.IsInstanceOfType(trainer) ? trainer : null }, model.Name);
    }

    private sealed class EngineTrainer(EngineModel model, EngineOptions options) : ITrainableModel, IWeightStore
    {
        public string? WeightsDigest => Engine.WeightsDigest.Of(model);

        public Task<ITrainingSession> StartTrainingAsync(TrainingOptions training, CancellationToken cancellationToken = default) =>
            Task.FromResult<ITrainingSession>(new EngineTrainingSession(model, options, training));

        public Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default) => AtomicFile.WriteDirectoryAsync(
            directory,
            (temporary, _) =>
            {
                model.Save(temporary, model.ExactFormat);
                if (model.HasAdapter) model.SaveAdapter(Path.Combine(temporary, EngineTrainingSession.AdapterFolder));
                return Task.CompletedTask;
            },
            cancellationToken);
    }
}
