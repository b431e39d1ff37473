using System.Collections.Immutable;

namespace Hone;

/// <summary>
/// What an optimizer may change about one tool: the words that a model reads. Null or missing means: as the tool says of itself. The shape of its
/// arguments is never touched.
/// </summary>
public sealed record ToolText
{
    /// <summary>A tool as it says of itself.</summary>
    public static ToolText Default { get; } = new();

    /// <summary>The name that models call; letters, digits, <c>_</c> and <c>-</c>, at most 64 of them.</summary>
    public string? Name { get; init; }

    /// <summary>What the tool does and when to use it.</summary>
    public string? Description { get; init; }

    /// <summary>Descriptions by argument name.</summary>
    public ImmutableDictionary<string, string> Arguments { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Structural equality.</summary>
    public bool Equals(ToolText? other) => other is not null
        && Name == other.Name
        && Description == other.Description
        && Arguments.Count == other.Arguments.Count
        && Arguments.All(entry => other.Arguments.TryGetValue(entry.Key, out var text) && text == entry.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Description, Arguments.Count);
}
