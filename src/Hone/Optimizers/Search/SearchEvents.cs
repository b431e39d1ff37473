using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone.Optimizers;

/// <summary>Tells listeners what happens in a run, in order.</summary>
internal sealed class SearchEvents(OptimizerOptions options)
{
    private readonly Lock gate = new();
    private readonly Queue<OptimizerEvent> waiting = new();
    private readonly List<string> warnings = [];
    private (long Runs, Usage Usage) told;

    /// <summary>What the user should know of.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (gate)
                return [.. warnings];
        }
    }

    public void Tell(OptimizerEvent happened)
    {
        lock (gate)
        {
            if (options.Trackers.Count > 0)
                waiting.Enqueue(happened);
            if (happened is OptimizerWarning warning)
                warnings.Add(warning.Message);
        }

        if (happened is OptimizerWarning { Message: var message })
            SearchLog.Warning(options.Logger ?? NullLogger.Instance, message);
        Report(happened);
    }

    /// <summary>Tells the live listener alone. What it throws is logged: a listener does not disturb the run.</summary>
    public void Report(OptimizerEvent happened)
    {
        try
        {
            options.Progress?.Report(happened);
        }
        catch (Exception error)
        {
            SearchLog.ListenerFailed(options.Logger ?? NullLogger.Instance, happened.GetType().Name, error);
        }
    }

    public void Warn(string message) => Tell(new OptimizerWarning(message));

    /// <summary>Says what was spent so far, since the last time, and what is left.</summary>
    public void TellSpent(long runs, ImmutableSortedDictionary<string, Usage> usageByRole, long? runsLeft, RunCallBudget? calls)
    {
        var usage = usageByRole.Values.Aggregate(default(Usage), (sum, role) => sum + role);
        var left = calls?.All.Select(budget => budget.Left()).ToArray() ?? [];
        Tell(new OptimizerSpent(runs, usageByRole)
        {
            NewProgramRuns = runs - told.Runs,
            NewUsage = new(usage.Calls - told.Usage.Calls, usage.InputTokens - told.Usage.InputTokens, usage.OutputTokens - told.Usage.OutputTokens)
            {
                CachedInputTokens = usage.CachedInputTokens - told.Usage.CachedInputTokens,
                ReasoningTokens = usage.ReasoningTokens - told.Usage.ReasoningTokens,
                Cost = usage.Cost - told.Usage.Cost,
            },
            RunsLeft = runsLeft,
            CallsLeft = left.Min(budget => budget.Calls),
            TokensLeft = left.Min(budget => budget.Tokens),
            CostLeft = left.Min(budget => budget.Money),
        });
        told = (runs, usage);
    }

    /// <summary>Hands the trackers what they have not had yet.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        while (Next() is { } happened)
        {
            foreach (var tracker in options.Trackers)
            {
                try
                {
                    await tracker.RecordAsync(happened, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception error) when (!cancellationToken.IsCancellationRequested)
                {
                    SearchLog.TrackerFailed(options.Logger ?? NullLogger.Instance, tracker.GetType().Name, error);
                }
            }
        }
    }

    private OptimizerEvent? Next()
    {
        lock (gate)
            return waiting.TryDequeue(out var happened) ? happened : null;
    }
}

internal static partial class SearchLog
{
    [LoggerMessage(LogLevel.Warning, "{Message}")]
    public static partial void Warning(ILogger logger, string message);

    [LoggerMessage(LogLevel.Warning, "The tracker {Tracker} failed; the run goes on.")]
    public static partial void TrackerFailed(ILogger logger, string tracker, Exception error);

    [LoggerMessage(LogLevel.Warning, "The listener failed at {Happened}; the run goes on.")]
    public static partial void ListenerFailed(ILogger logger, string happened, Exception error);
}
