namespace Hone;

/// <summary>Names under which Hone's parts leave notes in <c>ChatResponse.AdditionalProperties</c>.</summary>
internal static class ResponseKeys
{
    public const string Prefix = "hone.";
    public const string Retries = "hone.retries";
    public const string Failover = "hone.failover";
    public const string CacheHit = "hone.cache_hit";
    public const string CachedUsage = "hone.cached_usage";

    /// <summary>As <c>SampledTokens.Key</c>, which lies in a room that this one does not see.</summary>
    public const string SampledTokens = "hone.sampled_tokens";
}
