using System.Collections.Immutable;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>
/// A language model as programs see it: any <see cref="IChatClient"/>, a name, default options, and what surrounds its calls. Immutable; holds no
/// secrets. The parts are always composed in one order, outermost first: history, cache, failover, budget, retry, rate limiter, client.
/// </summary>
public sealed record LM
{
    /// <summary>The role of a model that does a program's work.</summary>
    internal const string TaskRole = "task";

    private ModelCapabilities? capabilities;
    private ModelCapabilities? derived;
    private IChatClient? pipeline;
    private IChatClient? direct;

    /// <summary>Wraps a client.</summary>
    /// <param name="client">The client; it is not disposed by Hone. Turn off its own retries.</param>
    /// <param name="name">A name for traces and state files; by default what the client says of itself.</param>
    public LM(IChatClient client, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        Client = client;
        Name = ClientIdentity.Of(client, name).Name;
    }

    // Everything but the pipelines and the derived capabilities, which are made of these.
    private LM(LM other)
    {
        (Client, Name, Options, Role, Price) = (other.Client, other.Name, other.Options, other.Role, other.Price);
        (Cache, Retry, RateLimiter, Budget, History) = (other.Cache, other.Retry, other.RateLimiter, other.Budget, other.History);
        (Failover, Logger, capabilities) = (other.Failover, other.Logger, other.capabilities);
        (Media, Checks) = (other.Media, other.Checks);
    }

    /// <summary>The client that is called.</summary>
    public IChatClient Client { get; init; }

    /// <summary>Name for traces, reports and state files.</summary>
    public string Name { get; init; }

    /// <summary>Options of every call, unless a predictor or a run says otherwise.</summary>
    public CallOptions Options { get; init; } = new();

    /// <summary>What the model can do: from the table of families, unless set.</summary>
    public ModelCapabilities Capabilities
    {
        get => capabilities ?? (derived ??= DefaultCapabilities());
        init => capabilities = value;
    }

    /// <summary>What the model is for, e.g. <c>task</c>, <c>judge</c>, <c>reflection</c>: budgets and metrics are kept apart by it.</summary>
    public string Role { get; init; } = TaskRole;

    /// <summary>What the model costs; null when unknown.</summary>
    public ModelPrice? Price { get; init; }

    /// <summary>Keeps answers; null asks the model every time.</summary>
    public ResponseCache? Cache { get; init; }

    /// <summary>How failed calls are made again; null makes one attempt only.</summary>
    public RetryOptions? Retry { get; init; } = RetryOptions.Default;

    /// <summary>Holds calls back; null lets all go at once. May be shared between models.</summary>
    public RateLimiter? RateLimiter { get; init; }

    /// <summary>Limits what calls cost; null limits nothing. May be shared between models.</summary>
    public CallBudget? Budget { get; init; }

    /// <summary>Remembers the last calls for a person to look at; null remembers nothing.</summary>
    public CallHistory? History { get; init; }

    /// <summary>Models that are called in turn when this one cannot answer. One without a budget is under this model's.</summary>
    public ImmutableArray<LM> Failover { get; init; } = [];

    /// <summary>Where retries, failovers, pauses, cut answers and media that the model may not take are logged; null logs nothing.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The client with everything around it, built at its first use. Copies made by <c>with</c> build their own.</summary>
    internal IChatClient Pipeline => pipeline ?? Interlocked.CompareExchange(ref pipeline, LMPipeline.Build(this), null) ?? pipeline;

    /// <summary>The pipeline as code that speaks to chat clients sees it; made once, at its first use.</summary>
    internal IChatClient DirectBy(Func<LM, IChatClient> make) => direct ?? Interlocked.CompareExchange(ref direct, make(this), null) ?? direct;

    /// <summary>A service of the client or of a client that it wraps, e.g. <c>ITrainableModel</c>; null when there is none.</summary>
    public T? GetService<T>() where T : class => Client.GetService(typeof(T)) as T;

    /// <summary>True when both have equal settings and the same parts.</summary>
    public bool Equals(LM? other) => ReferenceEquals(this, other) || (other is not null
        && Equals(Client, other.Client) && Name == other.Name && Role == other.Role
        && Equals(Options, other.Options) && Equals(Price, other.Price) && Equals(capabilities, other.capabilities)
        && Equals(Cache, other.Cache) && Equals(Retry, other.Retry) && Equals(RateLimiter, other.RateLimiter)
        && Equals(Budget, other.Budget) && Equals(History, other.History) && Equals(Logger, other.Logger)
        && FailoverOf(this).SequenceEqual(FailoverOf(other)));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Client, Name, Role, Options, Price, Cache, Budget);

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>The model's own price, else that of its budget's table.</summary>
    internal ModelPrice? EffectivePrice => Price ?? (Budget?.Prices is { } prices ? prices.Find(Identity.Provider, Identity.Model ?? Name) : null);

    /// <summary>What was warned of; copies made by <c>with</c> do not warn again.</summary>
    internal MediaCheck Media { get; } = new();

    /// <inheritdoc cref="Media"/>
    internal OptionCheck Checks { get; } = new();

    internal ILogger Log => Logger ?? NullLogger.Instance;

    internal ClientIdentity Identity => ClientIdentity.Of(Client, Name, Role);

    private static ImmutableArray<LM> FailoverOf(LM model) => model.Failover.IsDefault ? [] : model.Failover;

    private ModelCapabilities DefaultCapabilities()
    {
        var identity = Identity;
        return ModelCapabilities.For(identity.Provider, identity.Model ?? Name, identity.Endpoint);
    }
}
