using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Something that happened in the run of an optimizer of prompts.</summary>
public abstract record OptimizerEvent;

/// <summary>The run begins, or goes on after an interruption.</summary>
/// <param name="Optimizer">The optimizer's name.</param>
/// <param name="Settings">What it was set to, as text.</param>
/// <param name="Estimate">What the whole run will cost at most.</param>
public sealed record OptimizerStarted(string Optimizer, string Settings, OptimizationEstimate Estimate) : OptimizerEvent
{
    /// <summary>Where the run is kept; null for one in memory.</summary>
    public string? RunDirectory { get; init; }

    /// <summary>Units of work that an interrupted run had finished.</summary>
    public int JournaledUnits { get; init; }

    /// <summary>Examples to learn from.</summary>
    public int TrainCount { get; init; }

    /// <summary>Examples that choose; 0 without a validation set.</summary>
    public int ValidationCount { get; init; }
}

/// <summary>A part of the search begins.</summary>
/// <param name="Name">What is done, in words.</param>
public sealed record OptimizerPhaseStarted(string Name) : OptimizerEvent;

/// <summary>Work of a phase is coming in. For live displays; trackers do not get it.</summary>
/// <param name="Phase">What is done.</param>
/// <param name="Completed">Units done.</param>
/// <param name="Total">Units in all.</param>
public sealed record OptimizerProgress(string Phase, int Completed, int Total) : OptimizerEvent;

/// <summary>A candidate was scored on the whole selection set.</summary>
/// <param name="Candidate">The candidate.</param>
/// <param name="IsBest">True when it is the best so far.</param>
public sealed record CandidateScored(OptimizationCandidate Candidate, bool IsBest) : OptimizerEvent;

/// <summary>A candidate was scored on a part of a set.</summary>
/// <param name="Origin">Where it comes from.</param>
/// <param name="Score">Mean over the part.</param>
/// <param name="Examples">Examples in the part.</param>
public sealed record CandidateSampled(string Origin, double Score, int Examples) : OptimizerEvent;

/// <summary>A model proposed a text.</summary>
/// <param name="Component">What the text is for, e.g. a predictor's path.</param>
/// <param name="Text">The text; null when the proposal failed.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
public sealed record TextProposed(string Component, string? Text, string? Error = null) : OptimizerEvent;

/// <summary>A proposal became a candidate, or not.</summary>
/// <param name="Origin">Where it comes from.</param>
/// <param name="IsAccepted">Whether it became one.</param>
/// <param name="Before">Score of what it was made from, on the same examples.</param>
/// <param name="After">Its score.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record ProposalJudged(string Origin, bool IsAccepted, double Before, double After, string Reason) : OptimizerEvent;

/// <summary>Which candidates are best at something has changed.</summary>
/// <param name="Front">Candidates by what they are best at: an example, an objective.</param>
public sealed record ParetoFrontChanged(ImmutableSortedDictionary<string, ImmutableArray<int>> Front) : OptimizerEvent;

/// <summary>What was spent so far; told after each wave of work.</summary>
/// <param name="ProgramRuns">Runs of the program.</param>
/// <param name="UsageByRole">Calls, tokens and money by role.</param>
public sealed record OptimizerSpent(long ProgramRuns, ImmutableSortedDictionary<string, Usage> UsageByRole) : OptimizerEvent;

/// <summary>Something that the user should know of, in plain words.</summary>
/// <param name="Message">The message.</param>
public sealed record OptimizerWarning(string Message) : OptimizerEvent;

/// <summary>The run has ended. The last event.</summary>
/// <param name="Reason">Why.</param>
/// <param name="BestIndex">The candidate that was chosen.</param>
/// <param name="Verdict">What the comparison with the program as it came shows.</param>
public sealed record OptimizerFinished(StopReason Reason, int BestIndex, string Verdict) : OptimizerEvent
{
    /// <summary>Why the run ended early; null when no error ended it.</summary>
    public string? Error { get; init; }

    /// <summary>All candidates.</summary>
    public ImmutableArray<OptimizationCandidate> Candidates { get; init; } = [];
}

/// <summary>What a run will cost at most, before it starts.</summary>
/// <param name="ProgramRuns">Runs of the program on an example, those of teachers and on the test set included.</param>
/// <param name="ProposalCalls">Requests to the models that write texts.</param>
/// <param name="CallsPerRun">Requests that one run makes: its predictors, unless <see cref="OptimizerOptions.CallsPerRun"/> says otherwise.</param>
public sealed record OptimizationEstimate(long ProgramRuns, long ProposalCalls, int CallsPerRun)
{
    /// <summary>Those of the runs that the test set takes.</summary>
    public long TestRuns { get; init; }

    /// <summary>Requests by the role of the models, when every run makes <see cref="CallsPerRun"/> and every answer can be read.</summary>
    public ImmutableSortedDictionary<string, long> CallsByRole { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Requests in all, under the same conditions.</summary>
    public long Calls => (ProgramRuns * CallsPerRun) + ProposalCalls;

    /// <summary>The figures in words.</summary>
    public override string ToString() => FormattableString.Invariant($"at most {ProgramRuns} runs of the program and {ProposalCalls} proposals: about {Calls} calls")
        + (CallsByRole.Count > 1 ? $" ({string.Join(", ", CallsByRole.Select(role => FormattableString.Invariant($"{role.Key} {role.Value}")))})" : string.Empty);
}
