using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A language model as programs see it: any <see cref="IChatClient"/>, a name and default options. Immutable; holds no secrets.</summary>
public sealed record LM
{
    /// <summary>Wraps a client.</summary>
    /// <param name="client">The client; it is not disposed by Hone.</param>
    /// <param name="name">A name for traces and state files; by default what the client says of itself.</param>
    public LM(IChatClient client, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        Client = client;
        var metadata = client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        Name = name ?? metadata?.DefaultModelId ?? metadata?.ProviderName ?? client.GetType().Name;
    }

    /// <summary>The client that is called.</summary>
    public IChatClient Client { get; init; }

    /// <summary>Name for traces, reports and state files.</summary>
    public string Name { get; init; }

    /// <summary>Options of every call, unless a predictor or a run says otherwise.</summary>
    public CallOptions Options { get; init; } = new();

    /// <summary>A service of the client or of a client that it wraps, e.g. <c>ITrainableModel</c>; null when there is none.</summary>
    public T? GetService<T>() where T : class => Client.GetService(typeof(T)) as T;
}
