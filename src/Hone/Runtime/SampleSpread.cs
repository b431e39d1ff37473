namespace Hone;

/// <summary>
/// One of several attempts, as the ids of its samples: they run on from the id that a call has without it, whoever chose that (the model, the run, a
/// predictor's state, the call), and are apart from those of every other attempt.
/// </summary>
/// <param name="Count">How many attempts there are.</param>
/// <param name="Index">Which one this is, from 0.</param>
/// <param name="Around">The attempt that this one is made in; null outside of one.</param>
internal sealed record SampleSpread(int Count, int Index, SampleSpread? Around)
{
    /// <summary>The id of a call's sample in this attempt.</summary>
    public long Of(long? chosen) => unchecked(((Around is null ? chosen ?? 0 : Around.Of(chosen)) * Count) + Index);
}
