using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Online reinforcement learning over a whole program: multi-module group-relative policy optimization (mmGRPO, arXiv 2508.04660) on the exact
/// tokens that were sampled. Every step runs the program several times on a few examples, compares the runs of each example with each other and
/// moves the weights of its model towards the better ones.
/// </summary>
public sealed class Grpo<TIn, TOut> : IOptimizer<TIn, TOut>
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

    /// <summary>
    /// Programs that make part of every example's rollouts, e.g. the same program on a stronger model. Each has the policy's predictors and makes the same
    /// number of rollouts as the policy. What a teacher writes is off-policy: it is weighed by the ratio to the teacher's own probabilities, which its
    /// model must tell (a local model with the policy's tokenizer); rollouts without them are left out and counted.
    /// </summary>
    public IReadOnlyList<Program<TIn, TOut>> Teachers { get; init; } = [];

    /// <summary>
    /// Makes the checks of <see cref="GrpoOptions.Preflight"/> without training: a few rollouts, and what they say about reward, format, lengths, cost and
    /// time of the whole run.
    /// </summary>
    /// <param name="program">What would be trained.</param>
    /// <param name="train">Examples to learn from.</param>
    /// <param name="validation">Examples that would choose the best weights: they are counted for the estimate, and their lengths looked at. Null counts as many as there are to learn from.</param>
    /// <param name="cancellationToken">Stops the checks.</param>
    public async Task<PreflightReport> CheckAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(train);
        var data = CheckData(train, validation ?? (options.UseTrainAsValidation ? null : train));
        var students = GrpoStudents<TIn, TOut>.Of(program, options.Multitask);
        using var run = OptimizationRun.InMemory(new SeedStream(options.Seed).Derive("grpo"), options.Budget, options.Time);
        var session = await students.StartAsync(options, run.Seed, hasTeachers: false, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            CheckCapabilities(session.Capabilities, students.Predictors.Count);
            using var loop = new GrpoLoop<TIn, TOut>(metric, options, program, students, data, session, run);
            return await loop.CheckOnlyAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Trains the program's model. The program and its model stay as they are; the result holds a new program on new weights.</summary>
    /// <param name="program">
    /// What to train: every model of it that can be trained. Predictors on other models stay as they are. With several models each learns from its own
    /// predictors; with <see cref="GrpoOptions.Multitask"/> off, each predictor gets weights of its own, and the result names them in its state.
    /// </param>
    /// <param name="train">Examples to learn from; repeated when fewer than one step needs.</param>
    /// <param name="validation">Examples that choose the best weights; null returns the last ones.</param>
    /// <param name="cancellationToken">Abandons the run. To stop and keep the best so far, cancel <see cref="GrpoOptions.Stop"/> instead.</param>
    public async Task<GrpoResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default)
    {
        CheckTeachers(program);
        var data = CheckData(train, validation);
        var students = StudentsOf(program);
        if (students.SamplingConflict(options) is { } conflict)
            throw new HoneException(conflict);
        using var run = await OptimizationRun.OpenAsync(
            options.RunDirectory, options.Resume, GrpoIdentity.Of(program, options, data), new SeedStream(options.Seed).Derive("grpo"), options.Budget, options.Time,
            cancellationToken).ConfigureAwait(false);
        var session = await students.StartAsync(options, run.Seed, Teachers.Count > 0, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            CheckCapabilities(session.Capabilities, students.Predictors.Count);
            using var loop = new GrpoLoop<TIn, TOut>(metric, options, program, students, data, session, run);
            return Observation.IsOn(HoneScope.Current)
                ? await Observation.RunAsync(CallKind.Optimization, nameof(Grpo), options, () => loop.RunAsync(cancellationToken)).ConfigureAwait(false)
                : await loop.RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public string Name => "grpo";

    async Task<OptimizationResult<TIn, TOut>> IOptimizer<TIn, TOut>.CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation,
        CancellationToken cancellationToken) =>
        await CompileAsync(program, train, validation, cancellationToken).ConfigureAwait(false);

    private GrpoData<TIn, TOut> CheckData(IReadOnlyList<Example<TIn, TOut>> train, IReadOnlyList<Example<TIn, TOut>>? validation)
    {
        if (train.Count == 0)
            throw new HoneException("The training set is empty.");
        if (options.UseTrainAsValidation && validation is not null)
            throw new HoneException("UseTrainAsValidation is set and a validation set was passed: drop one of them.");
        if (validation is { Count: 0 })
            throw new HoneException("The validation set is empty. Pass null to train without validation.");
        if (validation is null && options.Collapse is not null && !options.UseTrainAsValidation)
            throw new HoneException("Collapse returns to the weights of the best validation, so it needs a validation set. Pass one, set UseTrainAsValidation, or leave Collapse null.");
        if (validation is null && options.Patience is not null && !options.UseTrainAsValidation)
            throw new HoneException("Patience counts validations without improvement, so it needs a validation set. Pass one, set UseTrainAsValidation, or leave Patience null.");
        if (validation is null && options.ReportTrainScores && !options.UseTrainAsValidation)
            throw new HoneException("ReportTrainScores needs a validation set to report beside. Pass one, or set UseTrainAsValidation.");
        var repeats = (options.ExamplesPerStep + train.Count - 1) / train.Count;
        var full = repeats <= 1 ? train : [.. Enumerable.Repeat(train, repeats).SelectMany(examples => examples)];
        if (repeats > 1)
            options.Progress?.Report(new GrpoWarning(-1, $"The training set has {train.Count} examples but a step takes {options.ExamplesPerStep}: it is repeated {repeats} times."));
        return new(full, train, options.UseTrainAsValidation ? train : validation) { Teachers = Teachers };
    }

    private GrpoStudents<TIn, TOut> StudentsOf(Program<TIn, TOut> program)
    {
        var students = GrpoStudents<TIn, TOut>.Of(program, options.Multitask);
        if (students.Frozen.Count > 0)
            options.Progress?.Report(new GrpoWarning(-1, $"The models of these predictors cannot be trained; they stay as they are: {string.Join(", ", students.Frozen)}."));
        return students;
    }

    private void CheckTeachers(Program<TIn, TOut> program)
    {
        if (options.RolloutsPerExample % (Teachers.Count + 1) != 0)
            throw new HoneException(
                $"RolloutsPerExample ({options.RolloutsPerExample}) must be a multiple of the policy and its {Teachers.Count} teachers: each makes the same number of rollouts.");
        string[] own = [.. program.Predictors.Select(entry => entry.Key)];
        for (var i = 0; i < Teachers.Count; i++)
        {
            string[] other = [.. Teachers[i].Predictors.Select(entry => entry.Key)];
            if (!own.SequenceEqual(other))
                throw new HoneException(
                    $"Teacher {i} has the predictors {string.Join(", ", other)}, the program has {string.Join(", ", own)}: they must be the same, in the same order.");
            if (Teachers[i].Model is null)
                throw new HoneException($"Teacher {i} has no model. Set one with WithModel.");
        }
    }

    private void CheckCapabilities(TrainingCapabilities capabilities, int predictors)
    {
        if (!capabilities.Losses.Contains(options.Loss.Type))
            throw new HoneException($"The training session does not compute the loss {options.Loss.Type}; it offers {string.Join(", ", capabilities.Losses)}.");
        if (options.Loss.Beta > 0 && !capabilities.SupportsKl)
            throw new HoneException("Loss.Beta is above 0 but the training session has no reference policy.");
        if (capabilities.LearnsFromText && !options.PartWeights.IsEmpty)
            throw new TrainingNotSupportedException("PartWeights is set, but the training service compares rewards by itself and takes one number for each. Leave it empty, and weigh the parts in the metric.")
            {
                Options = ["PartWeights"],
            };
        if (!capabilities.CanRestore && options.Collapse is not null)
            throw new HoneException("Collapse is set, but the training session cannot go back to earlier weights. Leave it null.");
        if (options.OverlapLearning && !capabilities.LearnsWhileSampling)
            options.Progress?.Report(new GrpoWarning(-1, "OverlapLearning is set, but the training session does not learn while it samples: the update begins when all rollouts of a step are scored."));
        if (capabilities.LearnsByGroup && options.ExamplesPerStep * predictors is > 1 and var groups)
            options.Progress?.Report(new GrpoWarning(
                -1,
                $"The training service updates the weights after every group, and a step makes {groups} of them or more ({options.ExamplesPerStep} examples, {predictors} predictors): "
                + $"the last is learned from by weights that are {groups} updates newer than those that sampled it. Fewer ExamplesPerStep make it less."));
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

/// <summary>The sets of a run: what is learned from (perhaps repeated), what it was before repeating, what is validated on; and who teaches.</summary>
internal sealed record GrpoData<TIn, TOut>(
    IReadOnlyList<Example<TIn, TOut>> Train, IReadOnlyList<Example<TIn, TOut>> DistinctTrain, IReadOnlyList<Example<TIn, TOut>>? Validation)
{
    public IReadOnlyList<Program<TIn, TOut>> Teachers { get; init; } = [];
}
