using System.Runtime.CompilerServices;

namespace Hone.Retrieval;

/// <summary>What a term adds to the documents that have it, by ascending number.</summary>
internal sealed record TermScores(int[] Documents, float[] Scores)
{
    private const int Overhead = 150;

    public static TermScores None { get; } = new([], []);

    public long Size => Overhead + (8L * Documents.Length);

    /// <summary>Adds them up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddTo(float[] sums)
    {
        var scores = Scores.AsSpan(0, Documents.Length);
        for (var i = 0; i < scores.Length; i++)
            sums[Documents[i]] += scores[i];
    }
}

/// <summary>
/// The scores of terms in one state of an index, bounded by bytes. In two generations: what is asked for moves into the young one; when that is half of the bound, it
/// becomes the old one, and what nobody asked for since is forgotten.
/// </summary>
internal sealed class TermScoreCache(long maxBytes)
{
    private readonly Lock gate = new();
    private Dictionary<string, TermScores> young = new(StringComparer.Ordinal);
    private Dictionary<string, TermScores> old = new(StringComparer.Ordinal);
    private long bytes;

    public TermScores? Find(string term)
    {
        lock (gate)
        {
            if (young.TryGetValue(term, out var found))
                return found;
            if (old.Remove(term, out found))
                Add(term, found);
            return found;
        }
    }

    public void Keep(string term, TermScores scores)
    {
        if (scores.Size > maxBytes / 2)
            return;
        lock (gate)
        {
            if (!young.ContainsKey(term))
                Add(term, scores);
        }
    }

    private void Add(string term, TermScores scores)
    {
        if (bytes + scores.Size > maxBytes / 2)
            (old, young, bytes) = (young, new(StringComparer.Ordinal), 0);
        young[term] = scores;
        bytes += scores.Size;
    }
}
