using System.Collections.Immutable;

namespace Hone;

/// <summary>A token that a model wrote, or might have written, with how likely it was.</summary>
/// <param name="Text">The token's text; a part of a character shows as the replacement character.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public sealed record TokenLogProb(string Text, double LogProb)
{
    /// <summary>The most likely tokens at this place, the best first, where the model was asked for them.</summary>
    public ImmutableArray<TokenLogProb> Alternatives { get; init; } = [];

    /// <summary>True when both have the same text, probability and alternatives.</summary>
    public bool Equals(TokenLogProb? other) => ReferenceEquals(this, other)
        || (other is not null && Text == other.Text && LogProb.Equals(other.LogProb) && Alternatives.SequenceEqual(other.Alternatives));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Text, LogProb, Alternatives.Length);
}
