using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>What the Clients room logs.</summary>
internal static partial class HoneLog
{
    [LoggerMessage(1, LogLevel.Warning, "Attempt {Attempt} of {MaxAttempts} to call {Model} for {Path} failed ({Code}); the next follows in {Delay}. {Reason}")]
    public static partial void Retrying(ILogger logger, int attempt, int maxAttempts, string model, string path, string code, TimeSpan delay, string reason);

    [LoggerMessage(2, LogLevel.Warning, "{Model} failed for {Path} ({Code}); {Next} is called instead. {Reason}")]
    public static partial void FailingOver(ILogger logger, string model, string path, string code, string next, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Model} asked to wait: no call through its rate limiter begins for {Pause}.")]
    public static partial void Pausing(ILogger logger, string model, TimeSpan pause);

    [LoggerMessage(4, LogLevel.Warning,
        "The answer of {Model} for {Path} was cut at its token limit ({Limit}; temperature {Temperature}; {Tokens} tokens generated). "
        + "Set a larger MaxOutputTokens, or ask for less.")]
    public static partial void Truncated(ILogger logger, string model, string path, string limit, string temperature, string tokens);

    [LoggerMessage(5, LogLevel.Warning, "The response cache {Path} cannot be read ({Reason}). It was set aside as {Aside}, and an empty one begins.")]
    public static partial void CacheSetAside(ILogger logger, string path, string reason, string aside);

    [LoggerMessage(6, LogLevel.Warning, "The response store failed ({Reason}); this {Operation} does without it.")]
    public static partial void StoreFailed(ILogger logger, string operation, string reason, Exception error);

    [LoggerMessage(7, LogLevel.Debug, "Calls such as {Path}'s to {Model} are not cached: {Reason}.")]
    public static partial void NotCacheable(ILogger logger, string path, string model, string reason);

    [LoggerMessage(8, LogLevel.Warning,
        "A request of {Caller} to {Model} holds {Kind}, which this model is not known to take. It is sent as it is. If the model takes it, say so: "
        + "lm with {{ Capabilities = lm.Capabilities with {{ {Capability} = true }} }}. This is said once.")]
    public static partial void MediaNotKnown(ILogger logger, string caller, string model, string kind, string capability);

    [LoggerMessage(9, LogLevel.Warning,
        "The sample id {Sample} of {Caller} has no effect: {Model} is asked at temperature 0, where independent samples are alike. Choose a temperature. "
        + "This is said once.")]
    public static partial void SampleWithoutEffect(ILogger logger, string sample, string model, string caller);

    [LoggerMessage(10, LogLevel.Warning,
        "The client of {Model} ignores the additional options {Options} of {Caller}: they do not reach the provider. Use CallOptions.RawOptions. "
        + "This is said once.")]
    public static partial void OptionsIgnored(ILogger logger, string options, string model, string caller);

    [LoggerMessage(11, LogLevel.Warning,
        "The client of {Model} does not send the {MediaType} in a request of {Caller}: the model will not see it. Give the text as a Document or as text. "
        + "This is said once.")]
    public static partial void MediaNotSent(ILogger logger, string mediaType, string model, string caller);

    [LoggerMessage(12, LogLevel.Warning, "{Reason} Answers are kept in memory only.")]
    public static partial void StoreUnavailable(ILogger logger, string reason, Exception error);
}
