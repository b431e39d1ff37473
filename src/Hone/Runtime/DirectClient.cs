using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Calls that no predictor makes: under the budget of the surrounding run, and told to it. A predictor's call that passes through is recorded by the predictor.
/// </summary>
internal sealed class DirectClient(IChatClient pipeline, LM model) : DelegatingChatClient(pipeline)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = options is not HoneChatOptions && HoneScope.Current?.Budget is { } budget
            ? await budget.SendAsync(model, client => client.GetResponseAsync(messages, options, cancellationToken)).ConfigureAwait(false)
            : await InnerClient.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        Record(response, options);
        return response;
    }

    public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        options is not HoneChatOptions && HoneScope.Current?.Budget is not null
            ? WholeAsync(messages, options, cancellationToken)
            : StreamAsync(messages, options, cancellationToken);

    // Under a run's budget nobody watches the pieces.
    private async IAsyncEnumerable<ChatResponseUpdate> WholeAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates())
            yield return update;
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A stream that is left early has been paid for as well.
        List<ChatResponseUpdate> updates = [];
        try
        {
            await foreach (var update in InnerClient.GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
            {
                updates.Add(update);
                yield return update;
            }
        }
        finally
        {
            if (updates.Count > 0)
                Record(updates.ToChatResponse(), options);
        }
    }

    private void Record(ChatResponse response, ChatOptions? options)
    {
        if (options is HoneChatOptions || HoneScope.Current?.Recorder is not { } recorder)
            return;
        var answering = ResponseFacts.Answering(response, model);
        recorder.Record(new DirectCall(answering.Name, model.Role, ResponseFacts.UsageOf(response, answering)));
    }
}
