using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>
/// What all optimizers of prompts have in common: checks, the run with its journal and budget, the baseline as candidate 0, the choice and the
/// evidence. A subclass is the search alone.
/// </summary>
public abstract class PromptOptimizer<TIn, TOut> : IOptimizer<TIn, TOut>
{
    private readonly Metric<TIn, TOut> metric;
    private readonly OptimizerOptions options;

    private protected PromptOptimizer(Metric<TIn, TOut> metric, OptimizerOptions options)
    {
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (this.metric, this.options) = (metric, options);
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>
    /// Examples that neither propose nor choose: the result compares the chosen program with the original on them. Of a budget of runs or calls, what
    /// that takes is set aside unless it is more than half; one of tokens, money or time may be spent before.
    /// </summary>
    public IReadOnlyList<Example<TIn, TOut>>? Test { get; init; }

    /// <summary>What a run costs at most. Nothing is called.</summary>
    /// <param name="program">What would be improved.</param>
    /// <param name="train">Examples to learn from.</param>
    /// <param name="validation">Examples that choose the best.</param>
    /// <exception cref="HoneException">The data or the program do not fit.</exception>
    public OptimizationEstimate Estimate(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> train, IReadOnlyList<Example<TIn, TOut>>? validation = null)
    {
        var (trainSet, selection) = Sets(program, train, validation, out _);
        return EstimateWhole(program, trainSet.Count, selection?.Count);
    }

    /// <inheritdoc/>
    public Task<OptimizationResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default) =>
        CompileInAsync(program, train, validation, Place, null, cancellationToken);

    /// <summary>What the options allow to spend.</summary>
    internal OptimizationBudget Budget => options.Budget;

    /// <summary>Everything that changes what the search does, as text.</summary>
    internal string Settings => options.Describe() + Describe();

    /// <summary>Where the options say that a run is kept.</summary>
    internal RunPlace Place => new(options.RunDirectory, options.Resume);

