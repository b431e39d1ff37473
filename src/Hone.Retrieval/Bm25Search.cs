using System.Buffers;
using System.Runtime.CompilerServices;
using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Util;

namespace Hone.Retrieval;

/// <summary>
/// BM25 (Robertson and Zaragoza 2009), term by term over an index: idf = ln(1 + (N − n + 0.5) / (n + 0.5)), times
/// tf / (tf + k1 (1 − b + b length / average length)). Lucene's scorers walk all terms side by side through a heap and allocate tables for each
/// search, which costs several times as much for the short queries that programs send. N, n and the average length are those of the documents that
/// are left: a deleted one leaves no trace in any score, while Lucene counts it until its segment is merged.
/// </summary>
internal sealed class Bm25Search(string field, double k1, double b)
{
    // By segment as a search sees it; a segment with further deletions is another reader.
    private readonly ConditionalWeakTable<AtomicReader, StrongBox<long>> lengths = [];

    /// <summary>The best documents by number, best first, ties by number. A term that is given twice counts twice.</summary>
    public List<(int Document, float Score)> Search(IndexReader reader, IReadOnlyList<string> terms, int count)
    {
        var scores = ArrayPool<float>.Shared.Rent(Math.Max(1, reader.MaxDoc));
        Array.Clear(scores, 0, reader.MaxDoc);
        try
        {
            var matches = Accumulate(reader, terms, scores);
            return Best(scores, matches, count);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(scores);
        }
    }

    // Adds each term's contribution to its documents; returns the documents touched.
    private List<int> Accumulate(IndexReader reader, IReadOnlyList<string> terms, float[] scores)
    {
        var matches = new List<int>();
        double documents = reader.NumDocs;
        var averageLength = reader.Leaves.Sum(LengthOf) / documents;
        foreach (var text in terms)
        {
            var term = new Term(field, text);
            var frequency = reader.Leaves.Sum(leaf => FrequencyIn(leaf.AtomicReader, term));
            if (frequency == 0)
                continue;
            var idf = Math.Log(1 + ((documents - frequency + 0.5) / (frequency + 0.5)));
            foreach (var leaf in reader.Leaves)
                AddTerm(leaf, term, idf, averageLength, scores, matches);
        }

        return matches;
    }

    private void AddTerm(AtomicReaderContext leaf, Term term, double idf, double averageLength, float[] scores, List<int> matches)
    {
        if (leaf.AtomicReader.GetTermDocsEnum(term) is not { } postings)
            return;
        var lengthOf = leaf.AtomicReader.GetNormValues(term.Field);
        var (floor, slope) = (k1 * (1 - b), k1 * b / averageLength);
        for (var document = postings.NextDoc(); document != DocIdSetIterator.NO_MORE_DOCS; document = postings.NextDoc())
        {
            var occurrences = postings.Freq;
            var number = leaf.DocBase + document;
            if (scores[number] == 0)
                matches.Add(number);
            scores[number] += (float)(idf * occurrences / (occurrences + floor + (slope * lengthOf.Get(document))));
        }
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

    private long LengthOf(AtomicReaderContext leaf) => lengths.GetValue(leaf.AtomicReader, segment => new(TermsIn(segment))).Value;

    private long TermsIn(AtomicReader segment)
    {
        if (!segment.HasDeletions)
            return Math.Max(0, segment.GetSumTotalTermFreq(field));
        var (sum, live, lengthOf) = (0L, segment.LiveDocs, segment.GetNormValues(field));
        for (var document = 0; lengthOf is not null && document < segment.MaxDoc; document++)
            sum += live.Get(document) ? lengthOf.Get(document) : 0;
        return sum;
    }

    private static List<(int Document, float Score)> Best(float[] scores, List<int> matches, int count)
    {
        // The queue's first is the worst kept: lowest score, then highest number.
        var kept = new PriorityQueue<int, (float Score, int Order)>(Math.Min(count, matches.Count) + 1);
        foreach (var document in matches)
        {
            var priority = (scores[document], -document);
            if (kept.Count < count)
                kept.Enqueue(document, priority);
            else
                kept.EnqueueDequeue(document, priority);
        }

        var best = new List<(int, float)>(kept.Count);
        while (kept.TryDequeue(out var document, out var priority))
            best.Add((document, priority.Score));
        best.Reverse();
        return best;
    }
}
