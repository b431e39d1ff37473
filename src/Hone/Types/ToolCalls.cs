using System.Collections.Immutable;

namespace Hone;

/// <summary>A request of the model to run a tool.</summary>
/// <param name="Name">Name of the tool.</param>
/// <param name="Arguments">Values by parameter name.</param>
public sealed record ToolCall(string Name, FieldMap Arguments)
{
    /// <summary>The provider's id of the call; null where the calls are text.</summary>
    public string? Id { get; init; }

    /// <summary>What the model wrote in place of a JSON object, where that is known; null when it wrote one.</summary>
    public string? RawArguments { get; init; }

    /// <summary>Why the arguments could not be read, not even mended; null when they could. Such a call is not run: the model is told of the error.</summary>
    public string? Error { get; init; }
}

/// <summary>The tools that the model wants to run.</summary>
/// <param name="Calls">In the order asked for.</param>
public sealed record ToolCalls(ImmutableArray<ToolCall> Calls)
{
    /// <summary>No call.</summary>
    public static ToolCalls Empty { get; } = new([]);

    /// <summary>Structural equality.</summary>
    public bool Equals(ToolCalls? other) => other is not null && Calls.SequenceEqual(other.Calls);

    /// <inheritdoc/>
    public override int GetHashCode() => Calls.Aggregate(0, HashCode.Combine);
}

/// <summary>What a tool gave back.</summary>
/// <param name="CallId">Id of the call; null where the calls are text.</param>
/// <param name="Name">Name of the tool.</param>
/// <param name="Value">The result, or what went wrong.</param>
/// <param name="IsError">True when the tool failed.</param>
public sealed record ToolResult(string? CallId, string Name, object? Value, bool IsError = false)
{
    /// <summary>Structural equality, lists compared item by item.</summary>
    public bool Equals(ToolResult? other) => other is not null
        && CallId == other.CallId
        && Name == other.Name
        && IsError == other.IsError
        && FieldMap.ValuesEqual(Value, other.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(CallId, Name, IsError);
}

/// <summary>What the tools gave back.</summary>
/// <param name="Results">In the order of the calls.</param>
public sealed record ToolResults(ImmutableArray<ToolResult> Results)
{
    /// <summary>No result.</summary>
    public static ToolResults Empty { get; } = new([]);

    /// <summary>Structural equality.</summary>
    public bool Equals(ToolResults? other) => other is not null && Results.SequenceEqual(other.Results);

    /// <inheritdoc/>
    public override int GetHashCode() => Results.Aggregate(0, HashCode.Combine);
}
