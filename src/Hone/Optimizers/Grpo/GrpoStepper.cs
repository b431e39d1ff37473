using System.Collections.Immutable;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>What a step left behind.</summary>
internal sealed record GrpoStepOutcome(GrpoStepReport Report, IReadOnlyList<Rollout> Rollouts, int OptimizerSteps);

/// <summary>One outer step: roll out, group, compute advantages, learn from all groups in one optimizer batch.</summary>
internal sealed class GrpoStepper<TIn, TOut>
{
    private readonly GrpoOptions options;
    private readonly IReadOnlyList<Example<TIn, TOut>> train;
    private readonly ITrainingSession session;
    private readonly SeedStream seed;
    private readonly ExampleSelector selector;
    private readonly RolloutCollector<TIn, TOut> collector;
    private readonly OutageWatch watch;

    public GrpoStepper(
        Metric<TIn, TOut> metric, GrpoOptions options, IReadOnlyList<Example<TIn, TOut>> train, ITrainingSession session, SeedStream seed, OutageWatch watch)
    {
        (this.options, this.train, this.session, this.seed, this.watch) = (options, train, session, seed, watch);
        selector = new(train.Count, options.ExamplesPerStep, seed);
        collector = new(
            metric,
            new(options.RolloutsPerExample, options.MaxParallelism, options.FailureScore, options.FormatFailureScore, options.Sampling),
            options.Time);
    }

    public async Task<GrpoStepOutcome> StepAsync(Program<TIn, TOut> policy, int step, int optimizerSteps, CancellationToken cancellationToken)
    {
        var stepSeed = seed.Derive("step", step);
        var selected = selector.Select(step);
        var version = session.PolicyVersion;
        var started = options.Time.GetTimestamp();
        var total = selected.Count * options.RolloutsPerExample;
        var batch = await collector.CollectAsync(
            policy, train, selected, stepSeed,
            completed => options.Progress?.Report(new GrpoRolloutProgress(step, completed, total)),
            cancellationToken).ConfigureAwait(false);
        watch.ThrowIfAny();
        var rolloutSeconds = options.Time.GetElapsedTime(started).TotalSeconds;

        var grouping = RolloutGrouper.Group(
            batch.Rollouts, options.RolloutsPerExample, policy.Predictors.Select(entry => entry.Key),
            new(options.Grouping, options.Fill, options.FailureScore, options.FormatFailureScore, options.Credit), stepSeed);
        var learning = new GrpoBatch(grouping.Groups, options, session.Capabilities.LearnsFromText);
        Warn(step, batch.Rollouts, grouping, learning);
        var report = GrpoReporter.Describe(step, batch, grouping, learning) with
        {
            PolicyVersion = version,
            Seconds = new() { Rollout = rolloutSeconds, Metric = batch.MetricSeconds },
        };
        for (var update = 0; update < options.UpdatesPerBatch && learning.Data.Count > 0; update++)
            report = await UpdateAsync(report, learning, update, optimizerSteps++, cancellationToken).ConfigureAwait(false);
        return new(report, batch.Rollouts, optimizerSteps);
    }

    private async Task<GrpoStepReport> UpdateAsync(
        GrpoStepReport report, GrpoBatch batch, int update, int optimizerStep, CancellationToken cancellationToken)
    {
        var pass = await session.ForwardBackwardAsync(batch.Data, options.Loss, cancellationToken).ConfigureAwait(false);
        if (update == 0 && options.UpdatesPerBatch > 1)
            batch.RememberOldLogProbs(pass.LogProbs);
        var rate = options.EffectiveLearningRate * LearningRateSchedule.Multiplier(
            options.Schedule, optimizerStep, options.WarmupSteps, options.Steps * options.UpdatesPerBatch);
        var result = await session.OptimizerStepAsync(options.Optimizer with { LearningRate = rate }, cancellationToken).ConfigureAwait(false);
        return report with
        {
            Loss = pass.Loss,
            Entropy = pass.MeanEntropy,
            Kl = pass.MeanKl,
            ClipFraction = pass.ClipFractionLow + pass.ClipFractionHigh,
            SamplerDifferenceMax = update == 0 ? pass.SamplerDifferenceMax : report.SamplerDifferenceMax,
            TokensTrained = report.TokensTrained + pass.ActiveTokens,
            GradientNorm = result.GradientNorm,
            LearningRate = rate,
            Seconds = report.Seconds with
            {
                Forward = report.Seconds.Forward + pass.ForwardSeconds,
                Backward = report.Seconds.Backward + pass.BackwardSeconds,
                Optimizer = report.Seconds.Optimizer + result.Seconds,
            },
        };
    }

