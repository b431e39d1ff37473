using Microsoft.Extensions.Logging;

namespace Hone.Optimizers;

/// <summary>What all optimizers of prompts have in common. Results do not depend on <see cref="MaxParallelism"/>.</summary>
public abstract record OptimizerOptions
{
    private protected OptimizerOptions()
    {
    }

    /// <summary>Seed of everything that is random.</summary>
    /// <value>0 by default.</value>
    public long Seed { get; init; }

    /// <summary>How many program runs and proposals are under way at once, in the whole run.</summary>
    /// <value>8 by default.</value>
    public int MaxParallelism
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxParallelism)); field = value; }
    } = 8;

    /// <summary>Score of a run that failed: the program threw, or the metric did.</summary>
    /// <value>0 by default.</value>
    public double FailureScore { get; init; }

    /// <summary>The highest score that an example can have; with it everywhere, the search ends.</summary>
    /// <value>1 by default; null when there is none.</value>
    public double? PerfectScore { get; init; } = 1;

    /// <summary>Ends the search as soon as a candidate's mean reaches it.</summary>
    public double? TargetScore { get; init; }

    /// <summary>What the run may spend.</summary>
    public OptimizationBudget Budget { get; init; } = new();

    /// <summary>How often a run or proposal is made again after an outage of its model, beside the model's own retries.</summary>
    /// <value>2 by default.</value>
    public int OutageRetries
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(OutageRetries)); field = value; }
    } = 2;

    /// <summary>The wait before the first of them; each further wait is twice as long.</summary>
    /// <value>5 seconds by default.</value>
    public TimeSpan OutageDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many proposals in a row may fail before the run ends with <see cref="StopReason.Outage"/>.</summary>
    /// <value>5 by default.</value>
    public int MaxFailedProposals
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxFailedProposals)); field = value; }
    } = 5;

    /// <summary>Where the run is kept: <c>run.json</c>, <c>journal.jsonl</c>, candidates, report. Null keeps it in memory, without resuming.</summary>
    public string? RunDirectory { get; init; }

    /// <summary>Continues the run in <see cref="RunDirectory"/>: nothing that it has paid for is paid again. Starts it when there is none.</summary>
    public bool Resume { get; init; }

    /// <summary>Told what happens, in order.</summary>
    public IProgress<OptimizerEvent>? Progress { get; init; }

    /// <summary>Further listeners: logs, experiment trackers. What they throw is logged and does not disturb the run.</summary>
    public IReadOnlyList<IOptimizationTracker> Trackers { get; init; } = [];

    /// <summary>Where warnings go; null logs nothing.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>When cancelled, what is under way is dropped and the best so far is returned. So does a file named <c>stop</c> in the run directory.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Pauses the run or ends it; null when nobody takes part.</summary>
    public RunControl? Control { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Checks what depends on several options; each message names the option.</summary>
    internal virtual void Validate()
    {
        if (Resume && RunDirectory is null)
            throw new HoneException("Resume needs a RunDirectory.");
        if (Budget.MaxSampledTokens is not null || Budget.MaxExternalCalls is not null)
            throw new HoneException("MaxSampledTokens and MaxExternalCalls are limits of reinforcement learning. Use MaxTokens and MaxCalls here.");
    }

    /// <summary>Everything that changes what the search does, as text: the identity of a run. Budgets, parallelism and listeners are no part of it.</summary>
    internal virtual string Describe() => FormattableString.Invariant($"seed={Seed}; failure={FailureScore}; perfect={PerfectScore}; target={TargetScore}");
}
