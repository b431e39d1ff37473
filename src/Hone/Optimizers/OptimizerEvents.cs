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

    /// <summary>What the predictors of the program as it came are told, by path.</summary>
    public ImmutableSortedDictionary<string, string> Instructions { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>A part of the search begins.</summary>
/// <param name="Name">What is done, in words.</param>
public sealed record OptimizerPhaseStarted(string Name) : OptimizerEvent;

/// <summary>What a wave of work consists of.</summary>
public enum WorkKind
{
    /// <summary>Runs of programs on examples, with their scores.</summary>
    Runs,

    /// <summary>Requests for texts, descriptions or embeddings.</summary>
    Requests,
}

/// <summary>A wave of work begins; <see cref="OptimizerSpent"/> follows when it cost something.</summary>
/// <param name="Phase">What is done, in words.</param>
/// <param name="Kind">What it consists of.</param>
/// <param name="Units">How many units of it were asked for.</param>
/// <param name="Known">Those of them that are known already, from this search or from the journal, and cost nothing.</param>
public sealed record WorkStarted(string Phase, WorkKind Kind, int Units, int Known) : OptimizerEvent;

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
public sealed record ParetoFrontChanged(ImmutableSortedDictionary<string, ImmutableArray<int>> Front) : OptimizerEvent
{
    /// <summary>Candidates that were best at something before and are at nothing now.</summary>
    public ImmutableArray<int> Displaced { get; init; } = [];
}

/// <summary>What was spent so far; told after each wave of work.</summary>
/// <param name="ProgramRuns">Runs of the program.</param>
/// <param name="UsageByRole">Calls, tokens and money by role.</param>
public sealed record OptimizerSpent(long ProgramRuns, ImmutableSortedDictionary<string, Usage> UsageByRole) : OptimizerEvent
{
    /// <summary>Runs of the program since this was told before.</summary>
    public long NewProgramRuns { get; init; }

    /// <summary>Calls, tokens and money since then, over all roles.</summary>
    public Usage NewUsage { get; init; }

    /// <summary>Runs of the program that the budget still allows; null without such a limit.</summary>
    public long? RunsLeft { get; init; }

    /// <summary>Calls that it still allows, the least of all roles; null without such a limit.</summary>
    public long? CallsLeft { get; init; }

    /// <summary>Tokens that it still allows; null without such a limit.</summary>
    public long? TokensLeft { get; init; }

    /// <summary>Money that it still allows; null without such a limit.</summary>
    public decimal? CostLeft { get; init; }
}

/// <summary>A wave of work is in the run directory, forced onto the disk.</summary>
/// <param name="Directory">The run directory.</param>
/// <param name="Units">Units of work that the search knows by now.</param>
public sealed record RunSaved(string Directory, int Units) : OptimizerEvent;

/// <summary>Something that the user should know of, in plain words.</summary>
/// <param name="Message">The message.</param>
public sealed record OptimizerWarning(string Message) : OptimizerEvent;

/// <summary>The run is given up: there is no result. The last event. Errors that the run goes on after are warnings.</summary>
/// <param name="Error">Why.</param>
/// <param name="IsCancelled">True when the caller abandoned it.</param>
public sealed record OptimizerFailed(string Error, bool IsCancelled) : OptimizerEvent;

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
