using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>What a step left behind.</summary>
internal sealed record GrpoStepOutcome(GrpoStepReport Report, IReadOnlyList<Rollout> Rollouts, GrpoBatch Batch, int OptimizerSteps);

/// <summary>One outer step: roll out, group, compute advantages, learn from all groups in one optimizer batch.</summary>
internal sealed class GrpoStepper<TIn, TOut>
{
    /// <summary>Difference of log-probabilities above which sampler and trainer are not the same policy.</summary>
    private const double LargestSamplerDifference = 0.05;

    private readonly GrpoOptions options;
    private readonly IReadOnlyList<string> predictors;
    private readonly IReadOnlyList<Example<TIn, TOut>> train;
    private readonly ITrainingSession session;
    private readonly SeedStream seed;
    private readonly IExampleSelector selector;
    private readonly RolloutCollector<TIn, TOut> collector;
    private readonly SpendingMeter meter;
    private readonly OutageWatch watch;
    private bool hasWarnedOfSampler;
    private bool hasReadTeachers;

    public GrpoStepper(
        Metric<TIn, TOut> metric,
        GrpoOptions options,
        IReadOnlyList<string> predictors,
        IReadOnlyList<Example<TIn, TOut>> train,
        ITrainingSession session,
        SeedStream seed,
        SpendingMeter meter,
        OutageWatch watch)
    {
        (this.options, this.predictors, this.train, this.session, this.seed) = (options, predictors, train, session, seed);
        (this.meter, this.watch) = (meter, watch);
        selector = options.Selection == ExampleSelection.Spread
            ? new SpreadSelector(train.Count, options.ExamplesPerStep, seed)
            : new ExampleSelector(train.Count, options.ExamplesPerStep, seed);
        collector = new(
            metric,
            options.RolloutsOf(predictors),
            options.Time,
            meter);
    }

    /// <summary>What the choice of examples remembers; null when it remembers nothing.</summary>
    public IReadOnlyDictionary<int, double>? Spreads
    {
        get => selector.Memory;
        set => selector.Memory = value;
    }

