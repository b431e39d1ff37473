using System.Text.Json;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>One run of GRPO: validate, then step by step roll out, group, learn, validate, save; always able to go on after a kill.</summary>
internal sealed class GrpoLoop<TIn, TOut> : IDisposable
{
    private readonly GrpoOptions options;
    private readonly Program<TIn, TOut> original;
    private readonly GrpoStudents<TIn, TOut> students;
    private readonly Program<TIn, TOut> policy;
    private readonly IReadOnlyList<Program<TIn, TOut>> programs;
    private readonly GrpoData<TIn, TOut> data;
    private readonly ITrainingSession session;
    private readonly OptimizationRun run;
    private readonly GrpoValidator<TIn, TOut> validator;
    private readonly GrpoStepper<TIn, TOut> stepper;
    private readonly GrpoStore store;
    private readonly SpendingMeter meter;
    private readonly PreflightCheck<TIn, TOut> preflight;
    private readonly OutageWatch watch;
    private readonly TrainingMeters meters;
    private readonly List<GrpoStepReport> steps = [];
    private readonly List<GrpoValidation> validations = [];
    private GrpoState state = new();
    private LM? best;
    private PreflightReport? checks;
    private (int Step, int Validation) saved = (0, GrpoState.NotValidated);

    public GrpoLoop(
        Metric<TIn, TOut> metric,
        GrpoOptions options,
        Program<TIn, TOut> program,
        GrpoStudents<TIn, TOut> students,
        GrpoData<TIn, TOut> data,
        ITrainingSession session,
        OptimizationRun run)
    {
        (this.options, original, this.students, this.data, this.session, this.run) = (options, program, students, data, session, run);
        watch = new(session.Policy);
        policy = students.OnPolicy(watch);
        programs = [policy, .. data.Teachers.Select(students.Uncached)];
        meter = new(options.Budget, students.ModelNames);
        var counted = meter.Wrap(metric);
        validator = new(counted, options, data, meter, watch);
        stepper = new(counted, options, students.Predictors, data.Train, session, run.Seed, meter, watch);
        preflight = new(counted, options, data, students, session, run.Seed, meter);
        store = new(run, options);
        meters = new(run.Directory);
    }

    public void Dispose() => store.Dispose();

