using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Writes each call into a history, whether it succeeds or fails.</summary>
internal sealed class HistoryClient(IChatClient inner, CallHistory history, ClientIdentity identity, ModelPrice? price) : DelegatingChatClient(inner)
{
    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var (begun, started) = (history.Time.GetUtcNow(), history.Time.GetTimestamp());
        try
        {
            var response = await InnerClient.GetResponseAsync(prompt, options, cancellationToken).ConfigureAwait(false);
            Add(prompt, options, begun, started, response, null);
            return response;
        }
        catch (Exception error)
        {
            Add(prompt, options, begun, started, null, error);
            throw;
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var (begun, started) = (history.Time.GetUtcNow(), history.Time.GetTimestamp());
        var received = new List<ChatResponseUpdate>();
        Exception? failure = new OperationCanceledException("The stream was left before its end.");
        try
        {
            var updates = InnerClient.GetStreamingResponseAsync(prompt, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (updates.ConfigureAwait(false))
            {
                while (true)
                {
                    try
                    {
                        if (!await updates.MoveNextAsync().ConfigureAwait(false))
                            break;
                    }
                    catch (Exception error)
                    {
                        failure = error;
                        throw;
                    }

                    received.Add(updates.Current);
                    yield return updates.Current;
                }

                failure = null;
            }
        }
        finally
        {
            Add(prompt, options, begun, started, received.ToChatResponse(), failure);
        }
    }

    private void Add(IReadOnlyList<ChatMessage> prompt, ChatOptions? options, DateTimeOffset begun, long started, ChatResponse? response, Exception? error)
    {
        var isHit = ResponseCache.IsHit(response);
        var usage = response?.Usage;
        history.Add(new()
        {
            Timestamp = begun,
            Path = ClientIdentity.PathOf(options),
            Ordinal = (options as HoneChatOptions)?.Ordinal ?? 0,
            Role = identity.RoleOf(options),
            Model = identity.Name,
            Options = HistoryOptions.Of(options),
            Messages = HistoryText.Of(prompt),
            Answers = HistoryText.Of(response?.Messages),
            FinishReason = response?.FinishReason?.Value,
            ResponseModel = response?.ModelId,
            ResponseId = response?.ResponseId,
            Usage = isHit ? default : new(1, usage?.InputTokenCount ?? 0, usage?.OutputTokenCount ?? 0),
            TokenCounts = HistoryOptions.Of(isHit ? response?.AdditionalProperties?.GetValueOrDefault(ResponseKeys.CachedUsage) as UsageDetails : usage),
            Cost = isHit ? 0 : usage is null ? null : price?.CostOf(usage),
            IsCacheHit = isHit,
            Duration = history.Time.GetElapsedTime(started),
            Error = error is null ? null : $"{error.GetType().Name}: {SecretText.Scrub(error.Message)}",
        });
    }
}
