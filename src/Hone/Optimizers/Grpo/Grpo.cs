using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Online reinforcement learning over a whole program: multi-module group-relative policy optimization (mmGRPO, arXiv 2508.04660) on the exact
/// tokens that were sampled. Every step runs the program several times on a few examples, compares the runs of each example with each other and
/// moves the weights of its model towards the better ones.
/// </summary>
public sealed class Grpo<TIn, TOut>
{
    private readonly Metric<TIn, TOut> metric;
    private readonly GrpoOptions options;

    /// <summary>Creates the optimizer.</summary>
    /// <exception cref="HoneException">Options contradict each other.</exception>
    public Grpo(Metric<TIn, TOut> metric, GrpoOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(metric);
        this.metric = metric;
        this.options = options ?? new();
        this.options.Validate();
    }

    /// <summary>Trains the program's model. The program and its model stay as they are; the result holds a new program on new weights.</summary>
    /// <param name="program">What to train. All its predictors must use one model, and that model must be trainable.</param>
    /// <param name="train">Examples to learn from; repeated when fewer than one step needs.</param>
    /// <param name="validation">Examples that choose the best weights; null returns the last ones.</param>
    /// <param name="cancellationToken">Abandons the run. To stop and keep the best so far, cancel <see cref="GrpoOptions.Stop"/> instead.</param>
    public async Task<GrpoResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default)
    {
        var data = CheckData(train, validation);
        var model = TrainableModelOf(program);
        var identity = new RunIdentity(
            "grpo",
            string.Join(", ", program.Predictors.Select(entry => $"{entry.Key}: {entry.Value}")),
            RunIdentity.Digest(GrpoSettings.Of(options), RunJson.Default.GrpoSettings),
            RunIdentity.Digest(
                new GrpoDataIdentity(data.Train.Count, data.Validation?.Count, data.Train.Select(example => $"{example.Input}")), RunJson.Default.GrpoDataIdentity));
        using var run = await OptimizationRun.OpenAsync(
            options.RunDirectory, options.Resume, identity, new SeedStream(options.Seed).Derive("grpo"), options.Budget, options.Time, cancellationToken)
            .ConfigureAwait(false);
        var session = await model.StartTrainingAsync(
            new()
            {
                Lora = options.Lora,
                Seed = run.Seed.Derive("adapter").Seed,
                KeepReference = options.Loss.Beta > 0,
                Sampling = program.Model!.Options,
                Plan = options.Plan,
            },
            cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            CheckCapabilities(session.Capabilities);
            var loop = new GrpoLoop<TIn, TOut>(metric, options, program, data, session, run);
            return Observation.IsOn(HoneScope.Current)
                ? await Observation.RunAsync(CallKind.Optimization, nameof(Grpo), options, () => loop.RunAsync(cancellationToken)).ConfigureAwait(false)
                : await loop.RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private GrpoData<TIn, TOut> CheckData(IReadOnlyList<Example<TIn, TOut>> train, IReadOnlyList<Example<TIn, TOut>>? validation)
    {
        if (train.Count == 0)
            throw new HoneException("The training set is empty.");
        if (options.UseTrainAsValidation && validation is not null)
            throw new HoneException("UseTrainAsValidation is set and a validation set was passed: drop one of them.");
        if (validation is { Count: 0 })
            throw new HoneException("The validation set is empty. Pass null to train without validation.");
        if (validation is null && options.ReportTrainScores && !options.UseTrainAsValidation)
            throw new HoneException("ReportTrainScores needs a validation set to report beside. Pass one, or set UseTrainAsValidation.");
        var repeats = (options.ExamplesPerStep + train.Count - 1) / train.Count;
        var full = repeats <= 1 ? train : [.. Enumerable.Repeat(train, repeats).SelectMany(examples => examples)];
        if (repeats > 1)
            options.Progress?.Report(new GrpoWarning(-1, $"The training set has {train.Count} examples but a step takes {options.ExamplesPerStep}: it is repeated {repeats} times."));
        return new(full, train, options.UseTrainAsValidation ? train : validation);
    }

    private static ITrainableModel TrainableModelOf(Program<TIn, TOut> program)
    {
        if (program.Predictors.IsEmpty)
            throw new HoneException($"Module {program.Module.GetType().Name} has no predictor: there is nothing to train.");
        if (program.Model is not { } model)
            throw new HoneException("The program has no model. Set one for the whole program with WithModel.");
        var others = program.State.Predictors.Where(entry => entry.Value.Model is not null).Select(entry => $"{entry.Key} uses {entry.Value.Model}").ToArray();
        if (others.Length > 0)
            throw new HoneException($"All predictors must share the program's model '{model.Name}', but {string.Join(", ", others)}. Set one model on the whole program.");
        return model.GetService<ITrainableModel>()
            ?? throw new HoneException($"The model '{model.Name}' cannot be trained here. Use a local one (Hone.Engine) or a training service's client.");
    }

    private void CheckCapabilities(TrainingCapabilities capabilities)
    {
        if (!capabilities.Losses.Contains(options.Loss.Type))
            throw new HoneException($"The training session does not compute the loss {options.Loss.Type}; it offers {string.Join(", ", capabilities.Losses)}.");
        if (options.Loss.Beta > 0 && !capabilities.SupportsKl)
            throw new HoneException("Loss.Beta is above 0 but the training session has no reference policy.");
        if (!capabilities.CanRestore && options.RunDirectory is not null && options.SaveStateEvery > 1)
            options.Progress?.Report(new GrpoWarning(
                -1, $"The training service cannot go back to a saved state: a run that ends between two of them cannot be resumed. Set SaveStateEvery to 1 (it is {options.SaveStateEvery})."));
    }
}

/// <summary>Makes optimizers without naming their types.</summary>
public static class Grpo
{
    /// <summary>A GRPO optimizer for a metric.</summary>
    public static Grpo<TIn, TOut> Create<TIn, TOut>(Metric<TIn, TOut> metric, GrpoOptions? options = null) => new(metric, options);
}

/// <summary>The sets of a run: what is learned from (perhaps repeated), what it was before repeating, what is validated on.</summary>
internal sealed record GrpoData<TIn, TOut>(
    IReadOnlyList<Example<TIn, TOut>> Train, IReadOnlyList<Example<TIn, TOut>> DistinctTrain, IReadOnlyList<Example<TIn, TOut>>? Validation);