    /// <summary>The same as a step of a sequence: kept elsewhere than the options say, and within the sequence's budget as well.</summary>
    internal async Task<OptimizationResult<TIn, TOut>> CompileInAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation,
        RunPlace place,
        RunAllowance? allowance,
        CancellationToken cancellationToken)
    {
        var (trainSet, selection) = Sets(program, train, validation, out var note);
        var identity = new RunIdentity(Name, ProgramParts.Identity(program), Settings, DataText(trainSet, selection))
        {
            FormatVersion = SearchFolder.FormatVersion,
        };
        using var run = await OptimizationRun.OpenAsync(
            place.Directory, place.Resume, identity, new SeedStream(options.Seed).Derive(Name), options.Budget, options.Time, cancellationToken)
            .ConfigureAwait(false);
        var aside = TestRunsAside(program);
        using var calls = CallBudgetOf(program.Model?.Role, aside * CallsPerRun(program), allowance);
        var events = new SearchEvents(options);
        var units = new UnitRunner(run, options, calls, events, allowance);
        units.SetAside(aside);
        units.ContinueSpending();
        var folder = run.Directory is null ? null : new SearchFolder<TIn, TOut>(run.Directory);
        var search = new SearchRun<TIn, TOut>(program, metric, options, trainSet, selection, run.Seed, units, events, folder);
        events.Tell(new OptimizerStarted(Name, identity.Options, EstimateWhole(program, trainSet.Count, selection?.Count))
        {
            RunDirectory = run.Directory,
            JournaledUnits = units.JournaledCount,
            TrainCount = trainSet.Count,
            ValidationCount = selection?.Count ?? 0,
            Instructions = program.Predictors.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value.Instructions, StringComparer.Ordinal),
        });
        if (note is not null)
            events.Warn(note);
        var result = await ObservedAsync(search, units, events, allowance, cancellationToken).ConfigureAwait(false);
        if (folder is not null)
            await folder.WriteResultAsync(Name, program, result, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>What chooses when no validation set is given.</summary>
    private protected abstract SelectionWithoutValidation WithoutValidation { get; }

    /// <summary>Share of the training set that proposes when it is split.</summary>
    private protected virtual double TrainShare => 0.5;

    /// <summary>How many of the examples choose when the training set is split.</summary>
    private protected virtual int SelectionOf(int examples) => examples - Math.Clamp((int)Math.Round(examples * TrainShare), 1, examples - 1);

    private protected virtual bool AllowsEmptyTrain => false;

    /// <summary>The optimizer's own settings as text, beside the common ones.</summary>
    private protected abstract string Describe();

    private protected abstract OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection);

    /// <summary>Runs of a teacher among those that are estimated, with the role of its model.</summary>
    private protected virtual (LM? Model, long Runs) TeacherRuns(int train) => default;

    /// <summary>The role of the model that writes texts.</summary>
    private protected virtual string ProposalRole => "prompt";

    /// <summary>The search: scores or offers candidates until it is done. The baseline is candidate 0 already.</summary>
    private protected abstract Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken);

    /// <summary>Asks ahead what can be asked before anything is scored.</summary>
    private protected virtual void AskAhead(SearchRun<TIn, TOut> search)
    {
    }

    /// <summary>Enters the program as it came as candidate 0.</summary>
    private protected virtual Task BeginAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken) =>
        search.OfferAsync(search.Baseline, cancellationToken);

    /// <summary>Adds what the optimizer alone knows to the result.</summary>
    private protected virtual OptimizationResult<TIn, TOut> Complete(OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search) => result;

    /// <summary>Refuses a program that the search cannot work with.</summary>
    private protected virtual void Check(Program<TIn, TOut> program)
    {
    }

    /// <summary>Refuses sets that the search cannot work with.</summary>
    private protected virtual void Check(int train, int? selection)
    {
    }

    /// <summary>Most examples that choose; of more, so many are drawn. Null takes all.</summary>
    private protected virtual int? SelectionLimit => null;

    private async Task<OptimizationResult<TIn, TOut>> RunAsync(
        SearchRun<TIn, TOut> search, UnitRunner units, SearchEvents events, RunAllowance? allowance, CancellationToken cancellationToken)
    {
        SearchEndedException? ended = null;
        try
        {
            AskAhead(search);
            await BeginAsync(search, cancellationToken).ConfigureAwait(false);
            await SearchAsync(search, cancellationToken).ConfigureAwait(false);
        }
        catch (SearchEndedException error)
        {
            ended = error;
        }
        catch (OperationCanceledException) when (IsStopped && !cancellationToken.IsCancellationRequested)
        {
            ended = new(StopReason.Requested, "The run was asked to stop.");
        }

        var test = await TestAsync(search, units, allowance, cancellationToken).ConfigureAwait(false);
        if (IsError(ended) || (ended is { Reason: not StopReason.Requested } && search.Ledger.Count == 0)) // Nothing was scored: the result does not show what for.
            events.Warn(ended!.Message);
        var result = Complete(Finish(search, units, ended, test) with { Warnings = [.. events.Warnings], LostRuns = units.LostRuns }, search);
        events.Tell(new OptimizerFinished(result.StopReason, result.BestIndex, result.Verdict) { Error = result.Error, Candidates = result.Candidates });
        await events.FlushAsync(cancellationToken).ConfigureAwait(false);
        return result;
    }

    private async Task<OptimizationResult<TIn, TOut>> ObservedAsync(
        SearchRun<TIn, TOut> search, UnitRunner units, SearchEvents events, RunAllowance? allowance, CancellationToken cancellationToken)
    {
        try
        {
            return Observation.IsOn(HoneScope.Current)
                ? await Observation.RunAsync(CallKind.Optimization, Name, options, () => RunAsync(search, units, events, allowance, cancellationToken)).ConfigureAwait(false)
                : await RunAsync(search, units, events, allowance, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            events.Tell(new OptimizerFailed(error.Message, cancellationToken.IsCancellationRequested));
            await events.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private bool IsStopped => options.Stop.IsCancellationRequested || options.Control?.IsStopRequested == true;

    private static bool IsError(SearchEndedException? ended) => ended is { Reason: StopReason.Outage or StopReason.StepFailed or StopReason.TooManyErrors };

    private static OptimizationResult<TIn, TOut> Finish(
        SearchRun<TIn, TOut> search, UnitRunner units, SearchEndedException? ended, PairedComparison? test)
    {
        var entries = search.Ledger.Entries;
        var best = search.Ledger.BestIndex;
        var isScored = search.Selection is not null && !entries.IsEmpty;
        return new()
        {
            Program = entries.IsEmpty ? search.Student : search.Ledger[best].Program,
            Candidates = entries,
            BestIndex = best,
            BaselineScore = isScored ? entries[0].Score : null,
            BestScore = isScored ? entries[best].Score : null,
            Comparison = isScored ? Bootstrap.Compare(entries[0].Scores, entries[best].Scores, search.Options.Seed) : null,
            Test = test,
            ProgramRuns = units.ProgramRuns,
            UsageByRole = units.UsageByRole,
            StopReason = ended?.Reason ?? StopReason.Completed,
            Error = IsError(ended) ? ended!.Message : null,
            Duration = units.Duration,
        };
    }

    // Two programs on the test set. Their runs, and their calls as they are estimated, were kept out of what the search may spend.
    private async Task<PairedComparison?> TestAsync(
        SearchRun<TIn, TOut> search, UnitRunner units, RunAllowance? allowance, CancellationToken cancellationToken)
    {
        if (Test is not { Count: > 0 } examples || search.Ledger.Count == 0)
            return null;
        using var whole = CallBudgetOf(null, 0, allowance);
        units.UseSetAside(whole);

        // Another test set may come with a resumption: it is no part of the run's identity.
        var set = new SearchSet<TIn, TOut>("test", examples, KeepsSteps: false);
        set = set with { Key = $"test {set.Digest()}" };
        try
        {
            var scores = await search.SampleAsync(
                "test", [search.Baseline, search.Ledger[search.Ledger.BestIndex]], set, set.All, cancellationToken).ConfigureAwait(false);
            return Bootstrap.Compare(scores[0].Scores, scores[1].Scores, options.Seed);
        }
        catch (SearchEndedException error)
        {
            search.Warn($"The test set was not scored: {error.Message}");
            return null;
        }
    }

    private (SearchSet<TIn, TOut> Train, SearchSet<TIn, TOut>? Selection) Sets(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> train, IReadOnlyList<Example<TIn, TOut>>? validation, out string? note)
    {
        var (trainSet, selection) = WholeSets(program, train, validation, out note);
        if (selection?.Count > SelectionLimit)
        {
            int[] drawn = [.. selection.All];
            new SeedStream(options.Seed).Derive("selection").CreateRandom().Shuffle(drawn);
            selection = new("validation", [.. drawn[..SelectionLimit.Value].Order().Select(index => selection.Examples[index])], KeepsSteps: false);
        }

        Check(trainSet.Count, selection?.Count);
        return (trainSet, selection);
    }

    private (SearchSet<TIn, TOut> Train, SearchSet<TIn, TOut>? Selection) WholeSets(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> train, IReadOnlyList<Example<TIn, TOut>>? validation, out string? note)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(train);
        CheckFrozen(program);
        Check(program);
        if (train.Count == 0 && !AllowsEmptyTrain)
            throw new HoneException($"The training set is empty: {Name} has nothing to learn from.");
        if (validation is { Count: 0 })
            throw new HoneException("The validation set is empty. Pass null to leave it to the optimizer.");
        note = null;
        if (ReferenceEquals(train, validation))
        {
            note = "The training set is the validation set, too: the score of the best is flattered.";
            var both = new SearchSet<TIn, TOut>("train", train, KeepsSteps: true);
            return (both, both);
        }

        if (validation is not null)
            return (new("train", train, KeepsSteps: true), new("validation", validation, KeepsSteps: false));
        switch (WithoutValidation)
        {
            case SelectionWithoutValidation.None:
                return (new("train", train, KeepsSteps: true), null);
            case SelectionWithoutValidation.Train:
                note = "There is no validation set: candidates are chosen by the training set, which flatters the score of the best.";
                var set = new SearchSet<TIn, TOut>("train", train, KeepsSteps: true);
                return (set, set);
            default:
                return Split(train, out note);
        }
    }

    private (SearchSet<TIn, TOut> Train, SearchSet<TIn, TOut> Selection) Split(IReadOnlyList<Example<TIn, TOut>> train, out string note)
    {
        if (train.Count < 2)
            throw new HoneException($"There is no validation set and only {train.Count} training example: {Name} needs at least 2 to learn from one and choose by the other.");
        var shuffled = train.ToArray();
        new SeedStream(options.Seed).Derive("split").CreateRandom().Shuffle(shuffled);
        var learned = train.Count - SelectionOf(train.Count);
        note = $"There is no validation set: {learned} of the {train.Count} training examples propose, the others choose.";
        return (new("train", shuffled[..learned], KeepsSteps: true), new("validation", shuffled[learned..], KeepsSteps: false));
    }

    private long TestRuns => 2L * (Test?.Count ?? 0);

    // A search is not kept from searching: a test that would take more than half of a budget has what is left.
    private long TestRunsAside(Program<TIn, TOut> program)
    {
        var (budget, calls) = (options.Budget, TestRuns * CallsPerRun(program));
        var ofRole = program.Model is { Role: var role } && budget.ByRole.TryGetValue(role, out var limits) ? limits.MaxCalls : null;
        return Fits(budget.MaxProgramRuns, TestRuns) && Fits(budget.MaxCalls, calls) && Fits(ofRole, calls) ? TestRuns : 0;

        static bool Fits(long? most, long test) => most is null || 2 * test <= most;
    }

    private int CallsPerRun(Program<TIn, TOut> program) => options.CallsPerRun ?? Math.Max(1, program.Predictors.Length);

    /// <summary>What it costs at most as a step of a sequence.</summary>
    internal OptimizationEstimate EstimateStep(Program<TIn, TOut> program, int train, int? selection)
    {
        var chosen = selection ?? WithoutValidation switch
        {
            SelectionWithoutValidation.None => null,
            SelectionWithoutValidation.Train => train,
            _ => (int?)SelectionOf(train),
        };
        return EstimateWhole(program, train, chosen > SelectionLimit ? SelectionLimit : chosen);
    }

    /// <summary>The estimate with the test set, and by role.</summary>
    private protected virtual OptimizationEstimate EstimateWhole(Program<TIn, TOut> program, int train, int? selection)
    {
        var search = EstimateFor(program, train, selection);
        var perRun = CallsPerRun(program);
        var (teacher, teaching) = TeacherRuns(train);
        var byRole = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        Add(program.Model?.Role ?? LM.TaskRole, (search.ProgramRuns + TestRuns - teaching) * perRun);
        Add(teacher?.Role ?? LM.TaskRole, teaching * perRun);
        Add(ProposalRole, search.ProposalCalls);
        return search with { ProgramRuns = search.ProgramRuns + TestRuns, TestRuns = TestRuns, CallsPerRun = perRun, CallsByRole = byRole.ToImmutable() };

        void Add(string role, long calls)
        {
            if (calls > 0)
                byRole[role] = byRole.GetValueOrDefault(role) + calls;
        }
    }

    private RunCallBudget? CallBudgetOf(string? role, long setAside, RunAllowance? allowance)
    {
        var budget = options.Budget;
        if ((budget.MaxCalls, budget.MaxTokens, budget.MaxCost, allowance?.Calls) is (null, null, null, null) && budget.ByRole.IsEmpty)
            return null;
        var byRole = role is not null && budget.ByRole.TryGetValue(role, out var limits)
            ? budget.ByRole.SetItem(role, limits with { MaxCalls = Less(limits.MaxCalls) })
            : budget.ByRole;
        return new(new() { MaxCalls = Less(budget.MaxCalls), MaxTokens = budget.MaxTokens, MaxMoney = budget.MaxCost }, byRole, options.Time, allowance?.Calls);

        long? Less(long? calls) => calls is { } most ? Math.Max(0, most - setAside) : null;
    }

    /// <summary>A teacher as the identity of a run names it; empty when the student is its own.</summary>
    private protected static string Describe(Program<TIn, TOut>? teacher) =>
        teacher is null ? string.Empty : $"{RunIdentity.Separator}teacher={CandidateKeys.Of(teacher, "teacher")}";

    private void CheckFrozen(Program<TIn, TOut> program)
    {
        if (options.Frozen.IsDefaultOrEmpty)
            return;
        string[] paths = [.. program.Predictors.Select(entry => entry.Key)];
        var there = $"The program has: {string.Join(", ", paths)}.";
        if (options.Frozen.FirstOrDefault(frozen => !Array.Exists(paths, path => OptimizerOptions.Covers(frozen, path))) is { } unknown)
            throw new HoneException($"{nameof(OptimizerOptions.Frozen)} names '{unknown}', which is no predictor and no module with predictors. {there}");
        if (paths.Length > 0 && Array.TrueForAll(paths, options.IsFrozen))
            throw new HoneException($"{nameof(OptimizerOptions.Frozen)} names every predictor: nothing is left to improve. {there}");
    }

    private static string DataText(SearchSet<TIn, TOut> train, SearchSet<TIn, TOut>? selection) =>
        $"{train.Count} to learn from ({train.Digest()})" + (selection is null ? "" : $", {selection.Count} to choose by ({selection.Digest()})");
}

/// <summary>Where a run is kept, and whether one that is there goes on.</summary>
internal readonly record struct RunPlace(string? Directory, bool Resume);

/// <summary>What chooses between candidates when no validation set is given.</summary>
internal enum SelectionWithoutValidation
{
    /// <summary>Nothing: the last candidate is the result.</summary>
    None,

    /// <summary>The training set.</summary>
    Train,

    /// <summary>A part of the training set that proposes nothing.</summary>
    Split,
}
