using System.Text.Json;
using System.Text.Json.Serialization;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>What a page learns first.</summary>
internal sealed record HelloMessage(string Run, string Title, string Version, int KeptSteps, bool IsLive, bool HasTokenTexts, int FeedCapacity);

internal sealed record StartedMessage(int FirstStep, int Steps);

/// <summary>A step. <paramref name="RewardError"/> is the standard error of the mean reward; <paramref name="Seconds"/> count from the start.</summary>
internal sealed record StepMessage(GrpoStepReport Report, double? RewardError, double? Seconds);

/// <summary>A validation, compared with the one before training by example.</summary>
internal sealed record ValidationMessage(GrpoValidation Validation, int Examples, PairedComparison? Comparison, bool HasAnswers);

internal sealed record NoteMessage(int Step, string Message);

internal sealed record RollbackMessage(int Step, string Reason, int ReturnedTo);

internal sealed record SavedMessage(int NextStep, string Directory);

internal sealed record FinishedMessage(StopReason? Reason, int? BestStep, PairedComparison? Comparison);

/// <summary>How things are now: told when it changes, never kept.</summary>
internal sealed record StatusMessage
{
    public required string Phase { get; init; }

    public int Step { get; init; }

    public int Completed { get; init; }

    public int Total { get; init; }

    /// <summary>True while the run waits, or will wait when the work under way is done.</summary>
    public bool IsPaused { get; init; }

    /// <summary>True while the work under way goes on before the pause.</summary>
    public bool IsPausing { get; init; }

    public bool IsStopping { get; init; }

    /// <summary>Seconds since the start; does not count as a change.</summary>
    public double Elapsed { get; init; }

    /// <summary>Entries that are gone because there were too many.</summary>
    public long Dropped { get; init; }
}

/// <summary>Steps whose rollouts can be looked at.</summary>
internal sealed record StepList(IReadOnlyList<int> Steps);

internal sealed record StepRollouts(int Step, IReadOnlyList<RolloutSummary> Rollouts);

internal sealed record RolloutSummary(
    int Position, int Example, int Rollout, int? Teacher, RolloutOutcome Outcome, double? Reward, int Calls, int Unreadable, string? Input);

internal sealed record RolloutView
{
    public required int Step { get; init; }

    public required int Position { get; init; }

    public required int Example { get; init; }

    public required int Rollout { get; init; }

    public int? Teacher { get; init; }

    /// <summary>As text: it may be too large for a number of JavaScript.</summary>
    public required string Seed { get; init; }

    public required RolloutOutcome Outcome { get; init; }

    public double? Reward { get; init; }

    public IReadOnlyDictionary<string, double> Parts { get; init; } = new Dictionary<string, double>();

    public string? Feedback { get; init; }

    public string? Error { get; init; }

    /// <summary>Largest advantage of the step, for the scale of colours.</summary>
    public double AdvantageScale { get; init; }

    public required IReadOnlyList<CallView> Calls { get; init; }
}

internal sealed record CallView
{
    public required string Predictor { get; init; }

    public required int Ordinal { get; init; }

    public int Attempt { get; init; }

    public string? Model { get; init; }

    public IReadOnlyList<MessageView> Messages { get; init; } = [];

    public required string Text { get; init; }

    public string? Failure { get; init; }

    public bool IsTruncated { get; init; }

    public bool IsRepaired { get; init; }

    public double? Advantage { get; init; }

    public int? PolicyVersion { get; init; }

    public double? Seconds { get; init; }

    public int PromptTokens { get; init; }

    public TokensView? Tokens { get; init; }
}

internal sealed record MessageView(string Role, string Text);

/// <summary>A completion by token; without texts when nobody tells them.</summary>
internal sealed record TokensView(IReadOnlyList<int> Ids, IReadOnlyList<float> LogProbs, IReadOnlyList<string>? Texts);

/// <summary>Validation examples before and after, the largest changes first.</summary>
internal sealed record AnswerPage(int? Before, int? After, int Count, int Better, int Worse, IReadOnlyList<AnswerRow> Rows);

internal sealed record AnswerRow(int Index, GrpoAnswer Before, GrpoAnswer After);

/// <summary>A line of a journal, as <c>GrpoStore</c> writes it.</summary>
internal sealed record StoredLine(int Step, GrpoStepReport? Report, GrpoValidation? Validation);

/// <summary>A line of a step's rollouts, as <c>GrpoStore</c> writes it.</summary>
internal sealed record StoredRollout(
    int Example, int Rollout, int? Teacher, long Seed, RolloutOutcome Outcome, double? Reward, IReadOnlyDictionary<string, double>? Parts, string? Feedback, string? Error, IReadOnlyList<StoredCall> Calls);

internal sealed record StoredCall(
    string Predictor, int Ordinal, string Text, string? Failure, double? Advantage, int PolicyVersion, IReadOnlyList<int>? PromptIds, IReadOnlyList<int>? CompletionIds, IReadOnlyList<float>? LogProbs,
    bool IsTruncated = false);

/// <summary>The JSON of pages and of run directories. Generated, so that it needs no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = false,
    Converters = [typeof(CamelCase<RolloutOutcome>), typeof(CamelCase<StopReason>), typeof(CamelCase<PreflightSeverity>)])]
[JsonSerializable(typeof(HelloMessage))]
[JsonSerializable(typeof(StartedMessage))]
[JsonSerializable(typeof(StepMessage))]
[JsonSerializable(typeof(ValidationMessage))]
[JsonSerializable(typeof(NoteMessage))]
[JsonSerializable(typeof(RollbackMessage))]
[JsonSerializable(typeof(SavedMessage))]
[JsonSerializable(typeof(FinishedMessage))]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(PreflightReport))]
[JsonSerializable(typeof(StepList))]
[JsonSerializable(typeof(StepRollouts))]
[JsonSerializable(typeof(RolloutView))]
[JsonSerializable(typeof(AnswerPage))]
[JsonSerializable(typeof(StoredLine))]
[JsonSerializable(typeof(StoredRollout))]
internal sealed partial class DashboardJson : JsonSerializerContext;

/// <summary>Enum members as camel-case text.</summary>
internal sealed class CamelCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase)
    where T : struct, Enum;
