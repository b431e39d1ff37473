namespace Hone.Retrieval;

/// <summary>How a <see cref="LuceneRetriever"/> analyzes, scores and stores.</summary>
public sealed record LuceneOptions
{
    /// <summary>How fast further occurrences of a term stop counting; at least 0. Default 0.9.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double K1
    {
        get;
        init => field = double.IsFinite(value) && value >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(K1), value, "K1 is a finite number of at least 0.");
    } = 0.9;

    /// <summary>How much long documents are discounted: 0 not at all, 1 fully. Default 0.4.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside 0 to 1.</exception>
    public double B
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(B), value, "B lies between 0 and 1.");
    } = 0.4;

    /// <summary>
    /// Reduce words to their stem (Snowball English). Default true. An index on disk must be opened with the value it was built with.
    /// </summary>
    public bool Stem { get; init; } = true;

    /// <summary>Leave out the usual English stop words. Default true. An index on disk must be opened with the value it was built with.</summary>
    public bool RemoveStopWords { get; init; } = true;

    /// <summary>
    /// Most bytes of scores that are kept in memory for terms that were searched for; at least 0. They are worked out at a term's first search and hold until the index
    /// changes; 8 bytes for each document that has the term. Default 256 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long ScoreCacheBytes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(ScoreCacheBytes), value, "ScoreCacheBytes is at least 0.");
    } = 256L * 1024 * 1024;

    /// <summary>Folder of an index that outlives the process; null keeps the index in memory.</summary>
    public string? Directory { get; init; }
}
