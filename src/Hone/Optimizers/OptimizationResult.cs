using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What an optimizer returns: the best program and the evidence for it.</summary>
public record OptimizationResult<TIn, TOut>
{
    /// <summary>The best program found; the one passed in when nothing beat it.</summary>
    public required Program<TIn, TOut> Program { get; init; }

    /// <summary>Validation score of the program as it came in; null without a validation set.</summary>
    public double? BaselineScore { get; init; }

    /// <summary>Validation score of the returned program; null without a validation set.</summary>
    public double? BestScore { get; init; }

    /// <summary>Both on the validation set, example by example; null without one.</summary>
    public PairedComparison? Comparison { get; init; }

    /// <summary>What the comparison shows, in one sentence; it says so when that is nothing, and when the run did not go to its end.</summary>
    public string Verdict => Comparison is not { } pair
        ? StopReason == StopReason.Completed
            ? "There was no validation set: nothing is known about the gain."
            : $"The run ended early ({StopReason}) and nothing was compared: nothing is known about the gain."
        : FormattableString.Invariant(
            $"{(pair.IsSignificant ? string.Empty : "No significant change: ")}{pair.Baseline:0.000} before, {pair.Candidate:0.000} after, a gain of {pair.Gain:+0.000;-0.000;0.000} with a paired 95 % interval of {pair.Interval.Low:+0.000;-0.000;0.000} to {pair.Interval.High:+0.000;-0.000;0.000}.{(IsBrokenOff ? $" The run ended early ({StopReason})." : string.Empty)}");

    private bool IsBrokenOff => StopReason is not (StopReason.Completed or StopReason.TargetReached or StopReason.NoImprovement);

    /// <summary>What the search looked at in full, in order; 0 is the program as it came. Reinforcement learning has none.</summary>
    public ImmutableArray<OptimizationCandidate> Candidates { get; init; } = [];

    /// <summary>Which of them was chosen.</summary>
    public int BestIndex { get; init; }

    /// <summary>The chosen program against the one that came, on examples that nothing was chosen by; null without a test set.</summary>
    public PairedComparison? Test { get; init; }

    /// <summary>Runs of the program on an example.</summary>
    public long ProgramRuns { get; init; }

    /// <summary>Runs that were under way when a process was killed: they count in budgets, and in nothing else.</summary>
    internal long LostRuns { get; init; }

    /// <summary>Calls, tokens and money by role, with what attempts had cost that an outage broke off. Answers from the cache cost nothing.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageByRole { get; init; } = ImmutableSortedDictionary<string, Usage>.Empty;

    /// <summary>What the user should know of, in plain words.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>Why the run ended early; null when nothing went wrong.</summary>
    public string? Error { get; init; }

    /// <summary>Why the run ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Time taken, over all resumptions.</summary>
    public required TimeSpan Duration { get; init; }
}
