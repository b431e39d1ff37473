using System.Globalization;
using System.Text.Json;
using Hone.Retrieval;

namespace Hone.Conformance;

/// <summary>
/// bm25.json: terms of every text, stems of single words, and for each query the ranking and the score of every document. Scores are compared to 1e-5,
/// which they were recorded to; documents without a score are those that are not found.
/// </summary>
internal sealed class Bm25Suite : IVectorSuite
{
    private const double Precision = 1e-5;

    public string Name => "bm25";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var root = VectorFile.Open(vectors, Name);
        return [.. root.Items("tokens").Select((each, index) => Terms(root, each, index)), .. Stems(root), .. root.Items("cases").Select(each => Query(root, each))];
    }

    private static CaseResult Terms(JsonElement root, JsonElement recorded, int index)
    {
        using var analyzer = new EnglishTextAnalyzer(Options(recorded).RemoveStopWords, Options(recorded).Stem);
        var id = $"terms {index} of {recorded.Text("corpus")}";
        foreach (var (expected, text) in recorded.Items("tokens").Zip(Texts(root, recorded)))
        {
            var terms = string.Join(' ', analyzer.Terms(text));
            var wanted = string.Join(' ', expected.EnumerateArray().Select(term => term.GetString()));
            if (terms != wanted)
                return CaseResult.Fail(id, $"'{text}' gives '{terms}', recorded '{wanted}'");
        }

        return CaseResult.Pass(id);
    }

    // Only words that are one term: the recording stems the word as it stands, an index never meets "don't" or "a".
    private static IEnumerable<CaseResult> Stems(JsonElement root)
    {
        using var analyzer = new EnglishTextAnalyzer(removeStopWords: false, stem: true);
        foreach (var stem in root.GetProperty("stems").EnumerateObject().Where(stem => stem.Name.Length > 1 && stem.Name.All(char.IsLetter)))
        {
            var found = string.Join(' ', analyzer.Terms(stem.Name));
            yield return found == stem.Value.GetString() ? CaseResult.Pass(stem.Name) : CaseResult.Fail(stem.Name, $"stem '{found}', recorded '{stem.Value}'");
        }
    }

    private static CaseResult Query(JsonElement root, JsonElement recorded)
    {
        var texts = Texts(root, recorded).ToArray();
        using var retriever = new LuceneRetriever(Options(recorded));
        // A control character is no term; as a title it keeps equal texts apart, which a search would return once.
        retriever.Add(texts.Select((text, index) => new SearchDocument($"{(char)(index + 1)}", text, Id(index))));
        var hits = retriever.Search(recorded.Text("query")!, texts.Length);
        var ranking = recorded.Items("ranking").Select(index => Id(index.GetInt32())).ToList();
        if (!ranking.SequenceEqual(hits.Select(hit => hit.Id)))
            return CaseResult.Fail(recorded.Id(), $"ranking {string.Join(' ', hits.Select(hit => hit.Id))}, recorded {string.Join(' ', ranking)}");
        var scores = recorded.Items("scores").Select(score => score.GetDouble()).ToArray();
        var found = hits.ToDictionary(hit => hit.Id, hit => hit.Score);
        var wrong = Enumerable.Range(0, scores.Length).Where(index => !(Math.Abs(scores[index] - found.GetValueOrDefault(Id(index))) <= Precision)).ToList();
        return wrong.Count == 0 ? CaseResult.Pass(recorded.Id()) : CaseResult.Fail(recorded.Id(), $"score of document {wrong[0]}: {found.GetValueOrDefault(Id(wrong[0]))}, recorded {scores[wrong[0]]}");
    }

    private static string Id(int index) => index.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<string> Texts(JsonElement root, JsonElement recorded) =>
        root.GetProperty("corpora").Items(recorded.Text("corpus")!).Select(text => text.GetString()!);

    private static LuceneOptions Options(JsonElement recorded) => new()
    {
        RemoveStopWords = recorded.GetProperty("stopwords").ValueKind == JsonValueKind.String,
        Stem = recorded.GetProperty("stemmed").GetBoolean(),
    };
}
