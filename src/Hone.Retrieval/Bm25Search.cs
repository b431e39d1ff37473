using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Lucene.Net.Index;
using Lucene.Net.Search;

namespace Hone.Retrieval;

/// <summary>
/// BM25 (Robertson and Zaragoza 2009), term by term over an index: idf = ln(1 + (N − n + 0.5) / (n + 0.5)), times
/// tf / (tf + k1 (1 − b + b length / average length)). Lucene's scorers walk all terms side by side through a heap and allocate tables for each
/// search, which costs several times as much for the short queries that programs send. N, n and the average length are those of the documents that
/// are left: a deleted one leaves no trace in any score, while Lucene counts it until its segment is merged.
/// </summary>
/// <remarks>What a term adds to each document is worked out once for a state of the index, as BM25S does for all terms in advance (Lù 2024).</remarks>
internal sealed class Bm25Search(string field, LuceneOptions options)
{
    private readonly ConditionalWeakTable<IndexReader, State> states = [];

    // By segment as a search sees it; a segment with further deletions is another reader.
    private readonly ConditionalWeakTable<AtomicReader, StrongBox<long>> lengths = [];

    /// <summary>The best documents by number, best first, ties by number. A term that is given twice counts twice.</summary>
    public List<(int Document, float Score)> Search(IndexReader reader, IReadOnlyList<string> terms, int count)
    {
        var state = states.GetValue(reader, StateOf);
        var sums = ArrayPool<float>.Shared.Rent(Math.Max(1, reader.MaxDoc));
        Array.Clear(sums, 0, reader.MaxDoc);
        try
        {
            foreach (var term in terms)
                ScoresOf(reader, state, term).AddTo(sums);
            return Best(sums.AsSpan(0, reader.MaxDoc), count);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(sums);
        }
    }

    private State StateOf(IndexReader reader) =>
        new(new(options.ScoreCacheBytes), reader.NumDocs, reader.Leaves.Sum(leaf => lengths.GetValue(leaf.AtomicReader, segment => new(TermsIn(segment))).Value) / (double)reader.NumDocs);

    private TermScores ScoresOf(IndexReader reader, State state, string text)
    {
        if (state.Cache.Find(text) is { } known)
            return known;
        var term = new Term(field, text);
        var frequency = reader.Leaves.Sum(leaf => FrequencyIn(leaf.AtomicReader, term));
        var scores = frequency == 0 ? TermScores.None : new TermScores(new int[frequency], new float[frequency]);
        if (frequency > 0)
        {
            var idf = Math.Log(1 + ((state.Documents - frequency + 0.5) / (frequency + 0.5)));
            var next = 0;
            foreach (var leaf in reader.Leaves)
                next = Fill(scores, next, leaf, term, idf, state.AverageLength);
        }

        state.Cache.Keep(text, scores);
        return scores;
    }

    private int Fill(TermScores scores, int next, AtomicReaderContext leaf, Term term, double idf, double averageLength)
    {
        if (leaf.AtomicReader.GetTermDocsEnum(term) is not { } postings)
            return next;
        var lengthOf = leaf.AtomicReader.GetNormValues(term.Field);
        var (floor, slope) = (options.K1 * (1 - options.B), options.K1 * options.B / averageLength);
        for (var document = postings.NextDoc(); document != DocIdSetIterator.NO_MORE_DOCS; document = postings.NextDoc())
        {
            var occurrences = postings.Freq;
            scores.Documents[next] = leaf.DocBase + document;
            scores.Scores[next++] = (float)(idf * occurrences / (occurrences + floor + (slope * lengthOf.Get(document))));
        }

        return next;
    }

    // Documents of a segment that hold a term. Only where some are deleted must they be looked at one by one.
    private static int FrequencyIn(AtomicReader segment, Term term)
    {
        if (!segment.HasDeletions)
            return segment.DocFreq(term);
        if (segment.GetTermDocsEnum(term) is not { } postings)
            return 0;
        var count = 0;
        while (postings.NextDoc() != DocIdSetIterator.NO_MORE_DOCS)
            count++;
        return count;
    }

    private long TermsIn(AtomicReader segment)
    {
        if (!segment.HasDeletions)
            return Math.Max(0, segment.GetSumTotalTermFreq(field));
        var (sum, live, lengthOf) = (0L, segment.LiveDocs, segment.GetNormValues(field));
        for (var document = 0; lengthOf is not null && document < segment.MaxDoc; document++)
            sum += live.Get(document) ? lengthOf.Get(document) : 0;
        return sum;
    }

    // A document without a term of the query has the sum 0; every other has more.
    private static List<(int Document, float Score)> Best(ReadOnlySpan<float> sums, int count)
    {
        // The queue's first is the worst kept: lowest score, then highest number. Numbers ascend, so of equal scores the kept one is the lower.
        var kept = new PriorityQueue<int, (float Score, int Order)>();
        var worst = 0f;
        for (var start = 0; start < sums.Length; start += Vector<float>.Count)
        {
            var block = sums[start..Math.Min(sums.Length, start + Vector<float>.Count)];
            if (block.Length == Vector<float>.Count && !Vector.GreaterThanAny(new Vector<float>(block), new Vector<float>(worst)))
                continue;
            for (var i = 0; i < block.Length; i++)
            {
                if (block[i] <= worst)
                    continue;
                if (kept.Count < count)
                    kept.Enqueue(start + i, (block[i], -(start + i)));
                else
                    kept.EnqueueDequeue(start + i, (block[i], -(start + i)));
                if (kept.Count == count && kept.TryPeek(out _, out var lowest))
                    worst = lowest.Score;
            }
        }

        var best = new List<(int, float)>(kept.Count);
        while (kept.TryDequeue(out var document, out var priority))
            best.Add((document, priority.Score));
        best.Reverse();
        return best;
    }

    /// <summary>One state of the index.</summary>
    private sealed record State(TermScoreCache Cache, double Documents, double AverageLength);
}
