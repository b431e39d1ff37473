namespace Hone.Reinforcement;

/// <summary>Settings of rollouts.</summary>
internal sealed record RolloutSettings(
    int RolloutsPerExample, int MaxParallelism, double FailureScore, double FormatFailureScore, CallOptions Sampling)
{
    /// <summary>Paths of the predictors that are learned from.</summary>
    public IReadOnlyList<string> Learning { get; init; } = [];

    /// <summary>Longest time of one rollout with its metric; null waits for as long as it takes.</summary>
    public TimeSpan? RunTimeout { get; init; }
}

/// <summary>What is told while rollouts are made, and what ends them early.</summary>
internal sealed record RolloutSignals
{
    /// <summary>Told after every rollout how many are done.</summary>
    public Action<int>? Completed { get; init; }

    /// <summary>Told when all rollouts of an example are done, with its position among the examples asked for.</summary>
    public Action<int, IReadOnlyList<Rollout>>? ExampleCompleted { get; init; }

    /// <summary>When it is cancelled, rollouts that are not done have no score, and those not begun are not begun.</summary>
    public CancellationToken Deadline { get; init; }

    /// <summary>When it is cancelled, what was made so far is of no use: nothing more is begun, and the call returns without it.</summary>
    public CancellationToken Failed { get; init; }
}

/// <summary>The rollouts of one step, with the time that metrics took.</summary>
internal sealed record RolloutBatch(IReadOnlyList<Rollout> Rollouts, double MetricSeconds);

/// <summary>What a run hears of its rollouts while they are made; may throw to end the collection.</summary>
internal interface IRolloutWatch
{
    void BeforeRun();

    void AfterRun(Trace trace);

    /// <summary>The error that must end the run instead of becoming an outcome; null for all others.</summary>
    Exception? Fatal(Exception error);
}

