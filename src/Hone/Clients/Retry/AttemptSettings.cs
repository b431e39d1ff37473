using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>How the innermost part of a pipeline calls the raw client.</summary>
internal sealed record AttemptSettings(ClientIdentity Identity, ILogger Logger)
{
    /// <summary>Null makes one attempt.</summary>
    public RetryOptions? Retry { get; init; }

    public RateLimiter? RateLimiter { get; init; }

    /// <summary>Rules of the model's family that options are held to; null checks nothing.</summary>
    public ModelCapabilities? Capabilities { get; init; }

    /// <summary>What the model costs; null when unknown.</summary>
    public ModelPrice? Price { get; init; }

    /// <summary>What was warned of already.</summary>
    public MediaCheck Media { get; init; } = new();

    /// <inheritdoc cref="Media"/>
    public OptionCheck Checks { get; init; } = new();

    /// <summary>True to measure calls and warn of cut answers: once in a pipeline.</summary>
    public bool Observes { get; init; } = true;

    public TimeProvider Time => Retry?.Time ?? TimeProvider.System;

    public long EstimateTokens(IReadOnlyList<ChatMessage> messages, ChatOptions? options) =>
        (TokenBound.OfInput(messages, options, mediaTokens: 4096) / 4) + (options?.MaxOutputTokens ?? 0);
}
