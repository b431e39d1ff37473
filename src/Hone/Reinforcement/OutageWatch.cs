using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Remembers that the training service failed, whatever the program did with the error: one that catches everything must not hide an outage, or its
/// rewards would be learned from.
/// </summary>
internal sealed class OutageWatch(IChatClient policy) : DelegatingChatClient(policy)
{
    private ExceptionDispatchInfo? outage;

    /// <summary>Throws the first failure, if there was one.</summary>
    public void ThrowIfAny() => outage?.Throw();

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        }
        catch (TrainingServiceException error)
        {
            Interlocked.CompareExchange(ref outage, ExceptionDispatchInfo.Capture(error), null);
            throw;
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // A policy's streams are whole answers: they fail before their first update or not at all.
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    /// <summary>The session owns its policy.</summary>
    protected override void Dispose(bool disposing)
    {
    }
}
