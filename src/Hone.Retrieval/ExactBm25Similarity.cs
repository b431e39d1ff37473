using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Search.Similarities;
using Lucene.Net.Util;

namespace Hone.Retrieval;

/// <summary>
/// BM25 (Robertson and Zaragoza 2009) with idf = ln(1 + (N - n + 0.5) / (n + 0.5)) and tf / (tf + k1 (1 - b + b length / average)).
/// Lucene's own class rounds each document length to one byte; this one keeps it, so that scores are exact.
/// </summary>
internal sealed class ExactBm25Similarity(double k1, double b) : Similarity
{
    public override long ComputeNorm(FieldInvertState state) => state.Length;

    public override SimWeight ComputeWeight(float queryBoost, CollectionStatistics collectionStats, params TermStatistics[] termStats)
    {
        double documents = collectionStats.MaxDoc;
        var averageLength = collectionStats.SumTotalTermFreq / documents;
        var idf = termStats.Sum(term => Math.Log(1 + ((documents - term.DocFreq + 0.5) / (term.DocFreq + 0.5))));
        return new Weight(collectionStats.Field, idf * queryBoost, averageLength);
    }

    public override SimScorer GetSimScorer(SimWeight weight, AtomicReaderContext context)
    {
        var own = (Weight)weight;
        return new Scorer(own, k1, b, context.AtomicReader.GetNormValues(own.Field));
    }

    private sealed class Weight(string fieldName, double factor, double averageLength) : SimWeight
    {
        public string Field => fieldName;

        public double Factor { get; private set; } = factor;

        public double AverageLength => averageLength;

        public override float GetValueForNormalization() => 1;

        public override void Normalize(float queryNorm, float topLevelBoost) => Factor *= topLevelBoost;
    }

    private sealed class Scorer(Weight weight, double k1, double b, NumericDocValues lengths) : SimScorer
    {
        public override float Score(int doc, float freq)
        {
            var length = lengths.Get(doc);
            return (float)(weight.Factor * freq / (freq + (k1 * (1 - b + (b * length / weight.AverageLength)))));
        }

        public override float ComputeSlopFactor(int distance) => 1f / (distance + 1);

        public override float ComputePayloadFactor(int doc, int start, int end, BytesRef payload) => 1;
    }
}
