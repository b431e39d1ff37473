namespace Hone;

/// <summary>The exact tokens of one call to a local policy: what reinforcement learning learns on.</summary>
/// <param name="PromptIds">Ids of the rendered prompt.</param>
/// <param name="CompletionIds">Ids as sampled, with the end-of-turn id when it was sampled.</param>
/// <param name="LogProbs">Log-probability of each completion id under the full vocabulary at <paramref name="Temperature"/>, before any truncation.</param>
/// <param name="PolicyVersion">Version of the weights that sampled.</param>
/// <param name="Temperature">Sampling temperature.</param>
/// <param name="IsTruncated">True when the token limit ended the completion.</param>
public sealed record SampledTokens(
    IReadOnlyList<int> PromptIds,
    IReadOnlyList<int> CompletionIds,
    IReadOnlyList<float> LogProbs,
    int PolicyVersion,
    double Temperature,
    bool IsTruncated)
{
    /// <summary>Key of the record in <c>ChatResponse.AdditionalProperties</c>.</summary>
    public const string Key = "hone.sampled_tokens";
}
