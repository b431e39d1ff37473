namespace Hone;

/// <summary>Names under which Hone's parts leave notes in <c>ChatResponse.AdditionalProperties</c>.</summary>
internal static class ResponseKeys
{
    public const string Prefix = "hone.";
    public const string Retries = "hone.retries";
    public const string Failover = "hone.failover";
    /// <summary>True of an answer that was cut at a limit which a budget set, and nobody who asked.</summary>
    public const string BudgetCut = "hone.budget_cut";
    public const string CacheHit = "hone.cache_hit";
    public const string CachedUsage = "hone.cached_usage";

    /// <summary>As <c>SampledTokens.Key</c>, which lies in a room that this one does not see.</summary>
    public const string SampledTokens = "hone.sampled_tokens";
}
