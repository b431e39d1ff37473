using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>One program state that a search has looked at.</summary>
/// <param name="Index">Its number in the run; 0 is the program as it came.</param>
/// <param name="State">Instructions, demos, descriptions.</param>
/// <param name="Origin">How it was made, in words, e.g. <c>bootstrap, seed 3</c>.</param>
public sealed record OptimizationCandidate(int Index, ProgramState State, string Origin)
{
    /// <summary>Numbers of the candidates that it was made from.</summary>
    public ImmutableArray<int> Parents { get; init; } = [];

    /// <summary>Mean on the selection set; null when it was not scored there in full.</summary>
    public double? Score { get; init; }

    /// <summary>Score by example of the selection set; empty when it was not scored there in full.</summary>
    public ImmutableArray<double> Scores { get; init; } = [];

    /// <summary>Means of the score's named parts.</summary>
    public ImmutableSortedDictionary<string, double> Parts { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>What its author noted: a seed, choices, a depth.</summary>
    public ImmutableSortedDictionary<string, string> Notes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Runs of the program that the search had made when it was scored, its own included.</summary>
    public long ProgramRunsBy { get; init; }

    /// <summary>What its scoring cost.</summary>
    public Usage Usage { get; init; }
}