    private void Warn(int step, IReadOnlyList<Rollout> rollouts, GroupingResult grouping, GrpoBatch batch)
    {
        if (options.Progress is not { } progress)
            return;
        if (grouping.Groups.IsEmpty)
            progress.Report(new GrpoWarning(step, "No rollout could be grouped: nothing was learned in this step."));
        else if (batch.IsOffPolicyData)
            progress.Report(new GrpoWarning(step, "The model's answers carry no sampled tokens: they cannot be learned from."));
        foreach (var failure in rollouts.Where(rollout => rollout.Outcome is RolloutOutcome.Unscorable or RolloutOutcome.Crashed).Take(1))
            progress.Report(new GrpoWarning(step, $"A rollout ended with {failure.Error?.GetType().Name}: {failure.Error?.Message}"));
    }
}

/// <summary>The training data of a step: every call of every group that has something to teach, with its advantage.</summary>
internal sealed class GrpoBatch
{
    private readonly TrainingDatum[] data;
    private readonly bool learnsFromText;

    public GrpoBatch(ImmutableArray<RolloutGroup> groups, GrpoOptions options, bool learnsFromText = false)
    {
        this.learnsFromText = learnsFromText;
        var advantages = Advantages.Compute([.. groups.Select(group => group.Members.Select(member => member.Reward).ToArray())], options.Scaling);
        var collected = new List<TrainingDatum>();
        for (var i = 0; i < groups.Length; i++)
        {
            // A group without spread has advantage 0 throughout: without a divergence penalty it would only cost time.
            var flat = Array.TrueForAll(advantages[i], advantage => Math.Abs(advantage) < 1e-12);
            ZeroVarianceGroups += flat ? 1 : 0;
            if (flat && options.Loss.Beta == 0)
                continue;
            for (var j = 0; j < groups[i].Members.Length; j++)
                Add(collected, i, groups[i].Predictor, groups[i].Members[j], advantages[i][j]);
        }

        data = [.. collected];
    }

    public IReadOnlyList<TrainingDatum> Data => data;

    public int ZeroVarianceGroups { get; }

    /// <summary>True when calls came without their tokens.</summary>
    public bool IsOffPolicyData { get; private set; }

    public void RememberOldLogProbs(IReadOnlyList<float[]> logProbs)
    {
        for (var i = 0; i < data.Length; i++)
            data[i] = data[i] with { OldLogProbs = logProbs[i] };
    }

    private void Add(List<TrainingDatum> collected, int group, string predictor, GroupMember member, double advantage)
    {
        if (member.Reward is not { } reward)
            return;
        if (learnsFromText)
        {
            collected.Add(new()
            {
                PromptIds = [],
                CompletionIds = [],
                Advantage = advantage,
                IsTruncated = member.Call.FinishReason == Microsoft.Extensions.AI.ChatFinishReason.Length,
                Predictor = predictor,
                Text = new(member.Call.Messages, member.Call.Text, reward, group),
            });
            return;
        }

        if (member.Call.Tokens is not { CompletionIds.Count: > 0 } tokens)
        {
            IsOffPolicyData = true;
            return;
        }

        collected.Add(new()
        {
            PromptIds = tokens.PromptIds,
            CompletionIds = tokens.CompletionIds,
            SamplerLogProbs = tokens.LogProbs,
            Advantage = advantage,
            IsTruncated = tokens.IsTruncated,
            Predictor = predictor,
        });
    }
}
