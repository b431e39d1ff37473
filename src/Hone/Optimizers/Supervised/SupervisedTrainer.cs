using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>A prompt as it is sent, and the answer to learn.</summary>
internal readonly record struct SupervisedItem(string Predictor, IReadOnlyList<ChatMessage> Prompt, string Completion);

/// <summary>What supervised training gave: the tuned model, the loss of each step, the completion tokens learned.</summary>
internal sealed record SupervisedOutcome(LM Model, IReadOnlyList<double> Losses, long Tokens);

/// <summary>Trains a model by the cross-entropy of answers.</summary>
internal sealed class SupervisedTrainer(SupervisedOptions options)
{
    // With advantage 1 and ratio 1 the token-mean policy gradient is the gradient of the mean of -log p (arXiv 2503.14476, eq. 8).
    private static readonly PolicyLossOptions CrossEntropy = new() { Type = PolicyLossType.Dapo, MaskTruncated = false, Correction = ImportanceCorrection.None };

    /// <exception cref="HoneException">The model cannot be trained, or its tokens are not known here.</exception>
    public async Task<SupervisedOutcome> TrainAsync(LM model, IReadOnlyList<SupervisedItem> items, CancellationToken cancellationToken)
    {
        var trainable = model.GetService<ITrainableModel>()
            ?? throw new HoneException($"The model '{model.Name}' cannot be trained here. Use a local one (Hone.Engine) or a training service's client.");
        var seed = new SeedStream(options.Seed).Derive("supervised");
        var session = await trainable.StartTrainingAsync(
            new() { Lora = options.Lora, Seed = seed.Derive("adapter").Seed, Sampling = model.Options }, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var data = Encode(model, items, session);
            var losses = await LearnAsync(session, data, seed, cancellationToken).ConfigureAwait(false);
            var tuned = await session.SnapshotAsync(NameOf(model), cancellationToken).ConfigureAwait(false);
            return new(tuned with { Options = model.Options }, losses, options.Epochs * data.Sum(datum => (long)datum.CompletionIds.Count));
        }
    }

    /// <summary>The model on weights that a tuned one wrote.</summary>
    /// <exception cref="HoneException">The model cannot be trained, or the weights are not its.</exception>
    public async Task<LM> LoadAsync(LM model, string directory, CancellationToken cancellationToken) =>
        await TunedWeights.LoadAsync(model, directory, NameOf(model), new() { Lora = options.Lora, Sampling = model.Options }, cancellationToken).ConfigureAwait(false);

    private static string NameOf(LM model) => $"{model.Name}-tuned";

    private async Task<IReadOnlyList<double>> LearnAsync(ITrainingSession session, TrainingDatum[] data, SeedStream seed, CancellationToken cancellationToken)
    {
        var perEpoch = (data.Length + options.BatchSize - 1) / options.BatchSize;
        var steps = perEpoch * options.Epochs;
        var losses = new List<double>(steps);
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            var order = data.ToArray();
            seed.Derive("epoch", epoch).CreateRandom().Shuffle(order);
            foreach (var batch in order.Chunk(options.BatchSize))
            {
                var rate = options.LearningRate * LearningRateSchedule.Multiplier(options.Schedule, losses.Count, (int)(options.WarmupShare * steps), steps);
                var (pass, _) = await session.UpdateAsync(batch, CrossEntropy, options.Optimizer with { LearningRate = rate }, cancellationToken).ConfigureAwait(false);
                losses.Add(-pass.LogProbs.Sum(row => row.Sum(value => (double)value)) / pass.LogProbs.Sum(row => row.Length));
                options.Progress?.Report(new(losses.Count, steps, losses[^1]));
            }
        }

        return losses;
    }

    private static TrainingDatum[] Encode(LM model, IReadOnlyList<SupervisedItem> items, ITrainingSession session)
    {
        var tokenizer = session.Policy.GetService(typeof(IPolicyTokenizer)) as IPolicyTokenizer
            ?? throw new HoneException($"The model '{model.Name}' does not tell how it turns text into tokens: it cannot learn from text here.");
        return [.. items.Select((item, index) => Encode(item, index, tokenizer, session.Capabilities.MaxSequenceLength))];
    }

    private static TrainingDatum Encode(SupervisedItem item, int index, IPolicyTokenizer tokenizer, int longest)
    {
        var prompt = tokenizer.Encode(item.Prompt);
        var completion = tokenizer.EncodeAnswer(item.Completion);
        return prompt.Count + completion.Count <= longest
            ? new() { PromptIds = prompt, CompletionIds = completion, Advantage = 1, Predictor = item.Predictor }
            : throw new HoneException(
                $"Demonstration {index} of '{item.Predictor}' has {prompt.Count + completion.Count} tokens; the model holds {longest}. Leave it out, or shorten it.");
    }
}
