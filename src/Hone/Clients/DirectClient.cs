using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Tells the surrounding run what calls cost that no predictor makes. A predictor's call that passes through is recorded by the predictor.</summary>
internal sealed class DirectClient(IChatClient pipeline, LM model) : DelegatingChatClient(pipeline)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var response = await InnerClient.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        Record(response, options);
        return response;
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
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
        var answering = ModelCall.Answering(response, model);
        recorder.Record(new DirectCall(answering.Name, model.Role, ModelCall.UsageOf(response, answering)));
    }
}
