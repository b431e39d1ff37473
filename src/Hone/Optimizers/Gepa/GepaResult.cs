using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone.Optimizers;

/// <summary>The result of GEPA with what its search has found on the way.</summary>
public sealed record GepaResult<TIn, TOut> : OptimizationResult<TIn, TOut>
{
    [SetsRequiredMembers]
    internal GepaResult(OptimizationResult<TIn, TOut> result) : base(result)
    {
    }

    /// <summary>Evaluations of an example that the search has asked for, known ones included.</summary>
    public long MetricCalls { get; init; }

    /// <summary>Iterations begun.</summary>
    public int Iterations { get; init; }

    /// <summary>New texts that were tried, merges included.</summary>
    public int Proposals { get; init; }

    /// <summary>Evaluations asked for when a candidate was found, before its own on the validation set; 0 for the program as it came.</summary>
    public ImmutableArray<long> DiscoveredAt { get; init; } = [];

    /// <summary>For each validation example, the candidates with the best score.</summary>
    public ImmutableArray<ImmutableArray<int>> BestByExample { get; init; } = [];

    /// <summary>For each validation example, the best score.</summary>
    public ImmutableArray<double> HighestScores { get; init; } = [];

    /// <summary>For each objective, the candidates with the best mean.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<int>> BestByObjective { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<int>>.Empty;

    /// <summary>For each objective, the best mean. Each is best on its own: no candidate needs to have them all.</summary>
    public ImmutableSortedDictionary<string, double> ObjectiveFront { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>For each validation example, the outputs with the best score; empty unless they were tracked.</summary>
    public ImmutableArray<ImmutableArray<BestOutput>> BestOutputs { get; init; } = [];
}

/// <summary>An output with the best score of its example.</summary>
/// <param name="Candidate">The candidate that gave it.</param>
/// <param name="Score">The score.</param>
/// <param name="Output">The output as text.</param>
public sealed record BestOutput(int Candidate, double Score, string Output);
