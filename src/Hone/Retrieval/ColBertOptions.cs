namespace Hone;

/// <summary>How a <see cref="ColBertClient"/> asks.</summary>
public sealed record ColBertOptions
{
    /// <summary>True posts query and k as JSON; false, the default, puts them into the address.</summary>
    public bool Post { get; init; }

    /// <summary>Longest wait for one answer; positive. Default 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public TimeSpan Timeout
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(Timeout), value, "Timeout must be positive.");
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Most passages that are asked for at once; what servers of this kind allow. Default 100. A search for more gets this many.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaxCount { get; init => field = EmbeddingIndexOptions.AtLeastOne(value, nameof(MaxCount)); } = 100;

    /// <summary>How failed requests are made again; null never does. Its clock also measures <see cref="Timeout"/>. Default three attempts.</summary>
    public RetryOptions? Retry { get; init; } = RetryOptions.Default;
}
