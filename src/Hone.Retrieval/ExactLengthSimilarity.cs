using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Search.Similarities;

namespace Hone.Retrieval;

/// <summary>
/// Stores the number of terms of each document beside the index. Lucene's own BM25 rounds it to one byte, which no recorded score survives.
/// Scoring is done by <see cref="Bm25Search"/>.
/// </summary>
internal sealed class ExactLengthSimilarity : Similarity
{
    public override long ComputeNorm(FieldInvertState state) => state.Length;

    public override SimWeight ComputeWeight(float queryBoost, CollectionStatistics collectionStats, params TermStatistics[] termStats) =>
        throw NotForQueries();

    public override SimScorer GetSimScorer(SimWeight weight, AtomicReaderContext context) => throw NotForQueries();

    private static NotSupportedException NotForQueries() => new("Queries are scored by Bm25Search.");
}
