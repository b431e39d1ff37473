using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>How a model is asked: sampling and limits. Null leaves the choice to the next level, finally to the provider.</summary>
public sealed record CallOptions
{
    /// <summary>Sampling temperature; 0 is greedy.</summary>
    public float? Temperature { get; init; }

    /// <summary>Nucleus sampling: smallest probability mass kept, from 0 to 1.</summary>
    public float? TopP { get; init; }

    /// <summary>Number of most likely tokens kept.</summary>
    public int? TopK { get; init; }

    /// <summary>Most tokens of one completion.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Texts at which generation ends.</summary>
    public ImmutableArray<string> StopSequences { get; init; } = [];

    /// <summary>Every choice of <paramref name="over"/> where it has one, else of this.</summary>
    public CallOptions Overlay(CallOptions? over) => over is null ? this : new()
    {
        Temperature = over.Temperature ?? Temperature,
        TopP = over.TopP ?? TopP,
        TopK = over.TopK ?? TopK,
        MaxOutputTokens = over.MaxOutputTokens ?? MaxOutputTokens,
        StopSequences = over.StopSequences.IsDefaultOrEmpty ? StopSequences : over.StopSequences,
    };

    /// <summary>Structural equality.</summary>
    public bool Equals(CallOptions? other) => other is not null
        && (Temperature, TopP, TopK, MaxOutputTokens) == (other.Temperature, other.TopP, other.TopK, other.MaxOutputTokens)
        && StopSequences.SequenceEqual(other.StopSequences);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Temperature, TopP, TopK, MaxOutputTokens, StopSequences.Length);

    internal ChatOptions ToChatOptions(long? seed) => new()
    {
        Temperature = Temperature,
        TopP = TopP,
        TopK = TopK,
        MaxOutputTokens = MaxOutputTokens,
        StopSequences = StopSequences.IsDefaultOrEmpty ? null : [.. StopSequences],
        Seed = seed,
    };
}
