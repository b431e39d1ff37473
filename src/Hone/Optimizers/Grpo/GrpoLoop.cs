using System.Text.Json;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>One run of GRPO: validate, then step by step roll out, group, learn, validate, save; always able to go on after a kill.</summary>
internal sealed class GrpoLoop<TIn, TOut>
{
    private readonly GrpoOptions options;
    private readonly Program<TIn, TOut> original;
    private readonly Program<TIn, TOut> policy;
    private readonly GrpoData<TIn, TOut> data;
    private readonly ITrainingSession session;
    private readonly OptimizationRun run;
    private readonly GrpoValidator<TIn, TOut> validator;
    private readonly GrpoStepper<TIn, TOut> stepper;
    private readonly GrpoStore store;
    private readonly OutageWatch watch;
    private readonly List<GrpoStepReport> steps = [];
    private readonly List<GrpoValidation> validations = [];
    private GrpoState state = new();
    private LM? best;

    public GrpoLoop(
        Metric<TIn, TOut> metric, GrpoOptions options, Program<TIn, TOut> program, GrpoData<TIn, TOut> data, ITrainingSession session, OptimizationRun run)
    {
        (this.options, original, this.data, this.session, this.run) = (options, program, data, session, run);

        // A policy changes with every step: no answer of it may come from a cache, or from another model.
        watch = new(session.Policy);
        policy = program.WithModel(program.Model! with { Client = watch, Cache = null, Failover = [] });
        validator = new(metric, options, data, watch);
        stepper = new(metric, options, data.Train, session, run.Seed, watch);
        store = new(run, options);
    }

    public async Task<GrpoResult<TIn, TOut>> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stop);
        StopReason reason;
        try
        {
            await ResumeAsync(cancellationToken).ConfigureAwait(false);
            options.Progress?.Report(new GrpoStarted(state.NextStep, options.Steps));
            if (state.NextStep == 0)
                await ValidateAsync(-1, stop.Token).ConfigureAwait(false);
            reason = await TrainAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (options.Stop.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            reason = StopReason.Requested;
        }

        return await FinishAsync(reason, cancellationToken).ConfigureAwait(false);
    }

    private async Task<StopReason> TrainAsync(CancellationToken cancellationToken)
    {
        while (state.NextStep < options.Steps)
        {
            if (run.Exhausted(state.TokensSampled) is { } exhausted)
                return exhausted;
            var step = state.NextStep;
            var outcome = await stepper.StepAsync(policy, step, state.OptimizerSteps, cancellationToken).ConfigureAwait(false);
            var report = outcome.Report;
            steps.Add(report);
            state = state with
            {
                NextStep = step + 1,
                OptimizerSteps = outcome.OptimizerSteps,
                RolloutsGenerated = state.RolloutsGenerated + report.RolloutsGenerated,
                RolloutsUsed = state.RolloutsUsed + report.RolloutsUsed,
                TokensSampled = state.TokensSampled + report.TokensSampled,
            };
            store.Append(report);
            await store.WriteRolloutsAsync(step, outcome.Rollouts, cancellationToken).ConfigureAwait(false);
            options.Progress?.Report(new GrpoStepCompleted(report));
            if ((step + 1) % options.ValidateEvery == 0 || step + 1 == options.Steps)
                await ValidateAsync(step, cancellationToken).ConfigureAwait(false);
            if ((step + 1) % options.SaveStateEvery == 0 || step + 1 == options.Steps)
                await SaveAsync(cancellationToken).ConfigureAwait(false);
        }

        return StopReason.Completed;
    }

    private async Task ValidateAsync(int step, CancellationToken cancellationToken)
    {
        if (data.Validation is null)
            return;
        var validation = await validator.ValidateAsync(policy, step, cancellationToken).ConfigureAwait(false);
        var isBest = state.Best is null || validation.Score > state.Best.Score;
        validation = validation with { IsBest = isBest };
        validations.Add(validation);
        state = step < 0 ? state with { Baseline = validation, Best = validation } : state;
        if (isBest && step >= 0)
        {
            best = await session.SnapshotAsync($"{original.Model!.Name}-step-{step + 1}", cancellationToken).ConfigureAwait(false);
            state = state with { Best = validation, BestWeights = await store.SaveBestAsync(best, step, cancellationToken).ConfigureAwait(false) };
        }

        store.Append(validation);
        options.Progress?.Report(new GrpoValidated(validation));
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (store.LatestState() is not { } directory)
        {
            store.KeepEntriesBefore(0);
            return;
        }

        state = await GrpoState.LoadAsync(directory, cancellationToken).ConfigureAwait(false);
        await session.LoadStateAsync(Path.Combine(directory, GrpoStore.SessionFolder), cancellationToken).ConfigureAwait(false);
        run.ContinueFrom(TimeSpan.FromSeconds(state.ElapsedSeconds));
        var (keptSteps, keptValidations) = store.KeepEntriesBefore(state.NextStep);
        steps.AddRange(keptSteps);
        validations.AddRange(keptValidations);
        if (state.BestWeights is { } weights)
            best = await session.LoadSnapshotAsync(Path.Combine(run.Directory!, weights), $"{original.Model!.Name}-{Path.GetFileName(weights)}", cancellationToken)
                .ConfigureAwait(false);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        state = state with { ElapsedSeconds = run.Elapsed.TotalSeconds };
        if (await store.SaveStateAsync(state, session, cancellationToken).ConfigureAwait(false) is { } directory)
            options.Progress?.Report(new GrpoStateSaved(state.NextStep, directory));
    }

    private async Task<GrpoResult<TIn, TOut>> FinishAsync(StopReason reason, CancellationToken cancellationToken)
    {
        var returnsLast = options.Return == ReturnPolicy.Last || data.Validation is null;
        var model = returnsLast && steps.Count > 0
            ? await session.SnapshotAsync($"{original.Model!.Name}-step-{state.NextStep}", cancellationToken).ConfigureAwait(false)
            : best;
        var chosen = returnsLast ? validations.LastOrDefault() : state.Best;
        return new()
        {
            Program = model is null ? original : original.WithModel(model with { Options = original.Model!.Options }),
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
        };
    }
}
