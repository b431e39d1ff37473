using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a response says of the call: who answered, and what it cost.</summary>
internal static class ResponseFacts
{
    /// <summary>True when the answer came from the cache.</summary>
    public static bool IsCacheHit(ChatResponse response) => response.AdditionalProperties?.ContainsKey(ResponseKeys.CacheHit) == true;

    /// <summary>The model that answered: the one that was asked, or one that took over from it.</summary>
    public static LM Answering(ChatResponse response, LM asked)
    {
        if (asked.Failover.IsDefaultOrEmpty || response.AdditionalProperties?.GetValueOrDefault(ResponseKeys.Failover) is not string name)
            return asked;
        foreach (var next in asked.Failover)
        {
            if (next.Name == name)
                return next;
        }

        return asked;
    }

    /// <summary>What the call cost; nothing when it came from the cache.</summary>
    public static Usage UsageOf(ChatResponse response, LM model)
    {
        if (IsCacheHit(response))
            return default;
        var usage = response.Usage;
        return new(1, usage?.InputTokenCount ?? 0, usage?.OutputTokenCount ?? 0)
        {
            CachedInputTokens = usage?.CachedInputTokenCount ?? 0,
            ReasoningTokens = usage?.ReasoningTokenCount ?? 0,
            Cost = usage is null ? 0 : model.EffectivePrice?.CostOf(usage) ?? 0,
        };
    }
}
