using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Supervised fine-tuning of a program's model on demonstrations of its predictors: the cross-entropy of the demonstrated answers behind the prompts that
/// the program itself would send. Teaches a format, or where reinforcement can start from.
/// </summary>
public sealed class SupervisedTuning<TIn, TOut>
{
    // With advantage 1 and ratio 1 the token-mean policy gradient is the gradient of the mean of -log p (arXiv 2503.14476, eq. 8).
    private static readonly PolicyLossOptions CrossEntropy = new() { Type = PolicyLossType.Dapo, MaskTruncated = false };

    private readonly SupervisedOptions options;

    /// <summary>Creates the optimizer.</summary>
    public SupervisedTuning(SupervisedOptions? options = null) => this.options = options ?? new();

    /// <summary>Tunes the program's model. The program and its model stay as they are; the result holds a new program on new weights.</summary>
    /// <param name="program">What to tune. All predictors share its model, which must be trainable here.</param>
    /// <param name="demonstrations">What to imitate.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="HoneException">There is nothing to learn, the model cannot be trained, or its tokens are not known here.</exception>
    public async Task<SupervisedResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program, IReadOnlyList<Demonstration> demonstrations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(demonstrations);
        if (demonstrations.Count == 0)
            throw new HoneException("There are no demonstrations to learn from.");
        var model = program.Model ?? throw new HoneException("The program has no model. Set one with WithModel.");
        var trainable = model.GetService<ITrainableModel>()
            ?? throw new HoneException($"The model '{model.Name}' cannot be trained here. Use a local one (Hone.Engine) or a training service's client.");
        var seed = new SeedStream(options.Seed).Derive("supervised");
        var session = await trainable.StartTrainingAsync(
            new() { Lora = options.Lora, Seed = seed.Derive("adapter").Seed, Sampling = model.Options }, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var data = Encode(program, demonstrations, session);
            var losses = await LearnAsync(session, data, seed, cancellationToken).ConfigureAwait(false);
            var tuned = await session.SnapshotAsync($"{model.Name}-tuned", cancellationToken).ConfigureAwait(false);
            return new(program.WithModel(tuned with { Options = model.Options }), losses, options.Epochs * data.Sum(datum => (long)datum.CompletionIds.Count));
        }
    }

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
                var pass = await session.ForwardBackwardAsync(batch, CrossEntropy, cancellationToken).ConfigureAwait(false);
                var rate = options.LearningRate * LearningRateSchedule.Multiplier(options.Schedule, losses.Count, (int)(options.WarmupShare * steps), steps);
                await session.OptimizerStepAsync(options.Optimizer with { LearningRate = rate }, cancellationToken).ConfigureAwait(false);
                losses.Add(-pass.LogProbs.Sum(row => row.Sum(value => (double)value)) / pass.LogProbs.Sum(row => row.Length));
                options.Progress?.Report(new(losses.Count, steps, losses[^1]));
            }
        }

        return losses;
    }

    private static TrainingDatum[] Encode(Program<TIn, TOut> program, IReadOnlyList<Demonstration> demonstrations, ITrainingSession session)
    {
        var tokenizer = session.Policy.GetService(typeof(IPolicyTokenizer)) as IPolicyTokenizer
            ?? throw new HoneException($"The model '{program.Model!.Name}' does not tell how it turns text into tokens: it cannot learn from text here.");
        return [.. demonstrations.Select((demonstration, index) => Encode(program, demonstration, index, tokenizer, session.Capabilities.MaxSequenceLength))];
    }

    private static TrainingDatum Encode(Program<TIn, TOut> program, Demonstration demonstration, int index, IPolicyTokenizer tokenizer, int longest)
    {
        var prompt = tokenizer.Encode(program.Render(demonstration.Predictor, demonstration.Inputs));
        var completion = tokenizer.EncodeAnswer(demonstration.Completion);
        return prompt.Count + completion.Count <= longest
            ? new() { PromptIds = prompt, CompletionIds = completion, Advantage = 1, Predictor = demonstration.Predictor }
            : throw new HoneException(
                $"Demonstration {index} of '{demonstration.Predictor}' has {prompt.Count + completion.Count} tokens; the model holds {longest}. Leave it out, or shorten it.");
    }
}
