using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>An evaluation in the log of <see cref="MiproV2{TIn,TOut}"/>.</summary>
/// <param name="Number">Its number; 1 is the program as it came.</param>
/// <param name="Choices">What was chosen, e.g. <c>answer.instructions</c>: 2, <c>answer.demos</c>: 0. Empty for the program as it came when no choice is equal to it.</param>
/// <param name="Score">Mean score.</param>
/// <param name="Examples">Examples that it is over.</param>
/// <param name="IsFull">True when these are the whole selection set.</param>
public sealed record TrialScored(int Number, ImmutableSortedDictionary<string, int> Choices, double Score, int Examples, bool IsFull) : OptimizerEvent
{
    /// <summary>Examples that all evaluations so far are over. Fewer runs were made where a candidate met an example again.</summary>
    public long ExamplesSoFar { get; init; }
}

/// <summary>A combination of instructions and demos that was tried.</summary>
internal sealed class MiproPoint<TIn, TOut>(ImmutableArray<int> choices, SearchCandidate<TIn, TOut> candidate)
{
    public ImmutableArray<int> Choices => choices;

    public SearchCandidate<TIn, TOut> Candidate => candidate;

    public double Sum { get; set; }

    public int Examples { get; set; }

    public double Mean => Sum / Examples;

    public bool IsFull { get; set; }
}
