using System.Collections.Immutable;

namespace Hone;

/// <summary>One message as a history keeps it: text, with placeholders for media.</summary>
/// <param name="Role">Who speaks, e.g. <c>user</c>.</param>
/// <param name="Text">What is said.</param>
public sealed record HistoryMessage(string Role, string Text)
{
    /// <summary>Tools that the message calls, each as <c>name: json</c>.</summary>
    public ImmutableArray<string> ToolCalls { get; init; } = [];
}

/// <summary>One call as a history keeps it. It holds no object of the call itself, and media by kind and size only.</summary>
public sealed record CallHistoryEntry
{
    /// <summary>When the call began.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>Path of the predictor that called; empty outside a program.</summary>
    public string Path { get; init; } = string.Empty;

    /// <summary>Which call of this predictor it was in the run, from 0.</summary>
    public int Ordinal { get; init; }

    /// <summary>What the call was for.</summary>
    public string Role { get; init; } = string.Empty;

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// What the model was asked with beside the prompt, by name: temperature, limits, tools, the answer's format and the options by the provider's
    /// name. Nothing named like a credential is kept.
    /// </summary>
    public ImmutableSortedDictionary<string, string> Options { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The prompt.</summary>
    public ImmutableArray<HistoryMessage> Messages { get; init; } = [];

    /// <summary>The answer's messages; empty when the call failed or the model said nothing.</summary>
    public ImmutableArray<HistoryMessage> Answers { get; init; } = [];

    /// <summary>Why generation ended; null when unknown.</summary>
    public string? FinishReason { get; init; }

    /// <summary>The model that the provider says has answered; null when it does not say.</summary>
    public string? ResponseModel { get; init; }

    /// <summary>The provider's id of the answer; null when there is none.</summary>
    public string? ResponseId { get; init; }

    /// <summary>What the call took; all zero for an answer from the cache.</summary>
    public Usage Usage { get; init; }

    /// <summary>
    /// Every count of tokens that the provider gave, by name: <c>input</c>, <c>output</c>, <c>total</c>, <c>cached_input</c>, <c>reasoning</c> and its
    /// own. For an answer from the cache, what it once cost.
    /// </summary>
    public ImmutableSortedDictionary<string, long> TokenCounts { get; init; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>US dollars; null when no price is known.</summary>
    public decimal? Cost { get; init; }

    /// <summary>True when the cache answered.</summary>
    public bool IsCacheHit { get; init; }

    /// <summary>Time from request to answer.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Why the call failed; null when it did not.</summary>
    public string? Error { get; init; }
}
