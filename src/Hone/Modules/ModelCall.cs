using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Sends one request, streamed or whole, and reads off the response what the trace keeps.</summary>
internal static class ModelCall
{
    public static Task<ChatResponse> SendAsync(
        HoneScope scope, LM model, IReadOnlyList<ChatMessage> messages, HoneChatOptions options, StreamedCall? stream, CancellationToken cancellationToken)
    {
        if (!Observation.IsOn(scope))
            return SendAsync(model, messages, options, stream, cancellationToken);
        return Observation.RunAsync(CallKind.Model, model.Name, messages, async activity =>
        {
            Tag(activity, model, options);
            var response = await SendAsync(model, messages, options, stream, cancellationToken).ConfigureAwait(false);
            Tag(activity, response);
            return response;
        });
    }

    public static PredictorCall Describe(PredictorCall call, ChatResponse response, LM model, TimeSpan duration)
    {
        var isHit = response.AdditionalProperties?.ContainsKey(ResponseCache.HitKey) == true;
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

    // Names of the GenAI semantic conventions; the texts themselves are never put into spans.
    private static void Tag(Activity? activity, LM model, HoneChatOptions options)
    {
        if (activity is null)
            return;
        activity.SetTag("gen_ai.operation.name", "chat");
        activity.SetTag("gen_ai.request.model", model.Name);
        activity.SetTag("gen_ai.request.temperature", options.Temperature);
        activity.SetTag("gen_ai.request.max_tokens", options.MaxOutputTokens);
        activity.SetTag("gen_ai.request.seed", options.Seed);
        activity.SetTag("hone.predictor.path", options.Path);
        activity.SetTag("hone.predictor.ordinal", options.Ordinal);
        activity.SetTag("hone.role", options.Role);
    }

    private static void Tag(Activity? activity, ChatResponse response)
    {
        if (activity is null)
            return;
        activity.SetTag("gen_ai.response.model", response.ModelId);
        activity.SetTag("gen_ai.response.id", response.ResponseId);
        activity.SetTag("gen_ai.usage.input_tokens", response.Usage?.InputTokenCount);
        activity.SetTag("gen_ai.usage.output_tokens", response.Usage?.OutputTokenCount);
        if (response.FinishReason is { } reason)
            activity.SetTag("gen_ai.response.finish_reasons", new[] { reason.Value });
        activity.SetTag("hone.cache.hit", response.AdditionalProperties?.ContainsKey(ResponseCache.HitKey) == true);
    }
}
