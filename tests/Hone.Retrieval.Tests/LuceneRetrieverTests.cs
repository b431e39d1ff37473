using CsCheck;

namespace Hone.Retrieval.Tests;

public sealed class LuceneRetrieverTests
{
    private static readonly SearchDocument[] Cities =
    [
        new("Halden Bay", "Halden Bay is a city on the river Velmont."),
        new("Terden Hill", "Terden Hill is a city in Galmar."),
        new("Velmont", "Velmont is a river in Galmar.", "river-1"),
    ];

    [Fact]
    public void Search_Title_FindsTheDocumentWithItsParts()
    {
        using var retriever = With(Cities);

        var hits = retriever.Search("the river velmont", 2);

        Assert.Equal(["river-1", "Halden Bay"], hits.Select(hit => hit.Id));
        Assert.Equal("Velmont", hits[0].Title);
        Assert.Equal("Velmont is a river in Galmar.", hits[0].Text);
        Assert.True(hits[0].Score > hits[1].Score);
        Assert.Equal(3, retriever.Count);
    }

    [Fact]
    public async Task SearchAsync_CancelledToken_Throws()
    {
        using var retriever = With(Cities);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => retriever.SearchAsync("city", 1, new CancellationToken(canceled: true)));
        Assert.Equal(2, (await retriever.SearchAsync("city", 9, TestContext.Current.CancellationToken)).Count);
    }

    [Fact]
    public void Search_InflectedWords_MatchesByStem()
    {
        using var retriever = With(new("a", "The generalizations were running."), new("b", "Nothing here."));
        Assert.Equal(["a"], retriever.Search("generalized run", 5).Select(hit => hit.Title));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("the of and")]
    [InlineData("+ - && || ! ( ) { } [ ] ^ \" ~ * ? : \\ /")]
    public void Search_NoTerms_FindsNothing(string query)
    {
        using var retriever = With(Cities);
        Assert.Empty(retriever.Search(query, 3));
    }

    [Theory]
    [InlineData("content:velmont")]
    [InlineData("\"velmont\" AND (river OR")]
    [InlineData("velm* velmont~2 [a TO z]")]
    [InlineData("velmont^9 -river")]
    public void Search_QuerySyntax_IsPlainText(string query)
    {
        using var retriever = With(Cities);
        Assert.Equal("Velmont", retriever.Search(query, 1).Single().Title);
    }

    [Fact]
    public void Search_AnyText_NeverThrowsAndIsBounded()
    {
        using var retriever = With(Cities);
        Gen.String.Select(Gen.Int[0, 5]).Sample((query, count) => Assert.True(retriever.Search(query, count).Count <= count), iter: 500);
    }

    [Fact]
    public void Search_ThousandsOfTerms_FindsTheBest()
    {
        using var retriever = With(Cities);
        var query = string.Join(' ', Enumerable.Range(0, 5000).Select(i => $"word{i}")) + " terden";
        Assert.Equal("Terden Hill", retriever.Search(query, 1).Single().Title);
    }

    [Fact]
    public void Search_EqualScores_KeepsTheOrderOfAdding()
    {
        using var retriever = new LuceneRetriever();
        for (var i = 0; i < 300; i++)
            retriever.Add(new SearchDocument($"t{i}", "same words"));
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"t{i}"), retriever.Search("words", 300).Select(hit => hit.Title));
    }

    /// <summary>Whoever wants all of them need not know how many there are.</summary>
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1_500_000_000)]
    [InlineData(3)]
    public void Search_ForMoreThanThereIs_FindsAll(int count)
    {
        using var search = new LuceneRetriever();
        search.Add(new SearchDocument("a", "river"), new SearchDocument("b", "river bank"), new SearchDocument("a", "river"), new SearchDocument("c", "hill"));
        Assert.Equal(["a", "b"], search.Search("river", count).Select(passage => passage.Id));
        using var empty = new LuceneRetriever();
        Assert.Empty(empty.Search("river", count));
    }

    [Fact]
    public void Search_DuplicateDocuments_ReturnsOne()
    {
        using var retriever = With(new("a", "red fox"), new("a", "red fox"), new("a", "red fox"), new("b", "a red hen on a long fence"));
        Assert.Equal(["a", "b"], retriever.Search("red", 2).Select(hit => hit.Title));
    }

    [Fact]
    public void Search_RepeatedQueryTerm_CountsAsOften()
    {
        using var retriever = With(new("x", "red"), new("y", "blue"));
        var once = retriever.Search("red", 1)[0].Score;
        Assert.Equal(2 * once, retriever.Search("red red", 1)[0].Score, 1e-6);
    }

    [Fact]
    public void Search_Formula_IsBm25()
    {
        using var retriever = With(new("", "red red fox"), new("", "red hen runs fast away"));
        // N = 2, n = 2, average length 4; first document: tf 2, length 3.
        var expected = Math.Log(1 + (0.5 / 2.5)) * 2 / (2 + (0.9 * (1 - 0.4 + (0.4 * 3 / 4.0))));
        Assert.Equal(expected, retriever.Search("red", 1)[0].Score, 1e-6);
    }

    [Fact]
    public void Search_ZeroK1_IgnoresFrequency()
    {
        SearchDocument[] documents = [new("", "red hen"), new("", "red red red")];
        using var flat = WithOptions(new LuceneOptions { K1 = 0 }, documents);
        using var counting = WithOptions(new LuceneOptions { K1 = 2 }, documents);
        Assert.Equal("red hen", flat.Search("red", 1)[0].Text);
        Assert.Equal("red red red", counting.Search("red", 1)[0].Text);
    }

    [Fact]
    public void Search_ZeroB_IgnoresLength()
    {
        SearchDocument[] documents = [new("", "red hen lives behind seven old mills"), new("", "red hen")];
        using var flat = WithOptions(new LuceneOptions { B = 0 }, documents);
        using var discounting = WithOptions(new LuceneOptions { B = 1 }, documents);
        Assert.Equal(documents[0].Text, flat.Search("red", 1)[0].Text);
        Assert.Equal(documents[1].Text, discounting.Search("red", 1)[0].Text);
    }

    [Fact]
    public void Options_OutOfRange_NameTheOption()
    {
        Assert.Equal("K1", Assert.Throws<ArgumentOutOfRangeException>(() => new LuceneOptions { K1 = double.NaN }).ParamName);
        Assert.Equal("B", Assert.Throws<ArgumentOutOfRangeException>(() => new LuceneOptions { B = 1.5 }).ParamName);
    }

    [Fact]
    public void Search_FromManyThreads_GivesTheSameHits()
    {
        var documents = Enumerable.Range(0, 2000).Select(i => new SearchDocument($"name{i % 97} word{i % 89}", $"It is number{i} of kind{i % 7}.")).ToArray();
        using var retriever = With(documents);
        var queries = Enumerable.Range(0, 400).Select(i => $"name{i % 97} kind{i % 5}").ToArray();
        var expected = queries.Select(query => retriever.Search(query, 5)).ToArray();

        var found = new IReadOnlyList<Passage>[queries.Length];
        Parallel.For(0, queries.Length, new() { MaxDegreeOfParallelism = 8 }, i => found[i] = retriever.Search(queries[i], 5));

        Assert.All(queries.Index(), query => Assert.Equal(expected[query.Index], found[query.Index]));
    }

    [Fact]
    public void Directory_Reopened_KeepsDocuments()
    {
        var folder = Directory.CreateTempSubdirectory("hone-retrieval-");
        try
        {
            var options = new LuceneOptions { Directory = folder.FullName };
            IReadOnlyList<Passage> before;
            using (var first = WithOptions(options, Cities))
                before = first.Search("city Galmar", 3);
            using var second = new LuceneRetriever(options);
            Assert.Equal(before, second.Search("city Galmar", 3));
            second.Add(new SearchDocument("Gan Ford", "Gan Ford is a city."));
            Assert.Equal(4, second.Count);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Constructor_FolderInUse_NamesTheFolder()
    {
        var folder = Directory.CreateTempSubdirectory("hone-retrieval-");
        try
        {
            var options = new LuceneOptions { Directory = folder.FullName };
            using var first = new LuceneRetriever(options);
            Assert.Contains(folder.FullName, Assert.Throws<HoneException>(() => new LuceneRetriever(options)).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static LuceneRetriever With(params SearchDocument[] documents) => WithOptions(new LuceneOptions(), documents);

    private static LuceneRetriever WithOptions(LuceneOptions options, params SearchDocument[] documents)
    {
        var retriever = new LuceneRetriever(options);
        retriever.Add(documents);
        return retriever;
    }
}
