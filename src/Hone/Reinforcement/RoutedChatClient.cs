using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>Sends each call to the client of its predictor.</summary>
/// <param name="clients">Clients by predictor path.</param>
/// <param name="models">The models by route name, when they are finished ones that can be kept; null while they are trained.</param>
internal sealed class RoutedChatClient(IReadOnlyDictionary<string, IChatClient> clients, IReadOnlyDictionary<string, LM>? models) : IChatClient, IWeightStore
{
    /// <summary>The finished models by route name.</summary>
    public IReadOnlyDictionary<string, LM> Models => models ?? throw new InvalidOperationException("These models are under training.");

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        ClientOf(options).GetResponseAsync(messages, options, cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var update in ClientOf(options).GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
            yield return update;
    }

    public async Task SaveWeightsAsync(string directory, CancellationToken cancellationToken = default)
    {
        foreach (var (name, model) in Models)
        {
            var store = model.GetService<IWeightStore>() ?? throw new HoneException($"The weights of model '{model.Name}' cannot be written down.");
            await store.SaveWeightsAsync(Path.Combine(directory, name), cancellationToken).ConfigureAwait(false);
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(IWeightStore) && (models is null || models.Values.Any(model => model.GetService<IWeightStore>() is null)) ? null
        : serviceType.IsInstanceOfType(this) ? this
        : clients.Values.First().GetService(serviceType, serviceKey);

    public void Dispose()
    {
    }

    private IChatClient ClientOf(ChatOptions? options)
    {
        var path = (options as HoneChatOptions)?.Path;
        return path is not null && clients.TryGetValue(path, out var client)
            ? client
            : throw new HoneException($"No weights answer for predictor '{path}'. There are some for: {string.Join(", ", clients.Keys)}.");
    }
}
