using System.Collections.Immutable;
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

    /// <summary>Ends the search after so many scored candidates in a row without a better one.</summary>
    /// <value>Null by default: the search takes its whole way.</value>
    public int? Patience
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(Patience)); field = value; }
    }

    /// <summary>
    /// Runs that throw (the program or the metric; unreadable answers do not count) at which a wave of runs, e.g. the scoring of a candidate, ends the
    /// search with <see cref="StopReason.TooManyErrors"/>. Each of them scores <see cref="FailureScore"/> otherwise.
    /// </summary>
    /// <value>Null by default: no limit. A harvest of demos is given up with an error at this number of failed runs, at 10 when it is null.</value>
    public int? MaxErrors
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(MaxErrors)); field = value; }
    }

    /// <summary>
    /// Predictors that stay as they are, by path; the path of a module freezes all of its predictors, and the tools of a frozen agent stay as they are.
    /// </summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<string> Frozen { get; init; } = [];

    /// <summary>Requests that a run of the program makes, for estimates and for what is set aside for a test set: an agent makes many.</summary>
    /// <value>The number of predictors when null.</value>
    public int? CallsPerRun
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(CallsPerRun)); field = value; }
    }

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
    internal virtual string Describe() => FormattableString.Invariant($"seed={Seed}; failure={FailureScore}; perfect={PerfectScore}; target={TargetScore}")
        + (Patience is null ? string.Empty : FormattableString.Invariant($"; patience={Patience}"))
        + (Frozen.IsDefaultOrEmpty ? string.Empty : $"; frozen={string.Join(',', Frozen.Order(StringComparer.Ordinal))}");

    /// <summary>True for a predictor that the search leaves alone.</summary>
    internal bool IsFrozen(string path) => !Frozen.IsDefaultOrEmpty && Frozen.Any(frozen => Covers(frozen, path));

    /// <summary>The predictors of a program that the search may change, in declaration order.</summary>
    internal ImmutableArray<KeyValuePair<string, Signature>> OpenIn<TIn, TOut>(Program<TIn, TOut> program) =>
        [.. program.Predictors.Where(entry => !IsFrozen(entry.Key))];

    /// <summary>True when a frozen path is that of a predictor, or of a module that it is in.</summary>
    internal static bool Covers(string frozen, string path) =>
        path == frozen || (path.Length > frozen.Length && path[frozen.Length] == '.' && path.StartsWith(frozen, StringComparison.Ordinal));
}
