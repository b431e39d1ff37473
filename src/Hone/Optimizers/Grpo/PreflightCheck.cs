using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>
/// Looks at a run before it begins: a few rollouts of the policy, and of one that says nothing. Most runs whose reward never moves could have been
/// recognised here.
/// </summary>
internal sealed class PreflightCheck<TIn, TOut>(
    Metric<TIn, TOut> metric,
    GrpoOptions options,
    GrpoData<TIn, TOut> data,
    GrpoStudents<TIn, TOut> students,
    ITrainingSession session,
    SeedStream seed,
    SpendingMeter meter)
{
    private const int Examples = 4;

    private readonly RolloutCollector<TIn, TOut> collector = new(
        metric,
        options.RolloutsOf(students.Predictors),
        options.Time,
        meter);

    private Example<TIn, TOut>[] Sample => [.. data.DistinctTrain.Take(Examples)];

    public async Task<PreflightReport> RunAsync(Program<TIn, TOut> policy, CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        var before = meter.Spent;
        var rollouts = await RollOutAsync(policy, cancellationToken).ConfigureAwait(false);
        var seconds = options.Time.GetElapsedTime(started).TotalSeconds;
        var after = meter.Spent;
        var nothing = new SilentPolicy(policy.Predictors, policy.Adapter);
        var findings = new PreflightFindings(options, session.Capabilities, students.Predictors);
        findings.AddTokens(rollouts);
        findings.AddSampling(students.SamplingConflict(options), rollouts);
        findings.AddFormat(rollouts);
        findings.AddReward([.. rollouts.Chunk(options.RolloutsPerExample)]);
        findings.AddLengths(rollouts);
        findings.AddContext(LongestPrompts.Of(data, rollouts, students.Predictors), path => students.AnswerLimitOf(path, options, session.Capabilities));
        findings.AddSilence("an unreadable answer", isUnreadable: true, rollouts, await ScoreSilenceAsync(nothing.Speechless, cancellationToken).ConfigureAwait(false));
        findings.AddSilence("an answer with empty fields", isUnreadable: false, rollouts, await ScoreSilenceAsync(nothing.Empty, cancellationToken).ConfigureAwait(false));
        findings.AddDeterminism(await ScoreTwiceAsync(policy, cancellationToken).ConfigureAwait(false));
        findings.AddMemory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return findings.Report(rollouts, seconds, after.Calls - before.Calls, after.Cost - before.Cost, data.Validation?.Count ?? 0);
    }

    private async Task<IReadOnlyList<Rollout>> RollOutAsync(Program<TIn, TOut> policy, CancellationToken cancellationToken)
    {
        var sample = Sample;
        var batch = await collector.CollectAsync(
            [policy], sample, [.. Enumerable.Range(0, sample.Length)], seed.Derive("preflight"), new(), cancellationToken).ConfigureAwait(false);
        return batch.Rollouts;
    }

    // What the program makes of weights that say nothing: null where it fails, as it should.
    private async Task<double[]> ScoreSilenceAsync(LM silent, CancellationToken cancellationToken)
    {
        var scores = new List<double>();
        var program = students.OnSilence(silent);
        foreach (var example in Sample)
        {
            var run = await program.TryRunAsync(example.Input, new() { Recovery = RecoveryPolicy.None }, cancellationToken).ConfigureAwait(false);
            meter.Add(run.Trace);
            if (run.Error is null && await collector.ScoreAsync(run, example, cancellationToken).ConfigureAwait(false) is { Reward: { } reward })
                scores.Add(reward);
        }

        return [.. scores];
    }

    private async Task<(double First, double Second)[]> ScoreTwiceAsync(Program<TIn, TOut> policy, CancellationToken cancellationToken)
    {
        var pairs = new List<(double, double)>();
        foreach (var (example, index) in Sample.Select((example, index) => (example, index)))
        {
            var run = await policy.TryRunAsync(
                example.Input,
                new() { Options = options.Sampling, Seed = seed.Derive("preflight metric", index).Seed, Recovery = RecoveryPolicy.None },
                cancellationToken).ConfigureAwait(false);
            meter.Add(run.Trace);
            if (run.Error is not null)
                continue;
            var first = await collector.ScoreAsync(run, example, cancellationToken).ConfigureAwait(false);
            var second = await collector.ScoreAsync(run, example, cancellationToken).ConfigureAwait(false);
            if (first.Reward is { } one && second.Reward is { } other)
                pairs.Add((one, other));
        }

        return [.. pairs];
    }
}
