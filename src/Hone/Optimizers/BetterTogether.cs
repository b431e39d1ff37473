using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What a sequence of optimizers does when one of them fails.</summary>
public enum StepFailure
{
    /// <summary>Ends the sequence; the best so far is returned.</summary>
    Stop,

    /// <summary>Goes on with the next step, from the program before the failed one.</summary>
    Skip,
}

/// <summary>Settings of <see cref="BetterTogether{TIn,TOut}"/>.</summary>
public sealed record BetterTogetherOptions : OptimizerOptions
{
    /// <summary>Names of optimizers with arrows between them.</summary>
    /// <value><c>p -&gt; w -&gt; p</c> by default.</value>
    public string Strategy { get; init; } = "p -> w -> p";

    /// <summary>Share of the training set that chooses between the steps' programs when there is no validation set; 0 returns the last program.</summary>
    /// <value>0.1 by default; below 1.</value>
    public double ValidationShare
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(ValidationShare));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(value, 1, nameof(ValidationShare));
            field = value;
        }
    } = 0.1;

    /// <summary>Shuffles the training set before every step.</summary>
    /// <value>True by default.</value>
    public bool ShuffleBetweenSteps { get; init; } = true;

    /// <summary>
    /// Hands the validation set to the steps, too. Their own choices then flatter the score that chooses between them: a
    /// <see cref="PromptOptimizer{TIn,TOut}.Test"/> set tells the truth.
    /// </summary>
    /// <value>True by default.</value>
    public bool ShareValidation { get; init; } = true;

    /// <summary>How often a step that failed is run again before <see cref="OnFailure"/> decides. Optimizers of prompts with a directory go on in it.</summary>
    /// <value>0 by default.</value>
    public int StepRetries
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(StepRetries)); field = value; }
    }

    /// <summary>What happens when a step fails.</summary>
    /// <value>Stop by default.</value>
    public StepFailure OnFailure { get; init; }

    internal ImmutableArray<string> Steps => [.. Strategy.Split("->", StringSplitOptions.TrimEntries)];

    internal override void Validate()
    {
        base.Validate();
        if (Steps.Any(step => step.Length == 0))
            throw new HoneException($"The strategy '{Strategy}' must be names of optimizers with arrows between them, e.g. 'p -> w'.");
    }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; strategy={Strategy}; share={ValidationShare}; shuffle={ShuffleBetweenSteps}; shared={ShareValidation}; failure={OnFailure}");
}

