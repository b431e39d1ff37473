namespace Hone;

/// <summary>How an <see cref="EmbeddingIndex"/> embeds and searches.</summary>
public sealed record EmbeddingIndexOptions
{
    /// <summary>Most texts a request to the embedding generator; at least 1. Default 200.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int BatchSize { get; init => field = AtLeastOne(value, nameof(BatchSize)); } = EmbeddingBatches.DefaultSize;

    /// <summary>Most requests to the embedding generator at once; at least 1. Default 4. The index does not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaxConcurrency { get; init => field = AtLeastOne(value, nameof(MaxConcurrency)); } = 4;

    /// <summary>Most threads of one search; at least 1. Default as many as there are processors. Results do not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaxParallelism { get; init => field = AtLeastOne(value, nameof(MaxParallelism)); } = Environment.ProcessorCount;

    /// <summary>True scores by the cosine of two vectors, false by their dot product. Default true.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>Name of the embedding model, kept in saved indexes. Null, the default, takes what the generator's metadata say.</summary>
    public string? ModelId { get; init; }

    /// <summary>Put before every document's text; some models want e.g. <c>"passage: "</c>. Default empty.</summary>
    public string DocumentPrefix { get; init; } = string.Empty;

    /// <summary>Put before every query; some models want e.g. <c>"query: "</c>. Default empty.</summary>
    public string QueryPrefix { get; init; } = string.Empty;

    /// <summary>Search a part of the vectors once there are many. Null, the default, always searches all of them.</summary>
    public ApproximateSearchOptions? Approximate { get; init; }

    internal static int AtLeastOne(int value, string name) =>
        value >= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least 1.");
}

/// <summary>
/// An inverted file (Sivic and Zisserman 2003; as in FAISS, Johnson et al. 2017): k-means divides the vectors into lists, and a search looks into the lists
/// whose centres are nearest to the query. What it finds has exact scores; what it misses lies in other lists. The same vectors and seed give the same lists.
/// </summary>
public sealed record ApproximateSearchOptions
{
    /// <summary>Number of vectors from which on the search is approximate; below, it is exact. At least 1. Default 100,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int Threshold { get; init => field = EmbeddingIndexOptions.AtLeastOne(value, nameof(Threshold)); } = 100_000;

    /// <summary>Number of lists; at least 1. Null, the default, takes twice the square root of the number of vectors.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int? Lists { get; init => field = value is { } lists ? EmbeddingIndexOptions.AtLeastOne(lists, nameof(Lists)) : null; }

    /// <summary>Lists that a search looks into; at least 1. More find more and take longer. Default 16.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int Probes { get; init => field = EmbeddingIndexOptions.AtLeastOne(value, nameof(Probes)); } = 16;

    /// <summary>Seed of the sample that k-means learns from.</summary>
    public long Seed { get; init; }
}
