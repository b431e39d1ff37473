namespace Hone.Tests.Datasets;

public sealed class FieldRolesTests
{
    private static readonly FieldMap Row = FieldMap.Of(("key", 7L), ("Question", "q"), ("answer", "a"), ("level", "hard"), ("stars", "4"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void ToExample_WithoutExpected_TakesWhatIsLeft()
    {
        var example = FieldRoles.WithInputs("question").WithLabels("level").WithId("key").Renamed("Question", "question").ToExample(Row);
        Assert.Equal(FieldMap.Of(("question", "q")), example.Input);
        Assert.Equal(FieldMap.Of(("answer", "a"), ("stars", "4")), example.Expected);
        Assert.Equal(FieldMap.Of(("level", "hard")), example.Labels);
        Assert.Equal("7", example.Id);
    }

    [Fact]
    public void ToExample_WithExpected_MakesTheRestLabels()
    {
        var example = FieldRoles.WithInputs("Question").WithExpected("answer").ToExample(Row);
        Assert.Equal(FieldMap.Of(("answer", "a")), example.Expected);
        Assert.Equal(["key", "level", "stars"], example.Labels.Keys);
    }

    [Fact]
    public void ToExample_FieldMissing_NamesItAndThePlace()
    {
        var error = Assert.Throws<DataFileException>(() => FieldRoles.WithInputs("query").ToExample(new DataRow(Row, new("x.csv", 3))));
        Assert.Equal("x.csv, line 3: there is no field 'query'; fields: key, Question, answer, level, stars.", error.Message);
        Assert.Throws<HoneException>(() => FieldRoles.WithInputs("query").ToExample(Row));
    }

    [Fact]
    public async Task AsExamples_Typed_ReadsTextsAsThePropertiesTypes()
    {
        var example = await Rows("question,star_count,Is_Good,level,key\nq,4,true,hard,r1\n").AsExamples<Ask, Judged>("key").SingleAsync(Token);
        Assert.Equal((new Ask("q"), new Judged(4, true)), (example.Input, example.Expected));
        Assert.Equal((FieldMap.Of(("level", "hard")), "r1"), (example.Labels, example.Id));
    }

    [Theory]
    [InlineData("question,star_count,is_good\nq,many,true\n", "x.csv, line 2: the field 'star_count' is no int")]
    [InlineData("question,is_good\nq,true\n", "x.csv, line 2: there is no field 'star_count'; fields: question, is_good.")]
    public async Task AsExamples_TypedAndUnfit_SaysWhere(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<DataFileException>(async () => await Rows(text).AsExamples<Ask, Judged>().ToListAsync(Token));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    private static IAsyncEnumerable<DataRow> Rows(string text) => DataFiles.ReadCsvAsync(new StringReader(text), "x.csv", cancellationToken: Token);

    private sealed record Ask(string Question);

    private sealed record Judged(int StarCount, bool IsGood);
}
