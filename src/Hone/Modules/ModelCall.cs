using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Sends one request, streamed or whole, and reads off the response what the trace keeps.</summary>
internal static class ModelCall
{
    public static Task<ChatResponse> SendAsync(
        HoneScope scope, LM model, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken)
    {
        return scope.Observers.IsEmpty
            ? SendAsync(model, scope.Budget, messages, options, stream, cancellationToken)
            : ObservedAsync(model, scope.Budget, messages, options, stream, cancellationToken);
    }

    /// <summary>The exact tokens, when a local policy sampled them.</summary>
    public static SampledTokens? TokensOf(ChatResponse response) => response.AdditionalProperties?.GetValueOrDefault(SampledTokens.Key) as SampledTokens;

    /// <summary>The text of the last message of the model.</summary>
    public static string AssistantText(ChatResponse response)
    {
        for (var i = response.Messages.Count - 1; i >= 0; i--)
        {
            if (response.Messages[i].Role == ChatRole.Assistant)
                return response.Messages[i].Text;
        }

        return string.Empty;
    }

    private static Task<ChatResponse> ObservedAsync(
        LM model, RunCallTicket? budget, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken) =>
        Observation.RunAsync(CallKind.Model, model.Name, messages, () => SendAsync(model, budget, messages, options, stream, cancellationToken));

    private static Task<ChatResponse> SendAsync(
        LM model, RunCallTicket? budget, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken) =>
        budget is null
            ? SendAsync(model.Pipeline, messages, options, stream, cancellationToken)
            : UnderBudgetAsync(model, budget, messages, options, stream, cancellationToken);

    // Apart, so that a call without a budget makes no closure.
    private static Task<ChatResponse> UnderBudgetAsync(
        LM model, RunCallTicket budget, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken) =>
        budget.SendAsync(model, client => SendAsync(client, messages, options, stream, cancellationToken));

    private static Task<ChatResponse> SendAsync(
        IChatClient client, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken) => stream is null
        ? client.GetResponseAsync(messages, options, cancellationToken)
        : stream.ReadAsync(client.GetStreamingResponseAsync(messages, options, cancellationToken), cancellationToken);
}
