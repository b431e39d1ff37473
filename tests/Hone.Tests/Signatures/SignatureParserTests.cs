using CsCheck;

namespace Hone.Tests.Signatures;

public sealed class SignatureParserTests
{
    private enum Color
    {
        Red,
        Green,
    }

    [Theory]
    [InlineData("question -> answer", "question -> answer")]
    [InlineData("  question ,context:list[ str ]->answer : int ", "question, context: list[str] -> answer: int")]
    [InlineData("-> answer", "-> answer")]
    [InlineData("question ->", "question ->")]
    [InlineData(" -> ", "->")]
    [InlineData("a -> b,", "a -> b")]
    [InlineData("question\n -> answer", "question -> answer")]
    [InlineData("from, in -> class", "from, in -> class")]
    [InlineData("text -> x: string", "text -> x")]
    [InlineData("text -> x: str, y: double, z: long, u: boolean", "text -> x, y: float, z: int, u: bool")]
    [InlineData("text -> x: List<string>", "text -> x: list[str]")]
    [InlineData("text -> x: string[]", "text -> x: list[str]")]
    [InlineData("text -> x: byte[]", "text -> x: bytes")]
    [InlineData("text -> x: int?", "text -> x: int | None")]
    [InlineData("text -> x: int[]?", "text -> x: list[int] | None")]
    [InlineData("text -> x: None | int", "text -> x: int | None")]
    [InlineData("text -> x: Optional[list[int]]", "text -> x: list[int] | None")]
    [InlineData("text -> x: Union[int, Union[str, None]]", "text -> x: int | str | None")]
    [InlineData("text -> x: (int | str)", "text -> x: int | str")]
    [InlineData("text -> x: Dictionary<string, List<int>>", "text -> x: dict[str, list[int]]")]
    [InlineData("text -> x: tuple[int, ...]", "text -> x: list[int]")]
    [InlineData("text -> x: tuple[int, str]", "text -> x: tuple[int, str]")]
    [InlineData("text -> x: typing.List[datetime.date]", "text -> x: list[date]")]
    [InlineData("text -> x: list", "text -> x: list[Any]")]
    [InlineData("text -> x: dict", "text -> x: dict[str, Any]")]
    [InlineData("text -> x: Literal['a,b', \"it's\", 1, -2, True, None]", "text -> x: Literal['a,b', \"it's\", 1, -2, True, None]")]
    [InlineData("text -> x: enum('a', 'b')", "text -> x: Literal['a', 'b']")]
    [InlineData("text -> x: Literal['->']", "text -> x: Literal['->']")]
    [InlineData("text -> x: Literal['a\\\\b', 'say \\'hi\\' \"ho\"']", "text -> x: Literal['a\\\\b', 'say \\'hi\\' \"ho\"']")]
    [InlineData("history: dspy.History, q -> a", "history: History, q -> a")]
    [InlineData("text -> color: Color, colors: list[Color]", "text -> color: Color, colors: list[Color]")]
    public void Parse_ValidText_GivesFields(string text, string expected)
    {
        var signature = Signature.Parse(text, null, typeof(Color));

        Assert.Equal(expected, signature.ToString());
        Assert.Equal(signature, Signature.Parse(signature.ToString(), null, typeof(Color)));
    }

    [Theory]
    [InlineData("", 0, "no '->'")]
    [InlineData("question - > answer", 19, "no '->'")]
    [InlineData("a -> b -> c", 7, "second '->'")]
    [InlineData("a, a -> b", 3, "already declared at position 0")]
    [InlineData("a -> a", 5, "already declared at position 0")]
    [InlineData("a: int = 3 -> b", 7, "default values")]
    [InlineData("*a -> b", 0, "markers")]
    [InlineData("a, /, b -> c", 3, "markers")]
    [InlineData("a,, b -> c", 2, "expected a field name")]
    [InlineData("a b -> c", 2, "expected ',' or '->'")]
    [InlineData("1a -> b", 0, "expected a field name")]
    [InlineData("_a -> b", 0, "underscore")]
    [InlineData("a -> b: Foo", 8, "no type 'Foo'")]
    [InlineData("a -> b: os.path", 8, "no type 'os.path'")]
    [InlineData("a -> b: str.foo", 8, "no type 'str.foo'")]
    [InlineData("a -> b: Optional[int, str]", 8, "exactly one type")]
    [InlineData("a -> b: dict[str]", 8, "two types")]
    [InlineData("a -> b: list[]", 12, "brackets are empty")]
    [InlineData("a -> b: list[int", 16, "found the end")]
    [InlineData("a -> b: Literal[x]", 16, "literal value")]
    [InlineData("a -> b: Literal['x", 16, "no closing '")]
    [InlineData("a -> b: Literal[]", 15, "brackets are empty")]
    [InlineData("a -> b: [int]", 8, "expected a type")]
    [InlineData("a -> b: int and str", 12, "expected ',' or the end")]
    [InlineData("a -> b; import os", 6, "expected ',' or the end")]
    [InlineData("a): pass\ndef g(x -> b", 1, "found ')'")]
    [InlineData("a -> b: list[int, ...]", 8, "tuple")]
    public void Parse_InvalidText_ErrorHasPosition(string text, int position, string reason)
    {
        var error = Assert.Throws<SignatureFormatException>(() => Signature.Parse(text));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(position, error.Position);
    }

    [Fact]
    public void Parse_OutputCalledCompleted_Throws() => Assert.Throws<HoneException>(() => Signature.Parse("a -> completed"));

    [Fact]
    public void Parse_DeeplyNested_ThrowsInsteadOfOverflowing() =>
        Assert.Throws<SignatureFormatException>(() => Signature.Parse("a -> b: " + string.Concat(Enumerable.Repeat("list[", 10_000))));

    [Fact]
    public void Parse_AnyText_ThrowsOnlyHoneErrors() => Gen.String[Gen.Char["ab:,->[]()'\"| ?.1=listrnoe"], 0, 40].Sample(text =>
    {
        try
        {
            var signature = Signature.Parse(text);
            Assert.Equal(signature, Signature.Parse(signature.ToString()));
        }
        catch (HoneException)
        {
            // Refused, with a reason.
        }
    });

    [Fact]
    public void Parse_WithoutType_MarksTypeUndefined()
    {
        var signature = Signature.Parse("a, b: str -> c");

        Assert.Equal([true, false], signature.Inputs.Select(field => field.IsTypeUndefined));
        Assert.Equal("From `a`, `b` produce `c`.", signature.Instructions);
        Assert.Empty(Signature.Parse("a -> b", string.Empty).Instructions);
    }
}
