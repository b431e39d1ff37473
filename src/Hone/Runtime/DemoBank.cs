using System.Collections.Immutable;

namespace Hone;

/// <summary>Training examples as demos, of which each call is shown those that are most like its input: state of a <c>KnnDemos</c> module.</summary>
public sealed record DemoBank
{
    /// <summary>How many examples a call takes into view, the most similar first.</summary>
    public required int Nearest { get; init; }

    /// <summary>Most harvested demos a predictor and call.</summary>
    public required int MaxBootstrapped { get; init; }

    /// <summary>Most demos a predictor and call in all: harvested ones first, then examples as they are.</summary>
    public required int MaxLabeled { get; init; }

    /// <summary>Names of the inputs that are compared, in the order of the text that is embedded: whatever order an input holds them in.</summary>
    public required ImmutableArray<string> Fields { get; init; }

    /// <summary>The examples, in the order of the training set; of equally similar ones the earlier is nearer.</summary>
    public required ImmutableArray<BankedExample> Examples { get; init; }

    /// <summary>Structural equality.</summary>
    public bool Equals(DemoBank? other) => ReferenceEquals(this, other) || (other is not null
        && (Nearest, MaxBootstrapped, MaxLabeled) == (other.Nearest, other.MaxBootstrapped, other.MaxLabeled)
        && Fields.SequenceEqual(other.Fields)
        && Examples.SequenceEqual(other.Examples));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Nearest, MaxBootstrapped, MaxLabeled, Fields.Length, Examples.Length);
}

/// <summary>A training example of a <see cref="DemoBank"/>. Predictors go by their path inside the module that holds the bank.</summary>
/// <param name="Vector">The embedding of its inputs, of length 1.</param>
/// <param name="Labeled">The example as it is, by predictor.</param>
public sealed record BankedExample(ImmutableArray<float> Vector, ImmutableSortedDictionary<string, Demo> Labeled)
{
    /// <summary>What predictors did in an accepted run of a teacher on it; empty when no run was accepted, null when none was made.</summary>
    public ImmutableSortedDictionary<string, Demo>? Harvested { get; init; }

    /// <summary>Structural equality.</summary>
    public bool Equals(BankedExample? other) => ReferenceEquals(this, other) || (other is not null
        && Vector.AsSpan().SequenceEqual(other.Vector.AsSpan())
        && Labeled.SequenceEqual(other.Labeled)
        && (Harvested is null ? other.Harvested is null : other.Harvested is not null && Harvested.SequenceEqual(other.Harvested)));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Vector.Length, Labeled.Count, Harvested?.Count);
}