/// <summary>Runs a program, and its teachers, several times on each of a step's examples and scores every run.</summary>
internal sealed class RolloutCollector<TIn, TOut>(Metric<TIn, TOut> metric, RolloutSettings settings, TimeProvider time, IRolloutWatch? watch = null)
{
    /// <summary>Rolls out every example; the result is ordered by position in <paramref name="exampleIndices"/>, then rollout.</summary>
    /// <param name="programs">The policy, then its teachers: each makes the same number of an example's rollouts.</param>
    /// <param name="examples">The training set.</param>
    /// <param name="exampleIndices">The step's examples.</param>
    /// <param name="stepSeed">Seed of the step.</param>
    /// <param name="signals">What is told meanwhile, and what ends it early.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    public async Task<RolloutBatch> CollectAsync(
        IReadOnlyList<Program<TIn, TOut>> programs,
        IReadOnlyList<Example<TIn, TOut>> examples,
        IReadOnlyList<int> exampleIndices,
        SeedStream stepSeed,
        RolloutSignals signals,
        CancellationToken cancellationToken)
    {
        var metricTicks = 0L;
        var work = new (int Slot, int Example, int Rollout)[exampleIndices.Count * settings.RolloutsPerExample];
        for (var i = 0; i < work.Length; i++)
            work[i] = (i / settings.RolloutsPerExample, exampleIndices[i / settings.RolloutsPerExample], i % settings.RolloutsPerExample);
        var share = settings.RolloutsPerExample / programs.Count;
        var made = new Rollout[work.Length];
        var left = Enumerable.Repeat(settings.RolloutsPerExample, exampleIndices.Count).ToArray();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, signals.Failed);

        var results = await RunAsync(
            work,
            async (item, index, token) =>
            {
                // The slot is part of the seed: an example that a short epoch repeats within a step must not repeat its samples.
                var seed = stepSeed.Derive("rollout", item.Slot, item.Example, item.Rollout).Seed;
                var maker = item.Rollout / share;
                var options = new RunOptions { Options = settings.Sampling, Seed = seed, Recovery = RecoveryPolicy.None };
                var (rollout, metricTime) = await RollOutAsync(programs[maker], examples[item.Example], options, signals.Deadline, token).ConfigureAwait(false);
                Interlocked.Add(ref metricTicks, metricTime.Ticks);
                made[index] = rollout with
                {
                    ExampleIndex = item.Example,
                    RolloutIndex = item.Rollout,
                    Teacher = maker == 0 ? null : maker - 1,
                    IsOpaque = maker != 0 && rollout.Trace.Calls.Any(call => call.Tokens is null && settings.Learning.Contains(call.Path)),
                    Seed = seed,
                };
                if (Interlocked.Decrement(ref left[item.Slot]) == 0)
                    signals.ExampleCompleted?.Invoke(item.Slot, new ArraySegment<Rollout>(made, item.Slot * settings.RolloutsPerExample, settings.RolloutsPerExample));
                return made[index];
            },
            new()
            {
                MaxParallelism = settings.MaxParallelism,
                MaxErrors = 0,
                Progress = signals.Completed is { } completed ? new SynchronousProgress<int>(completed) : null,
            },
            either.Token).ConfigureAwait(false);
        return new([.. results.Select(result => result.Value!)], TimeSpan.FromTicks(metricTicks).TotalSeconds);
    }

    // One run and its score. A run over its time, or over the step's, is given up, whether or not the program listens to its token.
    private async Task<(Rollout Rollout, TimeSpan Metric)> RollOutAsync(
        Program<TIn, TOut> program, Example<TIn, TOut> example, RunOptions options, CancellationToken deadline, CancellationToken cancellationToken)
    {
        if (deadline.IsCancellationRequested)
            return (Unscored(Late("The step's deadline passed before the rollout began")), TimeSpan.Zero);
        watch?.BeforeRun();
        if (settings.RunTimeout is null && !deadline.CanBeCanceled)
            return await RunOnceAsync(program, example, options, cancellationToken).ConfigureAwait(false);
        using var expiry = new CancellationTokenSource(settings.RunTimeout ?? Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token, deadline);
        try
        {
            return await RunOnceAsync(program, example, options, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (either.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var late = expiry.IsCancellationRequested
                ? new TimeoutException($"The rollout took longer than {settings.RunTimeout}: it has no score. Raise RunTimeout if the program needs longer.", error)
                : Late("The rollout was not done at the step's deadline", error);
            return (Unscored(late), TimeSpan.Zero);
        }
    }

    private static TimeoutException Late(string what, Exception? cause = null) =>
        new($"{what}: it has no score. Raise StepDeadline, or set RunTimeout so that single runs do not hold up the others.", cause);

    private static Rollout Unscored(TimeoutException error) =>
        new() { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Trace = Trace.Empty, Outcome = RolloutOutcome.Unscorable, Error = error };

    private async Task<(Rollout Rollout, TimeSpan Metric)> RunOnceAsync(
        Program<TIn, TOut> program, Example<TIn, TOut> example, RunOptions options, CancellationToken cancellationToken)
    {
        var run = await program.TryRunAsync(example.Input, options, cancellationToken).ConfigureAwait(false);
        watch?.AfterRun(run.Trace);
        var started = time.GetTimestamp();
        var rollout = await ScoreAsync(run, example, cancellationToken).ConfigureAwait(false);
        return (rollout, time.GetElapsedTime(started));
    }

    // The service's own error, not a bundle of one for every rollout that was under way.
    private static async Task<ItemResult<Rollout>[]> RunAsync<TItem>(
        TItem[] work, Func<TItem, int, CancellationToken, Task<Rollout>> run, ParallelRunnerOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await ParallelRunner.RunAsync(work, run, options, cancellationToken).ConfigureAwait(false);
        }
        catch (AggregateException error) when (error.InnerExceptions.OfType<TrainingServiceException>().FirstOrDefault() is { } outage)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(outage);
            throw;
        }
    }

    /// <summary>Scores one run.</summary>
    public async Task<Rollout> ScoreAsync(RunOutcome<TOut> run, Example<TIn, TOut> example, CancellationToken cancellationToken)
    {
        var rollout = new Rollout { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Trace = run.Trace, Outcome = RolloutOutcome.Scored };
        var error = run.Error?.SourceException;
        if (error is not null && watch?.Fatal(error) is { } fatal)
            throw fatal;
        switch (error)
        {
            case null:
                break;
            case TrainingServiceException outage:
                // Without its service the run can learn nothing; a punished outage would teach it nonsense.
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(outage);
                throw outage;
            case AdapterParseException failure:
                return rollout with
                {
                    Outcome = RolloutOutcome.FormatFailure,
                    Reward = FormatReward.Of(failure, settings.FailureScore, settings.FormatFailureScore),
                    Error = failure,
                };
            // A key or an account that is refused is an outage as well: the policy has done nothing that could be punished.
            case LMException { IsRetryable: true } or LMAuthException or LMBillingException or HttpRequestException or IOException or TimeoutException or OperationCanceledException:
                return rollout with { Outcome = RolloutOutcome.Unscorable, Error = error };
            default:
                return rollout with { Outcome = RolloutOutcome.Crashed, Reward = settings.FailureScore, Error = error };
        }

        try
        {
            var score = await metric(example, new(run.Value!, run.Trace), cancellationToken).ConfigureAwait(false);
            return double.IsFinite(score.Value)
                ? rollout with { Reward = score.Value, Parts = score.Parts, Feedback = score.Feedback }
                : rollout with { Outcome = RolloutOutcome.Unscorable, Error = new HoneException($"The metric returned {score.Value}; a reward must be finite.") };
        }
        catch (Exception raised) when (raised is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // A judge's own time-out is a cancelled task, too: it costs this rollout its score, and not the run.
            return watch?.Fatal(raised) is { } ended ? throw ended : rollout with { Outcome = RolloutOutcome.Unscorable, Error = raised };
        }
    }
}
