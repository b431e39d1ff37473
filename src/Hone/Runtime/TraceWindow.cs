namespace Hone;

/// <summary>
/// How much of the past a scope's recorder keeps. A scope may stay open as long as its process: the newest calls are kept, of those before only number and cost.
/// Used inside the recorder's lock.
/// </summary>
/// <param name="size">How many calls are kept at least, of each kind; twice as many at most, so that dropping is rare.</param>
internal sealed class TraceWindow(int size)
{
    private long calls;
    private Usage usage;

    /// <summary>The place of the oldest call that is kept.</summary>
    public int First { get; private set; }

    /// <summary>What is no longer kept; null when all is.</summary>
    public DroppedCalls? Dropped => calls == 0 ? null : new(calls, usage);

    /// <summary>True when the call at a place was dropped before it was answered.</summary>
    public bool IsPast(int place) => place < First;

    /// <summary>How many of so many calls are to be dropped now.</summary>
    public int Excess(int count) => count >= Most ? count - size : 0;

    /// <summary>Drops one call that was answered too late to be kept.</summary>
    public void Drop(Usage cost) => (calls, usage) = (calls + 1, usage + cost);

    /// <summary>Drops the oldest calls; one without an answer is counted once it has one.</summary>
    public void Drop(ReadOnlySpan<PredictorCall?> oldest)
    {
        First += oldest.Length;
        foreach (var call in oldest)
        {
            if (call is not null)
                Drop(call.Usage);
        }
    }

    /// <summary>Drops the oldest of a list that has grown too long.</summary>
    public void Trim<T>(List<T>? kept, Func<T, Usage> costOf)
    {
        if (kept is null || Excess(kept.Count) is not (> 0 and var excess))
            return;
        foreach (var call in kept.Take(excess))
            Drop(costOf(call));
        kept.RemoveRange(0, excess);
    }

    private int Most => size > int.MaxValue / 2 ? int.MaxValue : (2 * size) + 1;
}
