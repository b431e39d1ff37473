using System.Text.Json;

namespace Hone.Retrieval.Tests;

/// <summary>Cases recorded from bm25s; skipped where the recordings are absent.</summary>
public sealed class RecordedBm25Tests
{
    [Fact]
    public void Terms_RecordedCorpora_AreEqual()
    {
        using var vectors = Load();
        var root = vectors.RootElement;
        foreach (var recorded in root.GetProperty("tokens").EnumerateArray())
        {
            var texts = Texts(root, recorded);
            using var analyzer = Analyzer(recorded);
            foreach (var (expected, text) in recorded.GetProperty("tokens").EnumerateArray().Zip(texts))
                Assert.Equal(expected.EnumerateArray().Select(term => term.GetString()), analyzer.Terms(text));
        }
    }

    [Fact]
    public void Terms_RecordedStems_AreEqual()
    {
        using var vectors = Load();
        using var analyzer = new EnglishTextAnalyzer(removeStopWords: false, stem: true);
        var wrong = vectors.RootElement.GetProperty("stems").EnumerateObject()
            .Where(stem => stem.Name.All(char.IsLetter) && stem.Name.Length > 1)
            .Select(stem => (stem.Name, Expected: stem.Value.GetString(), Found: string.Join(' ', analyzer.Terms(stem.Name))))
            .Where(stem => stem.Expected != stem.Found);
        Assert.Empty(wrong);
    }

    [Fact]
    public void Search_RecordedQueries_ScoresAndOrderAreEqual()
    {
        using var vectors = Load();
        var root = vectors.RootElement;
        foreach (var recorded in root.GetProperty("cases").EnumerateArray())
        {
            var texts = Texts(root, recorded).ToArray();
            using var retriever = new LuceneRetriever(Options(recorded));
            // An empty title adds no term; the id makes equal texts distinct documents in this check only.
            retriever.Add(texts.Select((text, index) => new SearchDocument($"{(char)(index + 1)}", text, $"{index}")));
            var hits = retriever.Search(recorded.GetProperty("query").GetString()!, texts.Length);

            Assert.Equal(recorded.GetProperty("ranking").EnumerateArray().Select(index => $"{index}"), hits.Select(hit => hit.Id));
            var scores = recorded.GetProperty("scores").EnumerateArray().Select(score => score.GetDouble()).ToArray();
            Assert.All(hits, hit => Assert.Equal(scores[int.Parse(hit.Id)], hit.Score, 1e-5));
        }
    }

    private static IEnumerable<string> Texts(JsonElement root, JsonElement recorded) =>
        root.GetProperty("corpora").GetProperty(recorded.GetProperty("corpus").GetString()!).EnumerateArray().Select(text => text.GetString()!);

    private static EnglishTextAnalyzer Analyzer(JsonElement recorded) => new(Options(recorded).RemoveStopWords, Options(recorded).Stem);

    private static LuceneOptions Options(JsonElement recorded) => new()
    {
        RemoveStopWords = recorded.GetProperty("stopwords").ValueKind == JsonValueKind.String,
        Stem = recorded.GetProperty("stemmed").GetBoolean(),
    };

    private static JsonDocument Load()
    {
        var folder = Environment.GetEnvironmentVariable("HONE_VECTORS");
        for (var parent = new DirectoryInfo(AppContext.BaseDirectory); folder is null && parent is not null; parent = parent.Parent)
        {
            var candidate = Path.Combine(parent.FullName, "shared", "vectors");
            if (Directory.Exists(candidate))
                folder = candidate;
        }

        var path = folder is null ? null : Path.Combine(folder, "bm25.json");
        Assert.SkipUnless(File.Exists(path), "The recorded cases (bm25.json) are absent; set HONE_VECTORS to their folder.");
        return JsonDocument.Parse(File.ReadAllBytes(path!));
    }
}
