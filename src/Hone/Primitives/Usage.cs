namespace Hone;

/// <summary>What calls to language models have cost.</summary>
/// <param name="Calls">Number of calls.</param>
/// <param name="InputTokens">Prompt tokens.</param>
/// <param name="OutputTokens">Generated tokens.</param>
public readonly record struct Usage(long Calls, long InputTokens, long OutputTokens)
{
    /// <summary>All tokens, in and out.</summary>
    public long TotalTokens => InputTokens + OutputTokens;

    /// <summary>The sum of both.</summary>
    public static Usage operator +(Usage left, Usage right) =>
        new(left.Calls + right.Calls, left.InputTokens + right.InputTokens, left.OutputTokens + right.OutputTokens);

    /// <summary>The sum of both.</summary>
    public static Usage Add(Usage left, Usage right) => left + right;
}
