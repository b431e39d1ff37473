using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Answers the calls of a record with what was answered then, at no cost, and passes all others on. One for each run: it counts.</summary>
internal sealed class RecordedPrefix(IChatClient inner, ImmutableArray<PredictorCall> record) : DelegatingChatClient(inner)
{
    private readonly Dictionary<(string Path, int Ordinal), int> asked = [];

    /// <inheritdoc/>
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        Recorded(options) is { } answer ? Task.FromResult(answer) : base.GetResponseAsync(messages, options, cancellationToken);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var updates = Recorded(options) is { } answer
            ? answer.ToChatResponseUpdates().ToAsyncEnumerable()
            : base.GetStreamingResponseAsync(messages, options, cancellationToken);
        await foreach (var update in updates.WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return update;
    }

    private ChatResponse? Recorded(ChatOptions? options)
    {
        if (options is not HoneChatOptions { Path: { } path, Ordinal: var ordinal })
            return null;
        int attempt;
        lock (asked)
        {
            attempt = asked.GetValueOrDefault((path, ordinal));
            asked[(path, ordinal)] = attempt + 1;
        }

        var call = record.FirstOrDefault(call => call.Path == path && call.Ordinal == ordinal && call.Attempt == attempt);
        return call is null ? null : new(new ChatMessage(ChatRole.Assistant, call.Text))
        {
            FinishReason = call.FinishReason,
            AdditionalProperties = call.Tokens is null
                ? new() { [ResponseKeys.CacheHit] = true }
                : new() { [ResponseKeys.CacheHit] = true, [ResponseKeys.SampledTokens] = call.Tokens },
        };
    }
}
