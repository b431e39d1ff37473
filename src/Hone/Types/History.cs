using System.Collections.Immutable;

namespace Hone;

/// <summary>A conversation so far: earlier turns, each holding inputs and outputs by field name. An adapter renders it as messages.</summary>
public sealed class History : IEquatable<History>
{
    private History(ImmutableArray<FieldMap> turns) => Turns = turns;

    /// <summary>The conversation without turns.</summary>
    public static History Empty { get; } = new([]);

    /// <summary>The turns, oldest first.</summary>
    public ImmutableArray<FieldMap> Turns { get; }

    /// <summary>A conversation of the given turns, oldest first.</summary>
    public static History Of(params IEnumerable<FieldMap> turns) => new([.. turns]);

    /// <summary>This conversation with one more turn.</summary>
    public History Add(FieldMap turn) => new(Turns.Add(turn));

    /// <summary>True when both hold equal turns in the same order.</summary>
    public bool Equals(History? other) => other is not null && Turns.SequenceEqual(other.Turns);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as History);

    /// <inheritdoc/>
    public override int GetHashCode() => Turns.Aggregate(0, HashCode.Combine);
}