    public async Task<GrpoResult<TIn, TOut>> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stop, options.Control?.Stopped ?? CancellationToken.None);
        StopReason reason;
        try
        {
            await ResumeAsync(cancellationToken).ConfigureAwait(false);
            options.Progress?.Report(new GrpoStarted(state.NextStep, options.Steps));
            if (state.NextStep == 0)
                await CheckAsync(stop.Token).ConfigureAwait(false);

            // Before the first step, or when the run had ended between a step and its validation.
            if (IsValidationDue(state.NextStep - 1))
                await ValidateAsync(state.NextStep - 1, stop.Token).ConfigureAwait(false);
            reason = await TrainAsync(stop.Token, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (BudgetSpentException.In(error) is { } spent)
        {
            // The step or validation under way is dropped; what was found before it is returned.
            reason = spent.Reason;
            options.Progress?.Report(new GrpoWarning(state.NextStep, $"The run stops here: {spent.InnerException?.Message ?? spent.Message}"));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested
            && (options.Stop.IsCancellationRequested || options.Control?.IsStopRequested == true))
        {
            reason = StopReason.Requested;
        }

        // However the run ended: what it has learned can be gone on from, and what was dropped is paid for.
        await KeepSpendingAsync(cancellationToken).ConfigureAwait(false);
        if (state.NextStep > 0 && (state.NextStep, state.ValidatedThrough) != saved)
            await SaveAsync(cancellationToken).ConfigureAwait(false);
        if (reason == StopReason.Completed && options.Checkpoint == CheckpointPolicy.None)
            store.DropWeights();
        return await FinishAsync(reason, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The checks before training, and nothing else.</summary>
    public async Task<PreflightReport> CheckOnlyAsync(CancellationToken cancellationToken)
    {
        var report = await preflight.RunAsync(policy, cancellationToken).ConfigureAwait(false);
        watch.ThrowIfAny(); // what a program makes of an outage says nothing of the task
        return report;
    }

    // A request to stop drops rollouts and validations. A step that learns already is finished, so that what is saved lies between two steps.
    private async Task<StopReason> TrainAsync(CancellationToken stopToken, CancellationToken cancellationToken)
    {
        while (state.NextStep < options.Steps)
        {
            if ((run.Exhausted(state.TokensSampled) ?? meter.Exhausted ?? PatienceEnded) is { } ended)
            {
                // Of the budgets this one leaves room: validations are not counted in it.
                if (ended == StopReason.TokenBudget && validations.LastOrDefault()?.Step != state.NextStep - 1)
                    await ValidateAsync(state.NextStep - 1, stopToken).ConfigureAwait(false);
                return ended;
            }

            if (options.Control is { } control)
                await control.PassAsync(SaveAsync, stopToken).ConfigureAwait(false);
            var step = state.NextStep;
            var outcome = await stepper.StepAsync(programs, step, state.OptimizerSteps, state.LearningRateScale, stopToken, cancellationToken).ConfigureAwait(false);
            var report = outcome.Report;
            report = report with { Collapse = options.Collapse?.Find([.. steps.Where(earlier => earlier.Step >= state.WatchedFrom), report]) };
            steps.Add(report);
            state = state with
            {
                NextStep = step + 1,
                OptimizerSteps = outcome.OptimizerSteps,
                RolloutsGenerated = state.RolloutsGenerated + report.RolloutsGenerated,
                RolloutsUsed = state.RolloutsUsed + report.RolloutsUsed,
                TokensSampled = state.TokensSampled + report.TokensSampled,
                ExternalCalls = meter.Spent.Calls,
                Cost = meter.Spent.Cost,
                Spreads = stepper.Spreads,
            };
            store.Append(report);
            meters.Tell(report, state.Cost);
            await KeepSpendingAsync(cancellationToken).ConfigureAwait(false);
            await store.WriteRolloutsAsync(step, outcome, cancellationToken).ConfigureAwait(false);
            options.Progress?.Report(new GrpoStepCompleted(report) { Rollouts = outcome.Rollouts, Advantages = outcome.Batch.ByCall });
            if (report.Collapse is { } collapse && !await ReturnToGoodAsync(step, collapse, cancellationToken).ConfigureAwait(false))
                return StopReason.Collapsed;
            if (IsValidationDue(step))
                await ValidateAsync(step, stopToken).ConfigureAwait(false);
            if ((step + 1) % options.SaveStateEvery == 0 || step + 1 == options.Steps)
                await SaveAsync(cancellationToken).ConfigureAwait(false);
        }

        return StopReason.Completed;
    }

    // One that was made already is not made again.
    private bool IsValidationDue(int step) =>
        (step < 0 || (step + 1) % options.ValidateEvery == 0 || step + 1 == options.Steps) && validations.LastOrDefault()?.Step != step;

    private StopReason? PatienceEnded => options.Patience is { } most && state.Best is { } top && validations.Count(validation => validation.Step > top.Step) >= most
        ? StopReason.NoImprovement
        : null;

    private Task KeepSpendingAsync(CancellationToken cancellationToken) =>
        store.WriteSpendingAsync(new(meter.Spent.Calls, meter.Spent.Cost, run.Elapsed.TotalSeconds), cancellationToken);

    private async Task ValidateAsync(int step, CancellationToken cancellationToken)
    {
        if (data.Validation is null)
            return;
        var validated = await validator.ValidateAsync(policy, step, cancellationToken).ConfigureAwait(false);
        var isBest = state.Best is null || validated.Validation.Score > state.Best.Score;
        var validation = validated.Validation with { IsBest = isBest, ExternalCallsSoFar = meter.Spent.Calls, CostSoFar = meter.Spent.Cost };
        validations.Add(validation);
        state = step < 0 ? state with { Baseline = validation, Best = validation } : state;
        if (isBest && step >= 0)
        {
            best = await session.SnapshotAsync(SnapshotName(step + 1), cancellationToken).ConfigureAwait(false);
            state = state with { Best = validation, BestWeights = await store.SaveBestAsync(best, step, cancellationToken).ConfigureAwait(false) };
        }

        if (isBest && options.Collapse is not null)
        {
            state = state with { GoodState = await store.SaveGoodAsync(session, step, cancellationToken).ConfigureAwait(false) };
            if (run.Directory is null)
                store.KeepGood(new HashSet<string?> { state.GoodState }); // nothing can be resumed that would need an older one
        }

        state = state with { ValidatedThrough = step, ExternalCalls = meter.Spent.Calls, Cost = meter.Spent.Cost };
        store.Append(validation);
        meters.Tell(validation);
        await KeepSpendingAsync(cancellationToken).ConfigureAwait(false);
        options.Progress?.Report(validated with { Validation = validation });
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (options.Preflight == PreflightMode.Off)
            return;
        checks = await CheckOnlyAsync(cancellationToken).ConfigureAwait(false);
        await store.WriteChecksAsync(checks, cancellationToken).ConfigureAwait(false);
        options.Progress?.Report(new GrpoChecked(checks));
        if (options.Preflight == PreflightMode.Refuse && checks.HasProblems)
            throw new HoneException($"The checks before training found problems:\n{checks}");
    }

    // False when the run must end: returned too often already, or there is nothing to return to.
    private async Task<bool> ReturnToGoodAsync(int step, string reason, CancellationToken cancellationToken)
    {
        if (state.GoodState is not { } good || state.Rollbacks >= options.Collapse!.MaxRollbacks)
        {
            options.Progress?.Report(new GrpoWarning(step, $"The policy has collapsed: {reason} The run ends with the best weights before."));
            return false;
        }

        await session.LoadStateAsync(store.GoodPath(good), cancellationToken).ConfigureAwait(false);
        state = state with
        {
            Rollbacks = state.Rollbacks + 1,
            WatchedFrom = step + 1,
            LearningRateScale = state.LearningRateScale * options.Collapse.LearningRateFactor,
        };
        options.Progress?.Report(new GrpoRolledBack(step, reason, state.Best!.Step));
        return true;
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        // What was spent on steps whose state is lost is spent all the same.
        var spent = await store.ReadSpendingAsync(cancellationToken).ConfigureAwait(false);
        run.ContinueFrom(TimeSpan.FromSeconds(spent.Seconds));
        meter.ContinueFrom(spent.Calls, spent.Cost);
        if (store.LatestState() is not { } directory)
        {
            store.KeepEntriesBefore(-1, GrpoState.NotValidated);
            return;
        }

        if (!Directory.Exists(Path.Combine(directory, GrpoStore.SessionFolder)))
            throw new HoneException($"The run in {run.Directory} is finished and has kept no weights (Checkpoint = None): there is nothing to go on from. Start in another directory.");
        state = await GrpoState.LoadAsync(directory, cancellationToken).ConfigureAwait(false);
        checks = await store.ReadChecksAsync(cancellationToken).ConfigureAwait(false);
        await session.LoadStateAsync(Path.Combine(directory, GrpoStore.SessionFolder), cancellationToken).ConfigureAwait(false);
        stepper.Spreads = state.Spreads;
        saved = (state.NextStep, state.ValidatedThrough);
        run.ContinueFrom(TimeSpan.FromSeconds(Math.Max(state.ElapsedSeconds, spent.Seconds)));
        meter.ContinueFrom(Math.Max(state.ExternalCalls, spent.Calls), Math.Max(state.Cost, spent.Cost));
        var (keptSteps, keptValidations) = store.KeepEntriesBefore(state.NextStep, state.ValidatedThrough);
        steps.AddRange(keptSteps);
        validations.AddRange(keptValidations);
        if (state.BestWeights is { } weights)
        {
            best = await session.LoadSnapshotAsync(Path.Combine(run.Directory!, weights), SnapshotName(state.Best!.Step + 1), cancellationToken).ConfigureAwait(false);
        }
        else if (state.Best is { Step: >= 0 } lost)
        {
            // Their score without them would be a claim about other weights.
            options.Progress?.Report(new GrpoWarning(
                state.NextStep, $"The weights after step {lost.Step + 1} scored best, but their session cannot write weights down: they are lost. Those before training count as the best again."));
            state = state with { Best = state.Baseline };
        }
    }

    private string SnapshotName(int step) => $"{string.Join('+', students.ModelNames)}-step-{step}";

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        state = state with { ElapsedSeconds = run.Elapsed.TotalSeconds, ExternalCalls = meter.Spent.Calls, Cost = meter.Spent.Cost };
        saved = (state.NextStep, state.ValidatedThrough);
        if (await store.SaveStateAsync(state, session, cancellationToken).ConfigureAwait(false) is { } directory)
            options.Progress?.Report(new GrpoStateSaved(state.NextStep, directory));
    }

    private async Task<GrpoResult<TIn, TOut>> FinishAsync(StopReason reason, CancellationToken cancellationToken)
    {
        var returnsLast = options.Return == ReturnPolicy.Last || data.Validation is null;
        var model = returnsLast && steps.Count > 0
            ? await session.SnapshotAsync(SnapshotName(state.NextStep), cancellationToken).ConfigureAwait(false)
            : best;

        // The last weights have the score of a validation after the last step, or none.
        var chosen = !returnsLast ? state.Best : validations.LastOrDefault() is { } latest && latest.Step == state.NextStep - 1 ? latest : null;
        var result = new GrpoResult<TIn, TOut>
        {
            Program = model is null ? original : students.OnSnapshot(model),
            BaselineScore = state.Baseline?.Score,
            BestScore = chosen?.Score,
            BestStep = model is null ? -1 : chosen?.Step ?? (state.NextStep - 1),
            Comparison = state.Baseline is null || chosen is null ? null : Bootstrap.Compare(state.Baseline.Scores, chosen.Scores, options.Seed),
            StopReason = reason,
            Duration = run.Elapsed,
            Steps = steps,
            Validations = validations,
            RolloutsGenerated = state.RolloutsGenerated,
            RolloutsUsed = state.RolloutsUsed,
            TokensSampled = state.TokensSampled,
            ExternalCalls = meter.Spent.Calls,
            Cost = meter.Spent.Cost,
            Rollbacks = state.Rollbacks,
            Preflight = checks,
        };
        options.Progress?.Report(new GrpoFinished(reason, result.BestStep, result.Comparison));
        return result;
    }
}
