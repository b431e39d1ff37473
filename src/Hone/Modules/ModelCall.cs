using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Sends one request, streamed or whole, and reads off the response what the trace keeps.</summary>
internal static class ModelCall
{
    public static Task<ChatResponse> SendAsync(
        HoneScope scope, LM model, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken)
    {
        return scope.Observers.IsEmpty
            ? SendAsync(model, messages, options, stream, cancellationToken)
            : Observation.RunAsync(CallKind.Model, model.Name, messages, () => SendAsync(model, messages, options, stream, cancellationToken));
    }

    public static PredictorCall Describe(PredictorCall call, ChatResponse response, LM model, TimeSpan duration)
    {
        var isHit = response.AdditionalProperties?.ContainsKey(ResponseKeys.CacheHit) == true;
        return call with
        {
            Text = AssistantText(response),
            FinishReason = response.FinishReason,
            IsCacheHit = isHit,
            Usage = isHit ? default : UsageOf(response, model),
            Duration = duration,
            Tokens = response.AdditionalProperties?.GetValueOrDefault(SampledTokens.Key) as SampledTokens,
        };
    }

    private static Task<ChatResponse> SendAsync(
        LM model, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken) => stream is null
        ? model.Pipeline.GetResponseAsync(messages, options, cancellationToken)
        : stream.ReadAsync(model.Pipeline.GetStreamingResponseAsync(messages, options, cancellationToken), cancellationToken);

    private static string AssistantText(ChatResponse response)
    {
        for (var i = response.Messages.Count - 1; i >= 0; i--)
        {
            if (response.Messages[i].Role == ChatRole.Assistant)
                return response.Messages[i].Text;
        }

        return string.Empty;
    }

    private static Usage UsageOf(ChatResponse response, LM model)
    {
        var usage = response.Usage;
        return new(1, usage?.InputTokenCount ?? 0, usage?.OutputTokenCount ?? 0)
        {
            CachedInputTokens = usage?.CachedInputTokenCount ?? 0,
            ReasoningTokens = usage?.ReasoningTokenCount ?? 0,
            Cost = usage is null ? 0 : model.Price?.CostOf(usage) ?? 0,
        };
    }
}
