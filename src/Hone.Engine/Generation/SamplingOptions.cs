namespace Hone.Engine;

/// <summary>How tokens are drawn.</summary>
/// <param name="Temperature">Divides the logits; 0 takes the most likely token (the lowest id among equals).</param>
/// <param name="TopP">Draw from the smallest set of most likely tokens with at least this probability; 1 for all.</param>
/// <param name="TopK">Draw from this many most likely tokens; 0 for all.</param>
/// <param name="Seed">Of the request's own random stream: one number is drawn a token.</param>
internal sealed record SamplingOptions(float Temperature = 1, float TopP = 1, int TopK = 0, ulong Seed = 0)
{
    /// <summary>Throws when a value is out of range.</summary>
    public SamplingOptions Validated()
    {
        if (!(Temperature >= 0 && float.IsFinite(Temperature)))
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "The temperature must be 0 (greedy) or positive and finite.");
        if (TopP is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "Top-p must be above 0 and at most 1.");
        if (TopK < 0)
            throw new ArgumentOutOfRangeException(nameof(TopK), TopK, "Top-k must be 0 (off) or positive.");
        return this;
    }
}
