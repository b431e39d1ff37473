using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone.Optimizers;

/// <summary>The result of <see cref="MiproV2{TIn,TOut}"/> with the log of its search.</summary>
public sealed record MiproV2Result<TIn, TOut> : OptimizationResult<TIn, TOut>
{
    [SetsRequiredMembers]
    internal MiproV2Result(OptimizationResult<TIn, TOut> result) : base(result)
    {
    }

    /// <summary>Every evaluation in order, those on a part of the selection set included; the first one is the program as it came.</summary>
    public ImmutableArray<TrialScored> Trials { get; init; } = [];

    /// <summary>What the choices of instructions stand for, by predictor: choice 0 is the predictor's own.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Instructions { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;
}
