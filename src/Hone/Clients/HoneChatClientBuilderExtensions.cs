using Hone;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Microsoft.Extensions.AI;

/// <summary>
/// The parts of a Hone model as middleware of any chat client. Put them in this order: history, cache, budget, retry, rate limit. A
/// <see cref="LM"/> composes them itself.
/// </summary>
public static class HoneChatClientBuilderExtensions
{
    /// <summary>Remembers the last calls for a person to look at.</summary>
    public static ChatClientBuilder UseHoneHistory(this ChatClientBuilder builder, CallHistory history, ModelPrice? price = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(history);
        return builder.Use(inner => new HistoryClient(inner, history, ClientIdentity.Of(inner), price));
    }

    /// <summary>Keeps answers, so that equal requests cost nothing.</summary>
    public static ChatClientBuilder UseHoneCache(this ChatClientBuilder builder, ResponseCache cache)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(cache);
        return builder.Use((inner, services) => new CacheClient(inner, cache, ClientIdentity.Of(inner), inner, LoggerOf(services)));
    }

    /// <summary>Limits what calls may cost in all.</summary>
    public static ChatClientBuilder UseHoneBudget(this ChatClientBuilder builder, CallBudget budget, ModelPrice? price = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(budget);
        return builder.Use(inner =>
        {
            var identity = ClientIdentity.Of(inner);
            return new BudgetClient(inner, budget, identity, ModelCapabilities.For(identity.Provider, identity.Model, identity.Endpoint), price);
        });
    }

    /// <summary>Puts the client's errors into Hone's terms and makes failed calls again.</summary>
    public static ChatClientBuilder UseHoneRetry(this ChatClientBuilder builder, RetryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) => new AttemptClient(inner, new(ClientIdentity.Of(inner), LoggerOf(services)) { Retry = options ?? RetryOptions.Default }));
    }

    /// <summary>Holds calls back so that a provider's limits are kept.</summary>
    public static ChatClientBuilder UseHoneRateLimit(this ChatClientBuilder builder, RateLimiter limiter)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(limiter);
        return builder.Use((inner, services) => new AttemptClient(
            inner, new(ClientIdentity.Of(inner), LoggerOf(services)) { RateLimiter = limiter, Observes = false }));
    }

    private static ILogger LoggerOf(IServiceProvider services) =>
        services.GetService<ILoggerFactory>()?.CreateLogger(HoneDiagnostics.Name) ?? (ILogger)NullLogger.Instance;
}
