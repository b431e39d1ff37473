using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>A line of a run's journal: a step or a validation.</summary>
internal sealed record GrpoJournalLine(int Step, GrpoStepReport? Report, GrpoValidation? Validation);

/// <summary>What a run has spent over all resumptions: calls of other models, their cost, time.</summary>
internal sealed record GrpoSpending(long Calls, decimal Cost, double Seconds);

/// <summary>A line of a step's rollouts.</summary>
internal sealed record GrpoRolloutLine(
    int Example,
    int Rollout,
    int? Teacher,
    long Seed,
    RolloutOutcome Outcome,
    double? Reward,
    IReadOnlyDictionary<string, double>? Parts,
    string? Feedback,
    string? Error,
    IReadOnlyList<GrpoCallLine> Calls)
{
    public static GrpoRolloutLine From(Rollout rollout, GrpoBatch batch) => new(
        rollout.ExampleIndex,
        rollout.RolloutIndex,
        rollout.Teacher,
        rollout.Seed,
        rollout.Outcome,
        rollout.Reward,
        rollout.Parts.IsEmpty ? null : rollout.Parts,
        rollout.Feedback,
        rollout.Error?.Message,
        [.. rollout.Trace.Calls.Select(call => GrpoCallLine.From(call, batch.AdvantageOf(call)))]);
}

/// <summary>One call of a rollout.</summary>
internal sealed record GrpoCallLine(
    string Predictor,
    int Ordinal,
    string Text,
    string? Failure,
    double? Advantage,
    int PolicyVersion,
    IReadOnlyList<int>? PromptIds,
    IReadOnlyList<int>? CompletionIds,
    IReadOnlyList<float>? LogProbs,
    bool? IsTruncated = null)
{
    public static GrpoCallLine From(PredictorCall call, double? advantage) => new(
        call.Path, call.Ordinal, call.Text, call.Failure?.Message, advantage, call.Tokens?.PolicyVersion ?? 0,
        call.Tokens?.PromptIds, call.Tokens?.CompletionIds, call.Tokens?.LogProbs, GrpoReporter.IsTruncated(call) ? true : null);
}

/// <summary>Everything of the options that decides the outcome; callbacks, clocks and budgets do not. The order of properties decides the digest.</summary>
internal sealed record GrpoSettings
{
    public required int Steps { get; init; }

    public required int ExamplesPerStep { get; init; }

    public required int RolloutsPerExample { get; init; }

    public required long Seed { get; init; }

    public required GroupingMode Grouping { get; init; }

    public required FillStrategy? Fill { get; init; }

    public required double FailureScore { get; init; }

    public required double FormatFailureScore { get; init; }

    public required int ValidateEvery { get; init; }

    public required bool UseTrainAsValidation { get; init; }

    public required bool ReportTrainScores { get; init; }

    public required float? ValidationTemperature { get; init; }

    public required CallOptions Sampling { get; init; }

    public required AdvantageScaling Scaling { get; init; }

    public required PolicyLossOptions Loss { get; init; }

    public required int UpdatesPerBatch { get; init; }

    public required double EffectiveLearningRate { get; init; }

    public required ScheduleKind Schedule { get; init; }

    public required int WarmupSteps { get; init; }

    public required OptimizerStepOptions Optimizer { get; init; }

    public required LoraOptions? Lora { get; init; }

    public required bool HasCredit { get; init; }

    // Null where nothing is asked for: runs from before there was such an option keep their identity.
    public required IReadOnlyDictionary<string, double>? PartWeights { get; init; }

    public required bool? SeparateWeights { get; init; }

    public required int? MaxResamples { get; init; }

    public required ExampleSelection? Selection { get; init; }

    public required CollapseOptions? Collapse { get; init; }

    public required int? ValidationSamples { get; init; }

    public required int? Teachers { get; init; }

    public required bool? OverlapLearning { get; init; }

    public static GrpoSettings Of(GrpoOptions options, int teachers) => new()
    {
        Steps = options.Steps,
        ExamplesPerStep = options.ExamplesPerStep,
        RolloutsPerExample = options.RolloutsPerExample,
        Seed = options.Seed,
        Grouping = options.Grouping,
        Fill = options.Fill,
        FailureScore = options.FailureScore,
        FormatFailureScore = options.FormatFailureScore,
        ValidateEvery = options.ValidateEvery,
        UseTrainAsValidation = options.UseTrainAsValidation,
        ReportTrainScores = options.ReportTrainScores,
        ValidationTemperature = options.ValidationTemperature,
        Sampling = options.Sampling,
        Scaling = options.Scaling,
        Loss = options.Loss,
        UpdatesPerBatch = options.UpdatesPerBatch,
        EffectiveLearningRate = options.EffectiveLearningRate,
        Schedule = options.Schedule,
        WarmupSteps = options.WarmupSteps,
        Optimizer = options.Optimizer,
        Lora = options.Lora,
        HasCredit = options.Credit is not null,
        PartWeights = options.PartWeights.IsEmpty ? null : options.PartWeights,
        SeparateWeights = options.Multitask ? null : true,
        MaxResamples = options.MaxResamples == 0 ? null : options.MaxResamples,
        Selection = options.Selection == ExampleSelection.Even ? null : options.Selection,
        Collapse = options.Collapse,
        ValidationSamples = options.ValidationSamples == 0 ? null : options.ValidationSamples,
        Teachers = teachers == 0 ? null : teachers,
        OverlapLearning = options.OverlapLearning ? true : null,
    };
}
