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

    /// <summary>D3: no field is lost to another of its name.</summary>
    [Fact]
    public void Prepend_TakenName_ThrowsInsteadOfLosingOne()
    {
        var signature = Signature.Parse("question -> reasoning, answer");

        var error = Assert.Throws<HoneException>(() => signature.Prepend(new("reasoning", FieldType.String, FieldDirection.Output)));

        Assert.Contains("'reasoning' twice", error.Message, StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => signature.WithUpdatedField("answer", field => field with { Name = "question" }));
    }

    /// <summary>D3: an edit keeps the name.</summary>
    [Fact]
    public void EveryEdit_KeepsNameInstructionsAndOtherFields()
    {
        Signature[] edited =
        [
            Base.Append(Input("x")), Base.Prepend(Input("x")), Base.Insert(1, Input("x")), Base.Delete("context"), Base.WithUpdatedField("answer", field => field with { Type = FieldType.String }),
        ];

        Assert.All(edited, each => Assert.Equal(("Ask", "Do it."), (each.Name, each.Instructions)));
        Assert.All(edited, each => Assert.Same(Base.Inputs[0], each.Find("question")));
        Assert.Equal("question, context -> answer: int", Base.ToString());
        Assert.Equal("Other", Base.WithName("Other").Name);
        Assert.Equal(Base, Base.WithName("Other"));
    }

    [Fact]
    public void Equals_ComparesEveryPartOfAField()
    {
        Func<SignatureField, SignatureField>[] edits =
        [
            field => field with { Description = "d" }, field => field with { Prefix = "p" }, field => field with { HasDefault = true }, field => field with { HasDefault = true, Default = 1L },
            field => field with { Constraints = [new("ge", 1L)] }, field => field with { Type = FieldType.Number }, field => field with { Name = "other" },
        ];

        Assert.All(edits, edit => Assert.NotEqual(Base, Base.WithUpdatedField("answer", edit)));
        Assert.All(edits, edit => Assert.Equal(Base.WithUpdatedField("answer", edit), Base.WithUpdatedField("answer", edit)));
        Assert.NotEqual(Signature.Parse("a, b -> c"), Signature.Parse("b, a -> c", "From `a`, `b` produce `c`."));
        Assert.NotEqual(Base, Base.WithInstructions("Else."));
        Assert.NotEqual(
            FieldType.ObjectOf("T", new ObjectProperty("a", FieldType.String, Description: "x")), FieldType.ObjectOf("T", new ObjectProperty("a", FieldType.String, Description: "y")));
    }

    [Theory]
    [InlineData("gte", 1L, "no bound 'gte'")]
    [InlineData("ge", true, "is none for the bound 'ge'")]
    [InlineData("multiple_of", 0L, "is none for")]
    [InlineData("max_length", -1L, "is none for")]
    [InlineData("pattern", "(", "is none for")]
    public void Constructor_UnknownBound_Throws(string kind, object value, string reason) => Assert.Contains(
        reason, Assert.Throws<HoneException>(() => Base.WithUpdatedField("answer", field => field with { Constraints = [new(kind, value)] })).Message, StringComparison.Ordinal);

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

    /// <summary>D3: signatures that differ in a type are not equal.</summary>
    [Fact]
    public void Equals_ComparesTypes()
    {
        Assert.NotEqual(Signature.Parse("a -> b"), Signature.Parse("a -> b: int"));
        Assert.Equal(Signature.Parse("a -> b"), Signature.Parse("a: str -> b: str"));
    }

    private static SignatureField Input(string name) => new(name, FieldType.String, FieldDirection.Input);
}
