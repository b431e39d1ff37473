using CsCheck;
using Hone.Tests.Values;

namespace Hone.Tests.Signatures;

public sealed class SignatureParserTests
{
    private static class Other
    {
        public enum Color
        {
            Blue,
        }
    }

    private enum Color
    {
        Red,
        Green,
    }

    private sealed record Pair<TFirst, TSecond>(TFirst First, TSecond Second);

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
    [InlineData("text -> x: dict[str, list[Color | None]]", "text -> x: dict[str, list[Color | None]]")]
    [InlineData("text -> x: Hone.Tests.Signatures.SignatureParserTests.Color", "text -> x: Color")]
    [InlineData("text -> x: PairOfInt32AndString", "text -> x: PairOfInt32AndString")]
    [InlineData("text -> x: (int, str)", "text -> x: tuple[int, str]")]
    [InlineData("text -> x: (int, (str, bool)[],)?", "text -> x: tuple[int, list[tuple[str, bool]]] | None")]
    [InlineData("text -> x: Nullable<DateOnly>", "text -> x: date | None")]
    [InlineData("text -> x: TimeSpan, y: datetime.time, z: Guid, u: Uri", "text -> x: timedelta, y: time, z: guid, u: uri")]
    [InlineData("text -> x: decimal, y: Decimal, z: decimal.Decimal", "text -> x: decimal, y: decimal, z: decimal")]
    [InlineData("text -> x: byte, y: BigInteger, z: char", "text -> x: int, y: int, z")]
    [InlineData("text -> x: ImmutableArray<DateTimeOffset>", "text -> x: list[datetime]")]
    [InlineData("text -> x: IReadOnlySet<Uri>", "text -> x: set[uri]")]
    [InlineData("text -> x: frozenset[int] | set[str]", "text -> x: set[int] | set[str]")]
    [InlineData("text -> x: list[list[list[int]]]", "text -> x: list[list[list[int]]]")]
    [InlineData("text -> x: List<List<List<int>>>", "text -> x: list[list[list[int]]]")]
    [InlineData("text -> x: int | int | None | None", "text -> x: int | None")]
    [InlineData("text -> x: Optional[Union[int, None]]", "text -> x: int | None")]
    [InlineData("text -> x: Union[int]", "text -> x: int")]
    [InlineData("text -> x: Literal[1.5, -2e10, 1e-7]", "text -> x: Literal[1.5, -20000000000.0, 1E-07]")]
    [InlineData("text -> x: Literal['a'] | int", "text -> x: Literal['a'] | int")]
    [InlineData("text -> x: typing.Literal[\"tab\\there\"]", "text -> x: Literal['tab\\there']")]
    [InlineData("text -> x: enum(\"a\", 'b',)", "text -> x: Literal['a', 'b']")]
    [InlineData("images: list[dspy.Image], doc: Document? -> code: Code['c++'], calls: ToolCalls", "images: list[Image], doc: Document | None -> code: Code['c++'], calls: ToolCalls")]
    [InlineData("tools: list[Tool], history: History -> reasoning: Reasoning, cited: Citations", "tools: list[Tool], history: History -> reasoning: Reasoning, cited: Citations")]
    [InlineData("Äpfel: str, x1: int -> größe: float", "Äpfel, x1: int -> größe: float")]
    public void Parse_ValidText_GivesFields(string text, string expected)
    {
        var signature = Signature.Parse(text, null, typeof(Color), typeof(Pair<int, string>));

        Assert.Equal(expected, signature.ToString());
        Assert.Equal(signature, Signature.Parse(signature.ToString(), null, typeof(Color), typeof(Pair<int, string>)));
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
    [InlineData("a -> b: int |", 13, "expected a type, found the end")]
    [InlineData("a -> b:", 7, "expected a type, found the end")]
    [InlineData("a -> b: dict[str, int", 21, "found the end")]
    [InlineData("a -> b: dict[str int]", 17, "expected ','")]
    [InlineData("a -> b: tuple[]", 13, "brackets are empty")]
    [InlineData("a -> b: Union", 8, "needs types in brackets")]
    [InlineData("a -> b: Literal", 15, "needs values in brackets")]
    [InlineData("a -> b: Literal['a' 'b']", 20, "expected ','")]
    [InlineData("a -> b: Literal[1x]", 16, "is not a number")]
    [InlineData("a -> b: Literal[1e999]", 16, "is not a number")]
    [InlineData("a -> b: (int", 12, "to close the parenthesis")]
    [InlineData("a -> b: typing.", 15, "expected a type name")]
    [InlineData("a -> b: int??x", 13, "expected ',' or the end")]
    [InlineData("a -> b # note", 7, "expected ',' or the end")]
    [InlineData("a: int\nb -> c", 7, "expected ',' or '->'")]
    [InlineData("a -> b: subprocess.Popen", 8, "no type 'subprocess.Popen'")]
    [InlineData("a -> b: System.Diagnostics.Process", 8, "no type 'System.Diagnostics.Process'")]
    [InlineData("a -> b: __import__('os')", 8, "no type '__import__'")]
    [InlineData("a.b -> c", 1, "expected ',' or '->'")]
    [InlineData("'a' -> b", 0, "expected a field name")]
    [InlineData("a -> b: 5", 8, "expected a type")]
    [InlineData("a -> b: int]", 11, "without an opening bracket")]
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
    }, iter: 5000);

    [Fact]
    public void Parse_NameOfTwoRegisteredTypes_AsksForTheFullName()
    {
        var error = Assert.Throws<SignatureFormatException>(() => Signature.Parse("a -> b: list[Color]", null, typeof(Color), typeof(Other.Color)));

        Assert.Equal(13, error.Position);
        Assert.Contains("Hone.Tests.Signatures.SignatureParserTests.Other.Color", error.Message, StringComparison.Ordinal);
        Assert.Equal(["Red", "Green"], Signature.Parse("a -> b: Hone.Tests.Signatures.SignatureParserTests.Color", null, typeof(Color), typeof(Other.Color)).Outputs[0].Type.Members.Select(each => each.Name));
    }

    /// <summary>D2, D46: types come from the caller, at any depth; no name in a string makes anything load.</summary>
    [Fact]
    public void Parse_Registry_KnowsOtherNamesAndDescribedTypes()
    {
        var registry = TypeRegistry.Of(typeof(Color)).With(typeof(Color), "Hue").With(AnyType.Tree);

        var signature = Signature.Parse("a -> b: Hue, c: list[Tree]", registry, "Do.");

        Assert.Equal(["Color", "Hue", "Tree"], registry.Names);
        Assert.Equal("a -> b: Color, c: list[Tree]", signature.ToString());
        Assert.Equal("Do.", signature.Instructions);
        Assert.Throws<HoneException>(() => registry.With(typeof(Color), "no name"));
        Assert.Throws<HoneException>(() => registry.With(FieldType.String));
    }

    [Fact]
    public void Parse_WithoutType_MarksTypeUndefined()
    {
        var signature = Signature.Parse("a, b: str -> c");

        Assert.Equal([true, false], signature.Inputs.Select(field => field.IsTypeUndefined));
        Assert.Equal("From `a`, `b` produce `c`.", signature.Instructions);
        Assert.Empty(Signature.Parse("a -> b", string.Empty).Instructions);
    }
}
