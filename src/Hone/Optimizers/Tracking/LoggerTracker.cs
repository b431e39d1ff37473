using Microsoft.Extensions.Logging;

namespace Hone.Optimizers;

/// <summary>Writes what happens in optimizer runs to a logger: a line an event.</summary>
public sealed class LoggerTracker : IOptimizationTracker
{
    private readonly ILogger logger;

    /// <summary>Creates the tracker.</summary>
    public LoggerTracker(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        this.logger = logger;
    }

    /// <inheritdoc/>
    public ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default)
    {
        switch (happened)
        {
            case OptimizerStarted started:
                TrackerLog.Started(logger, started.Optimizer, started.Settings, $"{started.Estimate}");
                break;
            case OptimizerPhaseStarted phase:
                TrackerLog.Phase(logger, phase.Name);
                break;
            case CandidateScored scored:
                TrackerLog.Scored(logger, scored.Candidate.Index, scored.Candidate.Origin, scored.Candidate.Score, scored.IsBest ? ", the best so far" : "");
                break;
            case CandidateSampled sampled:
                TrackerLog.Sampled(logger, sampled.Origin, sampled.Score, sampled.Examples);
                break;
            case ProposalJudged judged:
                TrackerLog.Judged(logger, judged.Origin, judged.IsAccepted ? "accepted" : "rejected", judged.Before, judged.After, judged.Reason);
                break;
            case TextProposed { Error: { } error } failed:
                TrackerLog.ProposalFailed(logger, failed.Component, error);
                break;
            case TextProposed proposed:
                TrackerLog.Proposed(logger, proposed.Component, proposed.Text!);
                break;
            case OptimizerSpent spent:
                TrackerLog.Spent(logger, spent.ProgramRuns, spent.UsageByRole.Values.Sum(usage => usage.Calls), spent.UsageByRole.Values.Sum(usage => usage.TotalTokens));
                break;
            case OptimizerWarning:
                break; // the run's own logger has it
            case OptimizerFailed failed:
                TrackerLog.Failed(logger, failed.Error);
                break;
            case OptimizerFinished finished:
                TrackerLog.Finished(logger, finished.Reason, finished.BestIndex, finished.Verdict);
                break;
            default:
                TrackerLog.Other(logger, happened.GetType().Name, $"{happened}");
                break;
        }

        return ValueTask.CompletedTask;
    }
}

internal static partial class TrackerLog
{
    [LoggerMessage(LogLevel.Information, "{Optimizer} begins ({Settings}): {Estimate}")]
    public static partial void Started(ILogger logger, string optimizer, string settings, string estimate);

    [LoggerMessage(LogLevel.Information, "{Phase}")]
    public static partial void Phase(ILogger logger, string phase);

    [LoggerMessage(LogLevel.Information, "Candidate {Index} ({Origin}) scores {Score:0.000}{Best}")]
    public static partial void Scored(ILogger logger, int index, string origin, double? score, string best);

    [LoggerMessage(LogLevel.Debug, "{Origin} scores {Score:0.000} on {Examples} examples")]
    public static partial void Sampled(ILogger logger, string origin, double score, int examples);

    [LoggerMessage(LogLevel.Information, "{Origin} {Outcome}: {Before:0.000} before, {After:0.000} after, {Reason}")]
    public static partial void Judged(ILogger logger, string origin, string outcome, double before, double after, string reason);

    [LoggerMessage(LogLevel.Debug, "Proposed for {Component}: {Text}")]
    public static partial void Proposed(ILogger logger, string component, string text);

    [LoggerMessage(LogLevel.Warning, "The proposal for {Component} failed: {Error}")]
    public static partial void ProposalFailed(ILogger logger, string component, string error);

    [LoggerMessage(LogLevel.Debug, "Spent: {Runs} program runs, {Calls} calls, {Tokens} tokens")]
    public static partial void Spent(ILogger logger, long runs, long calls, long tokens);

    [LoggerMessage(LogLevel.Information, "Ended ({Reason}) with candidate {BestIndex}. {Verdict}")]
    public static partial void Finished(ILogger logger, StopReason reason, int bestIndex, string verdict);

    [LoggerMessage(LogLevel.Error, "Given up: {Error}")]
    public static partial void Failed(ILogger logger, string error);

    [LoggerMessage(LogLevel.Debug, "{Kind}: {Event}")]
    public static partial void Other(ILogger logger, string kind, string @event);
}
