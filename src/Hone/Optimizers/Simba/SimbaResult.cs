using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone.Optimizers;

/// <summary>The result of <see cref="Simba{TIn,TOut}"/> with what its steps have found.</summary>
public sealed record SimbaResult<TIn, TOut> : OptimizationResult<TIn, TOut>
{
    [SetsRequiredMembers]
    internal SimbaResult(OptimizationResult<TIn, TOut> result) : base(result)
    {
    }

    /// <summary>The steps in order.</summary>
    public ImmutableArray<SimbaStep> Steps { get; init; } = [];
}

/// <summary>A step of <see cref="Simba{TIn,TOut}"/>.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Baseline">Mean of the program as it came on the step's examples.</param>
/// <param name="Contrasts">Examples whose samples did not score alike.</param>
public sealed record SimbaStep(int Number, double Baseline, int Contrasts)
{
    /// <summary>Means of the new candidates on the step's examples.</summary>
    public ImmutableArray<double> Candidates { get; init; } = [];

    /// <summary>Where the best of them came from; null when there was none.</summary>
    public string? Winner { get; init; }

    /// <summary>True when it was better than the program as it came.</summary>
    public bool IsBetter { get; init; }
}
