using System.Collections.Immutable;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Which weights a run returns.</summary>
public enum ReturnPolicy
{
    /// <summary>Those that scored best on the validation set; the original ones when none did better.</summary>
    Best,

    /// <summary>Those after the last step.</summary>
    Last,
}

/// <summary>Which weights are kept in the run directory besides those needed to resume.</summary>
public enum CheckpointPolicy
{
    /// <summary>The best so far.</summary>
    SingleBest,

    /// <summary>Every improvement, each in its own directory.</summary>
    Improvements,

    /// <summary>None: when the run has done all its steps, no weights are left in its directory. One that ended early keeps what it needs to go on.</summary>
    None,
}

/// <summary>Settings of <see cref="Grpo{TIn,TOut}"/>. Invalid values are refused when set or, where options depend on each other, by <c>Grpo</c>'s constructor.</summary>
public sealed record GrpoOptions
{
    /// <summary>Outer steps.</summary>
    /// <value>100 by default.</value>
    public int Steps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Steps)); field = value; }
    } = 100;

    /// <summary>Training examples a step.</summary>
    /// <value>1 by default.</value>
    public int ExamplesPerStep
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(ExamplesPerStep)); field = value; }
    } = 1;

    /// <summary>Which examples a step takes.</summary>
    /// <value>Even by default.</value>
    public ExampleSelection Selection { get; init; }

    /// <summary>Rollouts of each example: the group size. A group of one has nothing to compare.</summary>
    /// <value>4 by default; at least 2.</value>
    public int RolloutsPerExample
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, nameof(RolloutsPerExample)); field = value; }
    } = 4;

    /// <summary>How many program runs are under way at once. Results do not depend on it.</summary>
    /// <value>6 by default.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 6;

    /// <summary>Seed of example order, sampling and everything else that is random.</summary>
    public long Seed { get; init; }

    /// <summary>What to do when rollouts call a predictor a different number of times.</summary>
    /// <value>Truncate by default.</value>
    public GroupingMode Grouping { get; init; } = GroupingMode.Truncate;

    /// <summary>Which call is repeated; required with <see cref="GroupingMode.Fill"/>.</summary>
    public FillStrategy? Fill { get; init; }

    /// <summary>Reward of a rollout that raised; also the top of the format-reward range.</summary>
    public double FailureScore { get; init; }

    /// <summary>Reward of an answer with no readable field.</summary>
    /// <value>-1 by default; below <see cref="FailureScore"/>.</value>
    public double FormatFailureScore { get; init; } = -1;

    /// <summary>Gives calls rewards of their own; by default every call gets its rollout's. With <see cref="PartWeights"/> only its nulls count.</summary>
    public CreditAssigner? Credit { get; init; }

    /// <summary>Validate after every so many steps, besides before the first and after the last.</summary>
    /// <value>5 by default.</value>
    public int ValidateEvery
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(ValidateEvery)); field = value; }
    } = 5;

    /// <summary>Validates on the training set; then no validation set may be given.</summary>
    public bool UseTrainAsValidation { get; init; }

    /// <summary>Also scores the training set at every validation.</summary>
    public bool ReportTrainScores { get; init; }

    /// <summary>Sampling temperature of validations; null samples as in training.</summary>
    /// <value>0 (greedy) by default.</value>
    public float? ValidationTemperature { get; init; } = 0;

    /// <summary>
    /// Runs of every validation example at the sampling temperature, beside the one at <see cref="ValidationTemperature"/>: their mean and the best of
    /// them are reported, the latter being what the policy could still learn from itself.
    /// </summary>
    /// <value>0 by default.</value>
    public int ValidationSamples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(ValidationSamples)); field = value; }
    }

    /// <summary>Sampling of rollouts. Truncating distributions (top-p, top-k) biases the ratio and is refused.</summary>
    /// <value>Temperature 1 by default.</value>
    public CallOptions Sampling { get; init; } = new() { Temperature = 1 };

    /// <summary>What the difference from the group's mean is divided by.</summary>
    /// <value>None by default.</value>
    public AdvantageScaling Scaling { get; init; } = AdvantageScaling.None;

    /// <summary>
    /// Weights of the reward's named parts. When set, advantages are taken for each part by itself, scaled by its spread and summed (GDPO), so that a
    /// part with a large range does not drown the others; the score's own value is then only reported, and <see cref="Scaling"/> is not used. Not for services
    /// that compare rewards by themselves (Arbor).
    /// </summary>
    /// <value>Empty by default: the score's value is the reward.</value>
    public ImmutableSortedDictionary<string, double> PartWeights { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>
    /// How often the examples of a step whose rollouts all earned the same are replaced by others (dynamic sampling, DAPO, arXiv 2503.14476): such groups
    /// teach nothing. 0 keeps them.
    /// </summary>
    /// <value>0 by default.</value>
    public int MaxResamples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxResamples)); field = value; }
    }

    /// <summary>When training counts as collapsed and what happens then; null never looks.</summary>
    public CollapseOptions? Collapse { get; init; }

    /// <summary>What is looked at before anything is spent on training.</summary>
    /// <value>Warn by default: a few rollouts, whose findings are told. <see cref="Grpo{TIn,TOut}.CheckAsync"/> makes the same checks by themselves.</value>
    public PreflightMode Preflight { get; init; }

    /// <summary>The loss.</summary>
    public PolicyLossOptions Loss { get; init; } = new();

    /// <summary>Optimizer updates on each batch of rollouts (mu).</summary>
    /// <value>1 by default.</value>
    public int UpdatesPerBatch
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(UpdatesPerBatch)); field = value; }
    } = 1;

    /// <summary>
    /// Learns from examples whose rollouts are all scored while others of the step are still under way. Worth it where the program or its metric waits for others: a
    /// judge on a server, a search, a tool. Rollouts are sampled from the same weights as ever, and the update is the same but for rounding; runs with it and without
    /// it differ in the last digits. Services train by themselves: there it changes nothing, and the run says so.
    /// </summary>
    /// <value>False by default.</value>
    public bool OverlapLearning { get; init; }

    /// <summary>Learning rate; null takes 1e-6 for all weights, 1e-5 for an adapter.</summary>
    public double? LearningRate { get; init; }

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Constant with warm-up by default.</value>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.ConstantWithWarmup;

    /// <summary>Optimizer steps of the warm-up.</summary>
    /// <value>10 by default.</value>
    public int WarmupSteps { get; init; } = 10;

    /// <summary>AdamW settings; the learning rate in it is replaced by the schedule's.</summary>
    public OptimizerStepOptions Optimizer { get; init; } = new() { LearningRate = 0 };

    /// <summary>
    /// True when all predictors of a model learn one set of weights; false gives each predictor its own. Adapters (<see cref="Lora"/>) on a checkpoint that the
    /// processor has mapped share its weights; any other set takes the memory of the model's weights while it is trained.
    /// </summary>
    /// <value>True by default.</value>
    public bool Multitask { get; init; } = true;

    /// <summary>Trains an adapter of this shape; null trains all weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>What the run may spend.</summary>
    public OptimizationBudget Budget { get; init; } = new();

    /// <summary>Which weights are returned.</summary>
    public ReturnPolicy Return { get; init; } = ReturnPolicy.Best;

    /// <summary>Which weights are kept in <see cref="RunDirectory"/>.</summary>
    public CheckpointPolicy Checkpoint { get; init; } = CheckpointPolicy.SingleBest;

    /// <summary>Where the run is kept; null keeps it in memory, without resuming.</summary>
    public string? RunDirectory { get; init; }

    /// <summary>Continues the run in <see cref="RunDirectory"/> where it was interrupted; starts it when there is none.</summary>
    public bool Resume { get; init; }

    /// <summary>State for resuming is written after every so many steps.</summary>
    /// <value>5 by default.</value>
    public int SaveStateEvery
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(SaveStateEvery)); field = value; }
    } = 5;

    /// <summary>Told what happens, in order.</summary>
    public IProgress<GrpoEvent>? Progress { get; init; }

    /// <summary>
    /// Longest time of one run of the program on one example, its metric included: a program that hangs must not hold up training. A rollout that takes
    /// longer has no score and teaches nothing; in a validation it gets <see cref="FailureScore"/>. Null waits for as long as it takes.
    /// </summary>
    /// <remarks>What is cut off depends on the clock: a run with such a limit need not repeat exactly.</remarks>
    public TimeSpan? RunTimeout
    {
        get;
        init { if (value is { } limit) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(RunTimeout)); field = value; }
    }

    /// <summary>
    /// Longest time of a step's rollouts, those of resampling included: one slow run must not hold up all the others. Rollouts that are not done by then have no score,
    /// and their groups are made of the rest; further ones are not begun. The update of the weights is not cut off, nor are validations. Null waits for all.
    /// </summary>
    /// <remarks>What is cut off depends on the clock: a run with such a limit need not repeat exactly.</remarks>
    public TimeSpan? StepDeadline
    {
        get;
        init { if (value is { } limit) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(StepDeadline)); field = value; }
    }

    /// <summary>Ends the run after so many validations in a row without a better score; null goes through all steps.</summary>
    public int? Patience
    {
        get;
        init { if (value is { } most) ArgumentOutOfRangeException.ThrowIfLessThan(most, 1, nameof(Patience)); field = value; }
    }

    /// <summary>
    /// When cancelled, the run drops the rollouts or the validation under way, finishes a step that learns already, saves its state and returns the best so
    /// far.
    /// </summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Pauses the run, has it save its state, or ends it; null when nobody takes part.</summary>
    public RunControl? Control { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Learning rate in effect.</summary>
    internal double EffectiveLearningRate => LearningRate ?? (Lora is null ? 1e-6 : 1e-5);

    /// <summary>How rollouts are made.</summary>
    internal RolloutSettings RolloutsOf(IReadOnlyList<string> predictors) => new(RolloutsPerExample, MaxParallelism, FailureScore, FormatFailureScore, Sampling)
    {
        Learning = predictors,
        RunTimeout = RunTimeout,
    };

    /// <summary>What the run will ask of its session.</summary>
    internal TrainingPlan Plan => new()
    {
        Loss = Loss,
        Optimizer = Optimizer with { LearningRate = EffectiveLearningRate },
        Schedule = Schedule,
        WarmupSteps = WarmupSteps,
        OptimizerSteps = Steps * UpdatesPerBatch,
        UpdatesPerBatch = UpdatesPerBatch,
        GroupSize = RolloutsPerExample,
        Scaling = Scaling,
        Sampling = Sampling,
    };

    /// <summary>Checks what depends on several options; each message names the option.</summary>
    internal void Validate()
    {
        if (!double.IsFinite(FailureScore) || !double.IsFinite(FormatFailureScore))
            throw new HoneException($"FailureScore ({FailureScore}) and FormatFailureScore ({FormatFailureScore}) are rewards: they must be finite.");
        if (FailureScore <= FormatFailureScore)
            throw new HoneException($"FormatFailureScore ({FormatFailureScore}) must be below FailureScore ({FailureScore}): partly readable answers score between them.");
        if (UseTrainAsValidation && ReportTrainScores)
            throw new HoneException("UseTrainAsValidation already reports the training set: leave ReportTrainScores off.");
        if (Grouping == GroupingMode.Fill && Fill is null)
            throw new HoneException("Grouping = Fill needs a Fill strategy: Random or Last.");
        if (Sampling.TopP is < 1 || Sampling.TopK is > 0)
            throw new HoneException("Sampling.TopP and Sampling.TopK cut the distribution that rollouts are sampled from, which biases every ratio. Leave them unset.");
        if (Sampling.Temperature is <= 0)
            throw new HoneException("Sampling.Temperature must be above 0: greedy rollouts of one example are all alike and teach nothing.");
        if (Math.Abs((Sampling.Temperature ?? 1) - Loss.Temperature) > 1e-6)
            throw new HoneException($"Loss.Temperature ({Loss.Temperature}) must equal Sampling.Temperature ({Sampling.Temperature ?? 1}).");
        if (Loss.Type == PolicyLossType.Cispo && (Loss.EpsilonHigh ?? Loss.EpsilonLow) < 1)
            throw new HoneException(
                $"Loss.EpsilonHigh ({Loss.EpsilonHigh ?? Loss.EpsilonLow}) is the cap of the ratio itself for Cispo: below 1 it cuts every token, also where nothing has changed. Set it to about 5.");
        if (Loss.Type == PolicyLossType.DrGrpo && Loss.MaxCompletionLength <= 0)
            throw new HoneException("Loss.MaxCompletionLength must be above 0 for DrGrpo: it divides the loss. Set it to Sampling.MaxOutputTokens.");
        if (LearningRate is { } rate && !(rate >= 0 && double.IsFinite(rate)))
            throw new HoneException($"LearningRate must be 0 or above and finite, got {rate}.");
        if (Resume && RunDirectory is null)
            throw new HoneException("Resume needs a RunDirectory.");
        if (Budget.MaxProgramRuns is not null || Budget.MaxCalls is not null || Budget.MaxTokens is not null || !Budget.ByRole.IsEmpty)
            throw new HoneException("MaxProgramRuns, MaxCalls, MaxTokens and ByRole are limits for optimizers of prompts. Use MaxSampledTokens and MaxExternalCalls here.");
        if (PartWeights.Any(part => !double.IsFinite(part.Value)))
            throw new HoneException("PartWeights must be finite numbers.");
        if (OverlapLearning && WholeStepOption is { } whole)
            throw new HoneException($"{whole} needs all rollouts of a step before the first can be learned from. Change it, or leave OverlapLearning off.");
        if (StepDeadline < RunTimeout)
            throw new HoneException($"StepDeadline ({StepDeadline}) is shorter than RunTimeout ({RunTimeout}), which no run would then reach. Raise the one, or leave the other unset.");
        if (WarmupSteps < 0)
            throw new HoneException($"WarmupSteps must not be negative, got {WarmupSteps}.");
    }

    // What cannot be computed of one example by itself.
    private string? WholeStepOption =>
        !PartWeights.IsEmpty ? nameof(PartWeights)
        : Scaling == AdvantageScaling.Batch ? "Scaling = Batch"
        : Loss.NormalizePerPredictor ? "Loss.NormalizePerPredictor"
        : null;
}
