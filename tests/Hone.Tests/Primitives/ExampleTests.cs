namespace Hone.Tests.Primitives;

public sealed class ExampleTests
{
    private static readonly FieldMap Fields = FieldMap.Of(("question", "Where?"), ("context", "Here."), ("answer", "Here"));

    /// <summary>D21: what goes in and what should come out are two values; no copy can lose the division.</summary>
    [Fact]
    public void WithInputs_DividesTheFields()
    {
        var example = Example.WithInputs(Fields, "question", "context");
        Assert.Equal(FieldMap.Of(("question", "Where?"), ("context", "Here.")), example.Input);
        Assert.Equal(FieldMap.Of(("answer", "Here")), example.Expected);
        Assert.Equal(FieldMap.Empty, Example.WithInputs(Fields, "answer", "question", "context").Expected);
    }

    [Fact]
    public void WithInputs_UnknownFieldOrNone_NamesTheFields()
    {
        var error = Assert.Throws<HoneException>(() => Example.WithInputs(Fields, "query"));
        Assert.Contains("no field 'query' to be an input. It has: question, context, answer", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<HoneException>(() => Example.WithInputs(Fields));
        Assert.Contains("question, context, answer", error.Message, StringComparison.Ordinal);
    }
}
