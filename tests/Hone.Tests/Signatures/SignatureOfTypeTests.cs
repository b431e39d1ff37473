using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Hone.Tests.Signatures;

public sealed class SignatureOfTypeTests
{
    [Fact]
    public void Of_MarkedType_IsASignature()
    {
        var signature = Signature.Of<Answering>();

        Assert.Equal("question, passages: list[str] -> answer, confidence: float", signature.ToString());
        Assert.Equal("Answer in a word.", signature.Instructions);
        Assert.Equal("Answering", signature.Name);
        Assert.False(signature.Find("answer")!.HasDefault);
        Assert.Equal("what is asked", signature.Find("question")!.Description);
        Assert.Equal("Facts:", signature.Find("passages")!.Prefix);
        Assert.Equal([new FieldConstraint("ge", 0L), new FieldConstraint("le", 1L)], signature.Find("confidence")!.Constraints);
    }

    [Fact]
    public void Of_DerivedType_InheritsFieldsAndInstructions()
    {
        var signature = Signature.Of<Reasoned>();

        Assert.Equal("Answer in a word.", signature.Instructions);
        Assert.Equal("question, passages: list[str] -> answer, confidence: float, reasoning: Reasoning | None", signature.ToString());
        Assert.Equal("Own.", Signature.Of<Reasoned>("Own.").Instructions);
    }

    [Fact]
    public void Of_PositionalRecord_ReadsItsParameters() => Assert.Equal("text -> count: int", Signature.Of<Counting>().ToString());

    [Fact]
    public void Of_UnmarkedProperty_NamesIt() => Assert.Contains("'Loose'", Assert.Throws<HoneException>(() => Signature.Of<Unmarked>()).Message, StringComparison.Ordinal);

    [Fact]
    public void Predict_MarkedForTheOtherSide_Throws() => Assert.Contains(
        "marked [Output]", Assert.Throws<HoneException>(() => new Predict<Counting, string>()).Message, StringComparison.Ordinal);

    [Description("Answer in a word.")]
    private class Answering
    {
        [Input(Description = "what is asked")]
        public required string Question { get; init; }

        [Input(Prefix = "Facts:")]
        public required IReadOnlyList<string> Passages { get; init; }

        [Output]
        public string Answer { get; init; } = "";

        [Output]
        [Range(0, 1)]
        public double Confidence { get; init; }

        [JsonIgnore]
        public string? Ignored { get; init; }
    }

    private sealed class Reasoned : Answering
    {
        [Output]
        public Reasoning? Reasoning { get; init; }
    }

    private sealed record Counting([Input] string Text, [Output] int Count);

    private sealed record Unmarked([Input] string Text, string Loose);
}
