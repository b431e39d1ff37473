namespace Hone.Tests.Signatures;

public sealed class SignatureEditTests
{
    private static readonly Signature Base = Signature.Parse("question, context -> answer: int", "Do it.").WithName("Ask");

    [Theory]
    [InlineData(0, "mid, question, context")]
    [InlineData(1, "question, mid, context")]
    [InlineData(2, "question, context, mid")]
    [InlineData(-1, "question, context, mid")]
    [InlineData(-2, "question, mid, context")]
    [InlineData(-3, "mid, question, context")]
    public void Insert_Position_CountsWithinDirection(int index, string inputs)
    {
        var edited = Base.Insert(index, Input("mid"));

        Assert.Equal($"{inputs} -> answer", edited.Shape);
        Assert.Equal("Ask", edited.Name);
        Assert.Equal("Do it.", edited.Instructions);
        Assert.Equal("question, context -> answer", Base.Shape);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-4)]
    public void Insert_OutOfRange_StatesRange(int index)
    {
        var error = Assert.Throws<HoneException>(() => Base.Insert(index, Input("mid")));

        Assert.Contains("-3 to 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_TakenName_Throws() => Assert.Throws<HoneException>(() => Base.Append(Input("answer")));

    [Fact]
    public void Prepend_Output_ComesFirst() =>
        Assert.Equal("question, context -> reasoning, answer", Base.Prepend(new("reasoning", FieldType.String, FieldDirection.Output)).Shape);

    [Fact]
    public void Delete_UnknownName_ChangesNothing()
    {
        Assert.Equal(Base, Base.Delete("nope"));
        Assert.Equal("question -> answer", Base.Delete("context").Shape);
    }

    [Fact]
    public void WithUpdatedField_KeepsPositionAndOthers()
    {
        var edited = Base.WithUpdatedField("question", field => field with { Description = "what is asked" });

        Assert.Equal("what is asked", edited.Find("question")!.Description);
        Assert.Equal("question", edited.Inputs[0].Name);
        Assert.Contains("question, context, answer", Assert.Throws<HoneException>(() => Base.WithUpdatedField("nope", field => field)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AppendInstructions_JoinsWithBlankLine() => Assert.Equal("Do it.\n\nBriefly.", Base.AppendInstructions("Briefly.").Instructions);

    [Fact]
    public void Equals_ComparesTypes()
    {
        Assert.NotEqual(Signature.Parse("a -> b"), Signature.Parse("a -> b: int"));
        Assert.Equal(Signature.Parse("a -> b"), Signature.Parse("a: str -> b: str"));
    }

    private static SignatureField Input(string name) => new(name, FieldType.String, FieldDirection.Input);
}
