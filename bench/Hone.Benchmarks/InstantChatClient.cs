using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Benchmarks;

/// <summary>Answers at once, always the same text: what is left is Hone's own time. With a latency it answers after a timer instead.</summary>
internal sealed class InstantChatClient(string answer, TimeSpan latency = default) : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        latency == default ? Task.FromResult(Respond()) : RespondLaterAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "instant") : null;

    public void Dispose()
    {
    }

    private async Task<ChatResponse> RespondLaterAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(latency, cancellationToken);
        return Respond();
    }

    private ChatResponse Respond() => new(new ChatMessage(ChatRole.Assistant, answer)) { FinishReason = ChatFinishReason.Stop };
}
