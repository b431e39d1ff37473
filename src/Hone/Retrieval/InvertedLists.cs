using System.Buffers;

namespace Hone;

/// <summary>The rows of a table by their nearest centre. Never changes.</summary>
internal sealed class InvertedLists
{
    private const int Growth = 2;

    private readonly KMeans means;
    private readonly int[] nearest; // by row
    private readonly int[] starts; // by centre, and the end
    private readonly int[] rows;

    private InvertedLists(KMeans means, int[] nearest, int learnedFrom)
    {
        (this.means, this.nearest, LearnedFrom) = (means, nearest, learnedFrom);
        starts = new int[means.Count + 1];
        foreach (var centre in nearest)
            starts[centre + 1]++;
        for (var i = 0; i < means.Count; i++)
            starts[i + 1] += starts[i];
        rows = new int[nearest.Length];
        var next = starts[..^1];
        for (var row = 0; row < nearest.Length; row++)
            rows[next[nearest[row]]++] = row;
    }

    /// <summary>Rows that there were when the centres were made.</summary>
    public int LearnedFrom { get; }

    public KMeans Means => means;

    public ReadOnlySpan<int> Nearest => nearest;

    /// <summary>Lists that are put together from a file.</summary>
    public static InvertedLists Wrap(KMeans means, int[] nearest, int learnedFrom) => new(means, nearest, learnedFrom);

    /// <summary>
    /// The lists of a table whose first rows have lists already. The centres are made anew once there are twice as many rows as they were made from.
    /// </summary>
    /// <param name="known">The lists so far; null when there are none.</param>
    /// <param name="table">The rows.</param>
    /// <param name="options">Number of lists, seed.</param>
    /// <param name="isNormalized">True when all rows have length 1.</param>
    /// <param name="parallelism">Most threads.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public static InvertedLists Extend(
        InvertedLists? known, VectorTable table, ApproximateSearchOptions options, bool isNormalized, int parallelism, CancellationToken cancellationToken)
    {
        var kept = known is not null && table.Count < (long)known.LearnedFrom * Growth ? known : null;
        var means = kept?.means ?? KMeans.Train(
            table, Math.Min(table.Count, options.Lists ?? (int)(2 * Math.Sqrt(table.Count))), isNormalized, options.Seed, parallelism, cancellationToken);
        var done = kept?.nearest ?? [];
        var added = new int[table.Count - done.Length];
        means.Assign(table, [.. Enumerable.Range(done.Length, added.Length)], added, parallelism, cancellationToken);
        return new(means, [.. done, .. added], kept?.LearnedFrom ?? table.Count);
    }

    /// <summary>The lists of the rows of these numbers, renumbered in that order.</summary>
    public InvertedLists Take(int[] kept) => new(means, [.. kept.Select(row => nearest[row])], LearnedFrom);

    /// <summary>The best rows of the nearest lists; of further ones too, as long as there are fewer rows than wanted.</summary>
    public (float Score, int Row)[] Search(VectorTable table, ReadOnlySpan<float> query, int count, int probes, bool byDistance)
    {
        var scores = ArrayPool<float>.Shared.Rent(means.Count);
        try
        {
            means.Score(query, byDistance, scores.AsSpan(0, means.Count));
            var wanted = Math.Min(count, table.Count);
            var best = new TopScores(wanted);
            for (var asked = Math.Min(probes, means.Count); ; asked = Math.Min(means.Count, asked * 2))
            {
                foreach (var centre in NearestCentres(scores, asked))
                    table.Scan(query, rows.AsSpan(starts[centre]..starts[centre + 1]), best);
                if (best.Count == wanted || asked == means.Count)
                    return best.TakeSorted();
                best = new TopScores(wanted);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scores);
        }
    }

    private IEnumerable<int> NearestCentres(float[] scores, int count)
    {
        var nearestOnes = new TopScores(count);
        for (var i = 0; i < means.Count; i++)
            nearestOnes.Offer(scores[i], i);
        return nearestOnes.TakeSorted().Select(entry => entry.Row);
    }
}
