namespace Hone;

/// <summary>What calls to language models have cost. An answer from the cache costs nothing and is not counted.</summary>
/// <param name="Calls">Number of calls.</param>
/// <param name="InputTokens">Prompt tokens.</param>
/// <param name="OutputTokens">Generated tokens, thinking included.</param>
public readonly record struct Usage(long Calls, long InputTokens, long OutputTokens)
{
    /// <summary>Prompt tokens that the provider had at hand; part of <see cref="InputTokens"/>.</summary>
    public long CachedInputTokens { get; init; }

    /// <summary>Tokens of thinking; part of <see cref="OutputTokens"/>.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>Price in US dollars; 0 where no price is known.</summary>
    public decimal Cost { get; init; }

    /// <summary>All tokens, in and out.</summary>
    public long TotalTokens => InputTokens + OutputTokens;

    /// <summary>The sum of both.</summary>
    public static Usage operator +(Usage left, Usage right) =>
        new(left.Calls + right.Calls, left.InputTokens + right.InputTokens, left.OutputTokens + right.OutputTokens)
        {
            CachedInputTokens = left.CachedInputTokens + right.CachedInputTokens,
            ReasoningTokens = left.ReasoningTokens + right.ReasoningTokens,
            Cost = left.Cost + right.Cost,
        };

    /// <summary>The sum of both.</summary>
    public static Usage Add(Usage left, Usage right) => left + right;
}