    /// <param name="programs">The policy, then its teachers.</param>
    /// <param name="step">The step.</param>
    /// <param name="optimizerSteps">Optimizer steps so far.</param>
    /// <param name="rateScale">What returns to good weights have left of the learning rate.</param>
    /// <param name="stopToken">Drops the step while its rollouts are made.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    public async Task<GrpoStepOutcome> StepAsync(
        IReadOnlyList<Program<TIn, TOut>> programs, int step, int optimizerSteps, double rateScale, CancellationToken stopToken, CancellationToken cancellationToken)
    {
        var overlapped = BeginPass(seed.Derive("step", step));
        try
        {
            return await StepAsync(programs, overlapped, step, optimizerSteps, rateScale, stopToken, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (overlapped is not null)
                await overlapped.DisposeAsync().ConfigureAwait(false);
        }
    }

    private OverlappedPass? BeginPass(SeedStream stepSeed) => options.OverlapLearning && session.Capabilities.LearnsWhileSampling
        ? new(
            session.BeginPass(options.Loss),
            options,
            (rollouts, slot) =>
            {
                ReadTeachers(rollouts);
                return RolloutGrouper.GroupSlot(rollouts, slot, predictors, Grouping, stepSeed);
            })
        : null;

    private GroupingSettings Grouping => new(options.Grouping, options.Fill, options.FailureScore, options.FormatFailureScore, options.Credit);

    private async Task<GrpoStepOutcome> StepAsync(
        IReadOnlyList<Program<TIn, TOut>> programs, OverlappedPass? overlapped, int step, int optimizerSteps, double rateScale, CancellationToken stopToken, CancellationToken cancellationToken)
    {
        var version = session.PolicyVersion;
        var before = meter.Spent;
        var round = await CollectAsync(programs, overlapped, step, seed.Derive("step", step), stopToken).ConfigureAwait(false);
        ReadTeachers(round.Rollouts);
        Warn(step, round);
        var after = meter.Spent;
        var report = GrpoReporter.Describe(step, round.Rollouts, round.Grouping, round.Batch, predictors) with
        {
            PolicyVersion = version,
            RolloutsGenerated = round.Generated,
            TokensSampled = round.Tokens,
            ResampledExamples = round.Resampled,
            ExternalCalls = after.Calls - before.Calls,
            Cost = after.Cost - before.Cost,
            ExternalCallsSoFar = after.Calls,
            CostSoFar = after.Cost,
            Seconds = new() { Rollout = round.Seconds, Metric = round.MetricSeconds },
        };
        for (var update = 0; update < options.UpdatesPerBatch && round.Batch.Data.Count > 0; update++)
            report = await UpdateAsync(report, round.Batch, update == 0 ? overlapped : null, update, optimizerSteps++, rateScale, cancellationToken).ConfigureAwait(false);
        WarnOfSampler(report);
        return new(report, round.Rollouts, round.Batch, optimizerSteps);
    }

    // The step's rollouts; with resampling, examples that teach nothing give way to others, a bounded number of times.
    private async Task<Round> CollectAsync(
        IReadOnlyList<Program<TIn, TOut>> programs, OverlappedPass? overlapped, int step, SeedStream stepSeed, CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.StepDeadline ?? Timeout.InfiniteTimeSpan, options.Time);
        int[] selected = [.. selector.Select(step)];
        int[] slots = [.. Enumerable.Range(0, selected.Length)];
        var rollouts = new Rollout[selected.Length * options.RolloutsPerExample];
        var round = new Round();
        for (var attempt = 0; ; attempt++)
        {
            var batch = await RollOutAsync(
                programs, overlapped, step, slots, selected, attempt == 0 ? stepSeed : stepSeed.Derive("resample", attempt),
                options.StepDeadline is null ? CancellationToken.None : deadline.Token, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < batch.Rollouts.Count; i++)
                rollouts[(slots[i / options.RolloutsPerExample] * options.RolloutsPerExample) + (i % options.RolloutsPerExample)] = batch.Rollouts[i];
            watch.ThrowIfAny();
            meter.ThrowIfExceeded();
            round.Add(batch, predictors);
            round.Rollouts = rollouts;
            (round.Grouping, round.Batch) = overlapped?.Join() ?? Group(rollouts, stepSeed);
            foreach (var slot in slots)
                selector.Observe(selected[slot], SpreadOf(rollouts.AsSpan(slot * options.RolloutsPerExample, options.RolloutsPerExample)));
            slots = [.. Enumerable.Range(0, selected.Length).Where(slot => !round.Batch.Teaches(slot))];
            if (attempt >= options.MaxResamples || slots.Length == 0 || deadline.IsCancellationRequested)
                break;
            foreach (var slot in slots)
                selected[slot] = Replacement(selected, stepSeed.Derive("replacement", attempt, slot));
            round.Resampled += slots.Length;
        }

        round.Seconds = options.Time.GetElapsedTime(started).TotalSeconds;
        return round;
    }

    private async Task<RolloutBatch> RollOutAsync(
        IReadOnlyList<Program<TIn, TOut>> programs, OverlappedPass? overlapped, int step, int[] slots, int[] selected, SeedStream roundSeed, CancellationToken deadline,
        CancellationToken cancellationToken)
    {
        var total = slots.Length * options.RolloutsPerExample;
        overlapped?.Begin(slots);
        var signals = new RolloutSignals
        {
            Completed = completed => options.Progress?.Report(new GrpoRolloutProgress(step, completed, total)),
            ExampleCompleted = overlapped is null ? null : overlapped.Take,
            Deadline = deadline,
            Failed = overlapped?.Failed ?? CancellationToken.None,
        };
        try
        {
            return await collector.CollectAsync(programs, train, [.. slots.Select(slot => selected[slot])], roundSeed, signals, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (overlapped is { Failed.IsCancellationRequested: true })
        {
            // The cause, and not the cancellation that it brought about.
            overlapped.ThrowIfFailed();
            throw;
        }
    }

    private (GroupingResult Grouping, GrpoBatch Batch) Group(IReadOnlyList<Rollout> rollouts, SeedStream stepSeed)
    {
        var grouping = RolloutGrouper.Group(rollouts, options.RolloutsPerExample, predictors, Grouping, stepSeed);
        return (grouping, new(grouping.Groups, options, session.Capabilities.LearnsFromText));
    }

    private static double SpreadOf(ReadOnlySpan<Rollout> rollouts)
    {
        var (count, sum, squares) = (0, 0.0, 0.0);
        foreach (var rollout in rollouts)
        {
            if (rollout.Reward is not { } reward)
                continue;
            (count, sum, squares) = (count + 1, sum + reward, squares + (reward * reward));
        }

        return count == 0 ? 0 : Math.Sqrt(Math.Max(0, (squares / count) - (sum / count * (sum / count))));
    }

    // Another example that the step does not have; any one when it has them all.
    private int Replacement(int[] selected, SeedStream stream)
    {
        int[] others = [.. Enumerable.Range(0, train.Count).Except(selected)];
        var random = stream.CreateRandom();
        return others.Length > 0 ? others[random.Next(others.Length)] : random.Next(train.Count);
    }

    private async Task<GrpoStepReport> UpdateAsync(
        GrpoStepReport report, GrpoBatch batch, OverlappedPass? overlapped, int update, int optimizerStep, double rateScale, CancellationToken cancellationToken)
    {
        var rate = rateScale * options.EffectiveLearningRate * LearningRateSchedule.Multiplier(
            options.Schedule, optimizerStep, options.WarmupSteps, options.Steps * options.UpdatesPerBatch);
        var optimizer = options.Optimizer with { LearningRate = rate };
        var began = options.Time.GetTimestamp();
        var waited = TimeSpan.MaxValue;
        ForwardBackwardResult pass;
        OptimizerStepResult result;
        if (overlapped is null)
        {
            (pass, result) = await session.UpdateAsync(batch.Data, options.Loss, optimizer, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            pass = await overlapped.CompleteAsync(batch, cancellationToken).ConfigureAwait(false);
            waited = options.Time.GetElapsedTime(began);
            result = await session.OptimizerStepAsync(optimizer, cancellationToken).ConfigureAwait(false);
        }

        if (update == 0 && options.UpdatesPerBatch > 1)
            batch.RememberOldLogProbs(pass.LogProbs);
        return report with
        {
            Loss = pass.Loss,
            Entropy = pass.MeanEntropy,
            Kl = pass.MeanKl,
            ClipFraction = pass.ClipFractionLow + pass.ClipFractionHigh,
            ClipFractionLow = pass.ClipFractionLow,
            ClipFractionHigh = pass.ClipFractionHigh,
            SamplerDifferenceMean = update == 0 ? pass.SamplerDifferenceMean : report.SamplerDifferenceMean,
            SamplerDifferenceMax = update == 0 ? pass.SamplerDifferenceMax : report.SamplerDifferenceMax,
            TokensTrained = report.TokensTrained + pass.ActiveTokens,
            GradientNorm = result.GradientNorm,
            LearningRate = rate,
            Staleness = Math.Max(report.Staleness, update + result.Staleness),
            Seconds = report.Seconds with
            {
                Forward = report.Seconds.Forward + pass.ForwardSeconds,
                Backward = report.Seconds.Backward + pass.BackwardSeconds,
                Overlapped = report.Seconds.Overlapped + Math.Max(0, pass.ForwardSeconds + pass.BackwardSeconds - waited.TotalSeconds),
                Optimizer = report.Seconds.Optimizer + result.Seconds,
                Sync = report.Seconds.Sync + result.SyncSeconds,
            },
        };
    }

    private void Warn(int step, Round round)
    {
        if (options.Progress is not { } progress)
            return;
        if (round.Grouping.Groups.IsEmpty)
            progress.Report(new GrpoWarning(step, "No rollout could be grouped: nothing was learned in this step."));
        else if (round.Batch.LacksTokens)
            progress.Report(new GrpoWarning(step, "The model's answers carry no sampled tokens: they cannot be learned from."));
        if (round.Batch.OffTemperature is { } other)
            progress.Report(new GrpoWarning(
                step,
                FormattableString.Invariant(
                    $"Calls of '{other.Path}' were sampled at temperature {other.Tokens!.Temperature} where the loss assumes {options.Loss.Temperature}: they are left out. Does the module set a temperature of its own?")));
        if (round.Rollouts.Any(rollout => rollout.IsOpaque))
            progress.Report(new GrpoWarning(step, "A teacher's model does not tell its tokens: its rollouts are left out. Use a teacher of the policy's own kind."));
        foreach (var failure in round.Rollouts.Where(rollout => rollout.Outcome is RolloutOutcome.Unscorable or RolloutOutcome.Crashed).Take(1))
            progress.Report(new GrpoWarning(step, $"A rollout ended with {failure.Error?.GetType().Name}: {failure.Error?.Message}"));
    }

    // Once a run. Numbers of another vocabulary are tokens here, too, and would be learned from: only their texts tell.
    private void ReadTeachers(IReadOnlyList<Rollout> rollouts)
    {
        if (hasReadTeachers || session.Policy.GetService(typeof(IPolicyTokenizer)) is not IPolicyTokenizer tokenizer)
            return;
        foreach (var teacher in rollouts.Where(rollout => rollout.Teacher is not null).GroupBy(rollout => rollout.Teacher!.Value))
        {
            PredictorCall[] calls = [.. teacher.SelectMany(rollout => rollout.Trace.Calls).Where(call => call.Tokens is not null && call.Text.Length > 0 && predictors.Contains(call.Path))];
            if (calls.Length > 0 && !calls.Any(call => tokenizer.Decode(call.Tokens!.CompletionIds).StartsWith(call.Text, StringComparison.Ordinal)))
                throw new HoneException(
                    $"Teacher {teacher.Key} (model '{calls[0].Model}') writes in other tokens than the policy has: read by the policy's tokenizer, not one of its {calls.Length} answers is what it wrote. Use a teacher with the policy's tokenizer.");
            hasReadTeachers |= calls.Length > 0;
        }
    }

    // Once a run: where sampler and trainer disagree they do so in every step.
    private void WarnOfSampler(GrpoStepReport report)
    {
        if (hasWarnedOfSampler || !(report.SamplerDifferenceMax > LargestSamplerDifference))
            return;
        hasWarnedOfSampler = true;
        options.Progress?.Report(new GrpoWarning(
            report.Step,
            FormattableString.Invariant(
                $"Sampler and trainer disagree on a token's log-probability by {report.SamplerDifferenceMax:0.###} (more than {LargestSamplerDifference}): they do not run the same weights, numbers or sampling. Loss.Correction weighs the difference out.")));
    }

    /// <summary>The rollouts of a step, and what it took to get them.</summary>
    private sealed class Round
    {
        public IReadOnlyList<Rollout> Rollouts { get; set; } = [];

        public GroupingResult Grouping { get; set; } = new([], 0, 0);

        public GrpoBatch Batch { get; set; } = null!;

        public int Generated { get; private set; }

        public long Tokens { get; private set; }

        public int Resampled { get; set; }

        public double Seconds { get; set; }

        public double MetricSeconds { get; private set; }

        public void Add(RolloutBatch batch, IReadOnlyCollection<string> predictors)
        {
            Generated += batch.Rollouts.Count;
            MetricSeconds += batch.MetricSeconds;
            Tokens += batch.Rollouts.Where(rollout => rollout.Teacher is null).Sum(rollout => GrpoReporter.TokensOf(rollout, predictors));
        }
    }
}
