using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>A parent and a minibatch, and what comes of them in an iteration.</summary>
/// <param name="Number">Its place in the iteration.</param>
/// <param name="Parent">The candidate that may be changed.</param>
/// <param name="Examples">Positions of training examples.</param>
internal sealed record GepaTask(int Number, int Parent, int[] Examples)
{
    /// <summary>Equal for tasks that run the same program on the same examples.</summary>
    public string PairKey => $"{Parent}|{string.Join(',', Examples.Order())}";

    /// <summary>The parent's runs.</summary>
    public RunRecord[] Before { get; set; } = [];

    /// <summary>What reflection looks at, a text each.</summary>
    public ImmutableArray<ReflectionData> Data { get; set; } = [];

    /// <summary>New texts by component; null when the proposal failed.</summary>
    public IReadOnlyDictionary<string, string>? Proposed { get; set; }
}

/// <summary>A changed candidate.</summary>
/// <param name="Task">Where it comes from.</param>
/// <param name="Candidate">The program under its new state.</param>
/// <param name="Texts">All its texts.</param>
internal sealed record GepaChild<TIn, TOut>(GepaTask Task, SearchCandidate<TIn, TOut> Candidate, ImmutableArray<string> Texts)
{
    /// <summary>Its scores beside the parent's.</summary>
    public ProposalScores? Scores { get; set; }

    /// <summary>Why it is no candidate; null while it is.</summary>
    public string? Rejection { get; set; }
}
