namespace Hone.Reinforcement;

/// <summary>Settings of rollouts.</summary>
internal sealed record RolloutSettings(
    int RolloutsPerExample, int MaxParallelism, double FailureScore, double FormatFailureScore, CallOptions Sampling);

/// <summary>The rollouts of one step, with the time that metrics took.</summary>
internal sealed record RolloutBatch(IReadOnlyList<Rollout> Rollouts, double MetricSeconds);

/// <summary>Runs a program several times on each of a step's examples and scores every run.</summary>
internal sealed class RolloutCollector<TIn, TOut>(Metric<TIn, TOut> metric, RolloutSettings settings, TimeProvider time)
{
    /// <summary>Rolls out every example; the result is ordered by position in <paramref name="exampleIndices"/>, then rollout.</summary>
    public async Task<RolloutBatch> CollectAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        IReadOnlyList<int> exampleIndices,
        SeedStream stepSeed,
        Action<int>? onCompleted,
        CancellationToken cancellationToken)
    {
        var metricTicks = 0L;
        var work = new (int Slot, int Example, int Rollout)[exampleIndices.Count * settings.RolloutsPerExample];
        for (var i = 0; i < work.Length; i++)
            work[i] = (i / settings.RolloutsPerExample, exampleIndices[i / settings.RolloutsPerExample], i % settings.RolloutsPerExample);

        var results = await RunAsync(
            work,
            async (item, _, token) =>
            {
                // The slot is part of the seed: an example that a short epoch repeats within a step must not repeat its samples.
                var seed = stepSeed.Derive("rollout", item.Slot, item.Example, item.Rollout).Seed;
                var run = await program.TryRunAsync(examples[item.Example].Input, new() { Options = settings.Sampling, Seed = seed, Recovery = RecoveryPolicy.None }, token)
                    .ConfigureAwait(false);
                var started = time.GetTimestamp();
                var rollout = await ScoreAsync(run, examples[item.Example], token).ConfigureAwait(false) with
                {
                    ExampleIndex = item.Example,
                    RolloutIndex = item.Rollout,
                    Seed = seed,
                };
                Interlocked.Add(ref metricTicks, time.GetElapsedTime(started).Ticks);
                return rollout;
            },
            new()
            {
                MaxParallelism = settings.MaxParallelism,
                MaxErrors = 0,
                Progress = onCompleted is null ? null : new SynchronousProgress<int>(onCompleted),
            },
            cancellationToken).ConfigureAwait(false);
        return new([.. results.Select(result => result.Value!)], TimeSpan.FromTicks(metricTicks).TotalSeconds);
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

    private async Task<Rollout> ScoreAsync(RunOutcome<TOut> run, Example<TIn, TOut> example, CancellationToken cancellationToken)
    {
        var rollout = new Rollout { ExampleIndex = 0, RolloutIndex = 0, Seed = 0, Trace = run.Trace, Outcome = RolloutOutcome.Scored };
        switch (run.Error?.SourceException)
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
            case LMException { IsRetryable: true } or HttpRequestException or IOException or TimeoutException or OperationCanceledException:
                return rollout with { Outcome = RolloutOutcome.Unscorable, Error = run.Error.SourceException };
            default:
                return rollout with { Outcome = RolloutOutcome.Crashed, Reward = settings.FailureScore, Error = run.Error.SourceException };
        }

        try
        {
            var score = await metric(example, new(run.Value!, run.Trace), cancellationToken).ConfigureAwait(false);
            return double.IsFinite(score.Value)
                ? rollout with { Reward = score.Value, Parts = score.Parts }
                : rollout with { Outcome = RolloutOutcome.Unscorable, Error = new HoneException($"The metric returned {score.Value}; a reward must be finite.") };
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return rollout with { Outcome = RolloutOutcome.Unscorable, Error = error };
        }
    }
}
