using System.Collections.Immutable;

namespace Hone.Tests.Datasets;

public sealed class CorpusTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Gsm8k_Row_HasTheNumberAndThePlainReasoning()
    {
        var example = Corpus.Gsm8k.ToExample(Row("""{"question": "q", "answer": "She has 3*400=<<3*400=1200>>1200.\n#### 1,200"}"""));
        Assert.Equal(("1200", "She has 3*400=1200."), (example.Expected["answer"], example.Labels["gold_reasoning"]));
        Assert.Contains("x.jsonl, line 1", Assert.Throws<DataFileException>(() => Corpus.Gsm8k.ToExample(Row("""{"question": "q", "answer": "1"}"""))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"so \boxed{\frac{1}{2}}.", @"\frac{1}{2}")]
    [InlineData(@"first \boxed{1}, then $\boxed{ 2 }$", "2")]
    [InlineData(@"\fbox{3}", "3")]
    [InlineData(@"it is $\boxed 4$", "4")]
    [InlineData(@"\boxed{\left\{1, 2\right\}}", @"\left\{1, 2\right\}")]
    public void Math_Row_HasWhatIsBoxed(string solution, string expected)
    {
        var row = new DataRow(FieldMap.Of(("problem", "p"), ("solution", solution), ("level", "Level 5")), new("x.json", 1));
        Assert.Equal(expected, Corpus.Math.ToExample(row).Expected["answer"]);
    }

    [Theory]
    [InlineData("""{"_id": "7", "question": "q", "answer": "a", "type": "bridge", "level": "hard", "supporting_facts": [["T", 0], ["T", 1], ["U", 0]], "context": [["T", ["One. ", "Two."]]]}""")]
    [InlineData("""{"id": "7", "question": "q", "answer": "a", "type": "bridge", "level": "hard", "supporting_facts": {"title": ["T", "T", "U"], "sent_id": [0, 1, 0]}, "context": {"title": ["T"], "sentences": [["One. ", "Two."]]}}""")]
    public void HotPotQA_BothLayouts_GiveTheSame(string json)
    {
        var example = Corpus.HotPotQA.ToExample(Row(json));
        Assert.Equal(("7", "a", "hard"), (example.Id, example.Expected["answer"], example.Labels["level"]));
        Assert.Equal(["T", "U"], (ImmutableArray<object?>)example.Labels["gold_titles"]!);
        Assert.Equal(["T | One. Two."], (ImmutableArray<object?>)example.Labels["passages"]!);
    }

    [Theory]
    [InlineData("""{"uid": "u1", "claim": "c", "supporting_facts": [["T", 0], ["U", 2], ["T", 1]], "label": "SUPPORTED", "num_hops": 3, "other": 1}""")]
    [InlineData("""{"id": "u1", "claim": "c", "supporting_facts": [{"key": "T", "value": 0}, {"key": "U", "value": 2}], "label": "SUPPORTED", "num_hops": 3}""")]
    public void Hover_BothLayouts_GiveTheSame(string json)
    {
        var example = Corpus.Hover.ToExample(Row(json));
        Assert.Equal(("u1", "c"), (example.Id, example.Input["claim"]));
        Assert.Equal(["T", "U"], (ImmutableArray<object?>)example.Expected["titles"]!);
        Assert.Equal(FieldMap.Of(("label", "SUPPORTED"), ("num_hops", 3L)), example.Labels);
        Assert.Equal("claim -> titles: list[str]", Corpus.Hover.Signature);
    }

    [Fact]
    public void Pupa_Row_HasItsDetailsOnceEach()
    {
        var example = Corpus.Pupa.ToExample(Row(
            """{"conversation_hash": "h", "user_query": "Write to Ann in Rome.", "target_response": "Dear Ann", "pii_units": "Ann||Rome|| Ann ||", "redacted_query": "Write to [R].", "predicted_category": "letters"}"""));
        Assert.Equal(("h", "Write to Ann in Rome.", "Dear Ann"), (example.Id, example.Input["user_query"], example.Expected["response"]));
        Assert.Equal(["Ann", "Rome"], (ImmutableArray<object?>)example.Labels["pii"]!);
        Assert.Equal(("Write to [R].", "letters"), (example.Labels["redacted_query"], example.Labels["category"]));
        Assert.Contains("'pii_units'", Assert.Throws<DataFileException>(() => Corpus.Pupa.ToExample(Row("""{"user_query": "q", "target_response": "r"}"""))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"text": "Where is my card?", "category": "card_arrival"}""")]
    [InlineData("""{"text": "Where is my card?", "label_text": "card_arrival", "label": 11}""")]
    [InlineData("""{"text": "Where is my card?", "label": "card_arrival"}""")]
    public void Banking77_EveryLayout_GivesTheSame(string json)
    {
        var example = Corpus.Banking77.ToExample(Row(json));
        Assert.Equal((FieldMap.Of(("text", "Where is my card?")), FieldMap.Of(("category", "card_arrival"))), (example.Input, example.Expected));
    }

    [Theory]
    [InlineData("gsm8k_test.jsonl", "answer")]
    [InlineData("hover_dev.jsonl", "titles")]
    [InlineData("pupa_new.jsonl", "response")]
    [InlineData("banking77_train.csv", "category")]
    public async Task ReadAsync_TheRealFile_IsWhole(string file, string output)
    {
        var path = Find(file);
        Assert.SkipWhen(path is null, $"{file} is not here: set HONE_DATA to its folder.");
        var corpus = file[0] switch { 'g' => Corpus.Gsm8k, 'h' => Corpus.Hover, 'p' => Corpus.Pupa, _ => Corpus.Banking77 };
        var examples = await corpus.ReadAsync(path!, Token).ToListAsync(Token);
        Assert.True(examples.Count > 400);
        Assert.All(examples, example => Assert.True(example.Expected[output] is string { Length: > 0 } or ImmutableArray<object?> { Length: > 0 }));
        Assert.Equal([output], examples[0].Expected.Keys);
        if (file[0] == 'b')
            Assert.Equal((10_003, 77), (examples.Count, examples.Select(example => example.Expected["category"]).Distinct().Count()));
        if (file[0] == 'g')
            Assert.All(examples, example => Assert.NotNull(CorpusMetrics.LastInteger((string)example.Expected["answer"]!)));
    }

    [Fact]
    public async Task ReadJsonAsync_TheRealFile_BecomesExamplesByRoles()
    {
        var path = Find("facility_support.json");
        Assert.SkipWhen(path is null, "facility_support.json is not here: set HONE_DATA to its folder.");
        var examples = await DataFiles.ReadAsync(path!, cancellationToken: Token).AsExamples(FieldRoles.WithInputs("fields").WithExpected("answer")).ToListAsync(Token);
        Assert.Equal(134, examples.Count);
    }

    [Fact]
    public async Task ReadAsync_OtherSet_NamesTheField()
    {
        var row = Row("""{"text": "t", "label": 3}""");
        Assert.Contains("there is no field 'supporting_facts'", Assert.Throws<DataFileException>(() => Corpus.Hover.ToExample(row)).Message, StringComparison.Ordinal);
        Assert.Contains("number of a class", (await Assert.ThrowsAsync<DataFileException>(async () =>
            await Corpus.Banking77.ReadAsync(new[] { row }.ToAsyncEnumerable(), Token).ToListAsync(Token))).Message, StringComparison.Ordinal);
    }

    private static DataRow Row(string json) => new((FieldMap)JsonValues.FromElement(System.Text.Json.JsonDocument.Parse(json).RootElement)!, new("x.jsonl", 1));

    private static string? Find(string file)
    {
        if (Environment.GetEnvironmentVariable("HONE_DATA") is { } given)
            return Path.Combine(given, file);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "data", file);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