/// <summary>
/// Runs optimizers one after the other, each on the program of the one before, and returns the best of what they gave: prompts, then weights, for one
/// (BetterTogether, arXiv 2407.10930).
/// </summary>
/// <remarks>
/// The budget holds for the whole sequence: optimizers of prompts among the steps spend from it, beside budgets of their own. Others, such as <see cref="Grpo"/>, keep
/// their own alone. With a run directory, the programs of finished steps are kept there and a sequence that goes on does not run them again;
/// optimizers of prompts without a directory of their own run in it, too. Another step is run again from its start unless it resumes by itself, and so is one
/// whose program is not of the same module or has tuned weights that cannot be written here.
/// </remarks>
public sealed class BetterTogether<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly BetterTogetherOptions options;
    private readonly IReadOnlyDictionary<string, IOptimizer<TIn, TOut>> optimizers;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="metric">Chooses between the steps' programs.</param>
    /// <param name="optimizers">
    /// The optimizers by the names that the strategy uses, e.g. <c>p</c> and <c>w</c>. Null takes a <see cref="BootstrapRandomSearch{TIn,TOut}"/> for <c>p</c> and a
    /// <see cref="BootstrapFinetune{TIn,TOut}"/> for <c>w</c>, with the metric and their defaults.
    /// </param>
    /// <param name="options">Settings.</param>
    /// <exception cref="HoneException">The strategy names an optimizer that is not there.</exception>
    public BetterTogether(
        Metric<TIn, TOut> metric, IReadOnlyDictionary<string, IOptimizer<TIn, TOut>>? optimizers = null, BetterTogetherOptions? options = null)
        : this(metric, optimizers ?? Usual(metric), options ?? new(), default)
    {
    }

    private BetterTogether(
        Metric<TIn, TOut> metric, IReadOnlyDictionary<string, IOptimizer<TIn, TOut>> optimizers, BetterTogetherOptions options, ValueTuple _)
        : base(metric, options)
    {
        (this.optimizers, this.options) = (optimizers, options);
        foreach (var step in options.Steps)
        {
            if (!optimizers.ContainsKey(step))
                throw new HoneException($"The strategy '{options.Strategy}' names '{step}', which is no optimizer. There are: {string.Join(", ", optimizers.Keys.Order())}.");
        }
    }

    /// <inheritdoc/>
    public override string Name => "better-together";

    private static Dictionary<string, IOptimizer<TIn, TOut>> Usual(Metric<TIn, TOut> metric) => new(StringComparer.Ordinal)
    {
        ["p"] = new BootstrapRandomSearch<TIn, TOut>(metric),
        ["w"] = new BootstrapFinetune<TIn, TOut>(metric),
    };

    private protected override SelectionWithoutValidation WithoutValidation =>
        options.ValidationShare > 0 ? SelectionWithoutValidation.Split : SelectionWithoutValidation.None;

    private protected override double TrainShare => 1 - options.ValidationShare;

    // With the settings of those that can say them: a step that was finished under other ones is not this sequence's.
    private protected override string Describe() => "; steps=" + string.Join(',', options.Steps.Select(step => optimizers[step] is PromptOptimizer<TIn, TOut> prompt
        ? $"{prompt.Name} {CandidateKeys.Digest(new(prompt.Settings))[..8]}"
        : optimizers[step].Name));

    // The scoring between steps.
    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new((options.Steps.Length + 1L) * (selection ?? 0), 0, program.Predictors.Length);

    // With what the steps cost that can say it.
    private protected override OptimizationEstimate EstimateWhole(Program<TIn, TOut> program, int train, int? selection)
    {
        var sum = base.EstimateWhole(program, train, selection);
        foreach (var step in options.Steps.Select(step => optimizers[step]).OfType<PromptOptimizer<TIn, TOut>>())
        {
            var own = step.EstimateStep(program, train, options.ShareValidation ? selection : null);
            sum = sum with
            {
                ProgramRuns = sum.ProgramRuns + own.ProgramRuns,
                ProposalCalls = sum.ProposalCalls + own.ProposalCalls,
                CallsByRole = own.CallsByRole.Aggregate(sum.CallsByRole, (roles, role) => roles.SetItem(role.Key, roles.GetValueOrDefault(role.Key) + role.Value)),
            };
        }

        return sum;
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var program = search.Student;
        var done = new List<string>();
        var outcomes = new List<StepOutcome>();
        search.StrategyState = outcomes;
        for (var i = 0; i < options.Steps.Length; i++)
        {
            var step = options.Steps[i];
            search.Tell(new OptimizerPhaseStarted($"step {i + 1} of {options.Steps.Length}: {step} ({optimizers[step].Name})"));
            var store = search.Directory is { } directory ? new StepStore<TIn, TOut>(directory, i, step) : null;
            var input = StepStore<TIn, TOut>.InputOf(program, i, options.Steps);
            var finished = store is null ? null : await store.LoadAsync(program, input, cancellationToken).ConfigureAwait(false);
            finished ??= await RunAsync(search, program, i, store, input, outcomes, cancellationToken).ConfigureAwait(false);
            if (finished is not { } result)
                continue;
            outcomes.Add(result.Outcome);
            search.CountRunsOfStep(result.Outcome.BudgetedRuns);
            program = Restored(search, program, result.Program, step);
            done.Add(step);
            var origin = string.Join(" -> ", done);
            var candidate = Candidate(search, program, i, origin) with
            {
                Parents = [search.Ledger.Count - 1],
                Notes = ImmutableSortedDictionary<string, string>.Empty.Add("step", step).Add("verdict", result.Outcome.Verdict),
            };
            await search.OfferAsync(candidate, cancellationToken).ConfigureAwait(false);
            if (result.Outcome.Cut is { } reason)
                throw new SearchEndedException(reason, $"The budget of the sequence was spent in the step '{step}'.");
        }
    }

    // A program that differs in its state alone shares runs with others like it; tuned weights may look like those before.
    private static SearchCandidate<TIn, TOut> Candidate(SearchRun<TIn, TOut> search, Program<TIn, TOut> program, int step, string origin) =>
        ReferenceEquals(program.Module, search.Student.Module) && !SearchFolder.HasOwnModels(program, search.Student)
            && ReferenceEquals(program.Adapter, search.Student.Adapter) && Equals(program.Recovery, search.Student.Recovery)
            ? search.Candidate(program.State, origin)
            : SearchRun<TIn, TOut>.Foreign(program, $"step {step}", origin);

    /// <summary>What the steps cost and said is a part of what the sequence did.</summary>
    private protected override OptimizationResult<TIn, TOut> Complete(OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search)
    {
        foreach (var outcome in search.StrategyState as List<StepOutcome> ?? [])
        {
            result = result with
            {
                ProgramRuns = result.ProgramRuns + outcome.ProgramRuns,
                UsageByRole = result.UsageByRole.Plus(outcome.UsageByRole),
                Warnings = [.. result.Warnings, .. outcome.Warnings.Select(warning => $"{outcome.Step}: {warning}")],
            };
        }

        return result;
    }

    // Null for a step that failed and was passed over.
    private async Task<(Program<TIn, TOut> Program, StepOutcome Outcome)?> RunAsync(
        SearchRun<TIn, TOut> search,
        Program<TIn, TOut> program,
        int index,
        StepStore<TIn, TOut>? store,
        string input,
        List<StepOutcome> outcomes,
        CancellationToken cancellationToken)
    {
        var step = options.Steps[index];
        for (var attempt = 0; ; attempt++)
        {
            var (result, failed, failure, cause) = await AttemptAsync(search, program, index, store, input, attempt > 0, cancellationToken).ConfigureAwait(false);
            if (failure is null)
                return result;
            var isLast = attempt == options.StepRetries;
            if (failed is not null && (isLast || PlaceOf(index, store).Directory is null))
            {
                // What goes on in its directory counts all that it has ever done.
                outcomes.Add(failed);
                search.CountRunsOfStep(failed.BudgetedRuns);
            }

            if (isLast && options.OnFailure == StepFailure.Stop)
                throw new SearchEndedException(StopReason.StepFailed, $"The step '{step}' failed: {failure}", cause);
            search.Warn($"The step '{step}' failed and {(isLast ? "was passed over" : "is run again")}: {failure}");
            if (isLast)
                return null;
        }
    }

    // A step that ended with an error has failed, too: what it gives is half of what was asked for.
    private async Task<((Program<TIn, TOut> Program, StepOutcome Outcome)? Result, StepOutcome? Failed, string? Failure, Exception? Cause)> AttemptAsync(
        SearchRun<TIn, TOut> search,
        Program<TIn, TOut> program,
        int index,
        StepStore<TIn, TOut>? store,
        string input,
        bool isAgain,
        CancellationToken cancellationToken)
    {
        var step = options.Steps[index];
        var train = search.Train.Examples.ToArray();
        if (options.ShuffleBetweenSteps)
            search.RandomFor("shuffle", index).Shuffle(train);
        var validation = options.ShareValidation ? search.Selection?.Examples : null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stop, options.Control?.Stopped ?? default);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            using var allowance = search.AllowStep();
            var place = PlaceOf(index, store);
            if (isAgain)
                place = place with { Resume = place.Directory is not null };
            var result = await CompileAsync(index, place, program, train, validation, allowance, either.Token).ConfigureAwait(false);
            var isCut = optimizers[step] is PromptOptimizer<TIn, TOut> prompt && allowance.HasEnded(result.StopReason, prompt.Budget);
            var outcome = StepOutcome.Of(step, result) with { Cut = isCut ? result.StopReason : null };
            if (result.Error is not null)
                return (null, outcome, result.Error, null);

            // A step that the sequence's budget cut off goes on when the sequence does, with more of it.
            if (store is not null && !isCut)
                await store.SaveAsync(program, result.Program, outcome, input, cancellationToken).ConfigureAwait(false);
            return ((result.Program, outcome), null, null, null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && error is not SearchEndedException
            && !(error is OperationCanceledException && either.IsCancellationRequested))
        {
            return (null, null, error.Message, error);
        }
    }

    // An optimizer that is named twice, or that has no directory of its own, runs in one of this step's: each directory is one run's.
    private RunPlace PlaceOf(int index, StepStore<TIn, TOut>? store)
    {
        if (optimizers[options.Steps[index]] is not PromptOptimizer<TIn, TOut> prompt)
            return default;
        var isRepeated = options.Steps.Count(step => step == options.Steps[index]) > 1;
        return prompt.Place.Directory is { } own
            ? prompt.Place with { Directory = isRepeated ? Path.Combine(own, FormattableString.Invariant($"step-{index + 1}")) : own }
            : new RunPlace(store?.RunDirectory, options.Resume);
    }

    private Task<OptimizationResult<TIn, TOut>> CompileAsync(
        int index,
        RunPlace place,
        Program<TIn, TOut> program,
        Example<TIn, TOut>[] train,
        IReadOnlyList<Example<TIn, TOut>>? validation,
        RunAllowance allowance,
        CancellationToken cancellationToken)
    {
        var optimizer = optimizers[options.Steps[index]];
        return optimizer is PromptOptimizer<TIn, TOut> prompt
            ? prompt.CompileInAsync(program, train, validation, place, allowance, cancellationToken)
            : optimizer.CompileAsync(program, train, validation, cancellationToken);
    }

    // An optimizer of the user's own may lose models on its way; tuned weights are a model, too, and stay.
    private static Program<TIn, TOut> Restored(SearchRun<TIn, TOut> search, Program<TIn, TOut> before, Program<TIn, TOut> after, string step)
    {
        var lost = new List<string>();
        if (after.Model is null && before.Model is { } model)
        {
            after = after.WithModel(model);
            lost.Add("the program's");
        }

        foreach (var (name, named) in before.NamedModels)
        {
            if (!after.NamedModels.ContainsKey(name))
                after = after.WithNamedModel(name, named);
        }

        foreach (var (path, state) in before.State.Predictors)
        {
            if (state.Model is null || after.State[path].Model is not null)
                continue;
            after = after.With(after.State.With(path, after.State[path] with { Model = state.Model }));
            lost.Add($"that of '{path}'");
        }

        foreach (var (path, _) in search.Student.Predictors)
        {
            if (search.Options.IsFrozen(path))
                after = after.With(after.State.With(path, before.State[path]));
        }

        if (lost.Count > 0)
            search.Warn($"The step '{step}' lost models, which were put back: {string.Join(", ", lost)}.");
        return after;
    }
}
