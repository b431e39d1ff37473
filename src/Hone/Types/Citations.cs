using System.Collections.Immutable;

namespace Hone;

/// <summary>A passage of a document that supports an answer.</summary>
/// <param name="CitedText">The passage, word for word.</param>
/// <param name="DocumentIndex">Which of the documents, counted from 0.</param>
/// <param name="StartCharIndex">Where the passage starts in the document's text.</param>
/// <param name="EndCharIndex">Where it ends, exclusive.</param>
public sealed record Citation(string CitedText, int DocumentIndex = 0, int StartCharIndex = 0, int EndCharIndex = 0)
{
    /// <summary>Title of the document.</summary>
    public string? DocumentTitle { get; init; }

    /// <summary>The part of the answer that the passage supports.</summary>
    public string? SupportedText { get; init; }
}

/// <summary>The passages that support an answer.</summary>
/// <param name="Items">In the order of the answer.</param>
public sealed record Citations(ImmutableArray<Citation> Items)
{
    /// <summary>No passage.</summary>
    public static Citations Empty { get; } = new([]);

    /// <summary>Structural equality.</summary>
    public bool Equals(Citations? other) => other is not null && Items.SequenceEqual(other.Items);

    /// <inheritdoc/>
    public override int GetHashCode() => Items.Aggregate(0, HashCode.Combine);
}
