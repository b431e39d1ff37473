using System.Collections.Immutable;
using CsCheck;

namespace Hone.Tests.Values;

public sealed class ValueCoercerTests
{
    private static readonly FieldType Person = FieldType.ObjectOf(
        "Person", new ObjectProperty("name", FieldType.String), new ObjectProperty("age", FieldType.Integer), new ObjectProperty("email", FieldType.Optional(FieldType.String), false));

    [Theory]
    [InlineData("int", "42", "42")]
    [InlineData("int", " +7 ", "7")]
    [InlineData("int", "1_000", "1000")]
    [InlineData("int", "4,200", "4200")]
    [InlineData("int", "42.0", "42")]
    [InlineData("int", "- 42", "-42")]
    [InlineData("int", "(42)", "42")]
    [InlineData("int", "0x1F", "31")]
    [InlineData("int", "\"42\"", "42")]
    [InlineData("int", "True", "1")]
    [InlineData("int", "1e3", "1000")]
    [InlineData("int", "**42**", "42")]
    [InlineData("int", "```\n42\n```", "42")]
    [InlineData("int", "123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("float", ".5", "0.5")]
    [InlineData("float", "-Infinity", "-Infinity")]
    [InlineData("float", "nan", "NaN")]
    [InlineData("float", "-1,234.5", "-1234.5")]
    [InlineData("float", "7", "7.0")]
    [InlineData("decimal", "0.1000000000000000000000001", "0.1000000000000000000000001")]
    [InlineData("bool", "YES", "true")]
    [InlineData("bool", "off", "false")]
    [InlineData("bool", "1.0", "true")]
    [InlineData("str", "\"quoted\"", "\"\\\"quoted\\\"\"")]
    [InlineData("Any", "", "\"\"")]
    [InlineData("Any", "{\"a\": 1e3}", "{\"a\": 1000.0}")]
    [InlineData("Any", "2024-01-01", "\"2024-01-01\"")]
    [InlineData("int | None", "None", "null")]
    [InlineData("int | None", "5", "5")]
    [InlineData("str | None", "null", "null")]
    [InlineData("str | None", "see [1]", "\"see [1]\"")]
    [InlineData("int | str | None", "5", "\"5\"")]
    [InlineData("int | str", "42", "42")]
    [InlineData("int | str", "see [1]", "\"see [1]\"")]
    [InlineData("float | int", "42", "42")]
    [InlineData("int | list[int]", "[1, 2", "[1, 2]")]
    [InlineData("list[str]", "Here: [\"a\", \"b\"]", "[\"a\", \"b\"]")]
    [InlineData("list[str]", "(\"a\", \"b\")", "[\"a\", \"b\"]")]
    [InlineData("list[int]", "1, 2", "[1, 2]")]
    [InlineData("set[str]", "['a', 'b', 'a']", "[\"a\", \"b\"]")]
    [InlineData("tuple[int, str]", "(1, 'a')", "[1, \"a\"]")]
    [InlineData("dict[str, int]", "{'a': '1', b: 2.0,}", "{\"a\": 1, \"b\": 2}")]
    [InlineData("dict[int, str]", "{1: 'a'}", "{\"1\": \"a\"}")]
    [InlineData("date", "'2024-02-29'", "\"2024-02-29\"")]
    [InlineData("date", "2024-02-29T00:00:00", "\"2024-02-29\"")]
    [InlineData("datetime", "2024-02-29 12:30", "\"2024-02-29T12:30:00Z\"")]
    [InlineData("datetime", "2024-02-29T12:30:00.5+02:00", "\"2024-02-29T12:30:00.5+02:00\"")]
    [InlineData("datetime", "2024-02-29T12:30:00.123456789Z", "\"2024-02-29T12:30:00.1234567Z\"")]
    [InlineData("datetime", "2024-02-29 12:30:00.1234567899+02:00", "\"2024-02-29T12:30:00.1234567+02:00\"")]
    [InlineData("guid", "11111111-2222-3333-4444-555555555555", "\"11111111-2222-3333-4444-555555555555\"")]
    [InlineData("Literal['yes', \"it's fine\"]", "Literal['yes']", "\"yes\"")]
    [InlineData("Literal['yes', \"it's fine\"]", "it's fine", "\"it's fine\"")]
    [InlineData("Literal['yes', 'no']", "`YES`", "\"yes\"")]
    [InlineData("Literal[1, 2]", "2", "2")]
    [InlineData("Literal['a', 1, True]", "1", "1")]
    [InlineData("Literal['a', True]", "true", "true")]
    public void Coerce_Text_GivesCanonicalValue(string type, string text, string expected) =>
        Assert.Equal(expected, JsonText.Write(ValueCoercer.Coerce(text, TypeOf(type))));

    [Theory]
    [InlineData("int", "")]
    [InlineData("int", "42 apples")]
    [InlineData("int", "4,20")]
    [InlineData("int", "null")]
    [InlineData("float", "50%")]
    [InlineData("bool", "[true]")]
    [InlineData("list[str]", "a, b")]
    [InlineData("list[int]", "[1.5]")]
    [InlineData("dict[str, int]", "{'a': None}")]
    [InlineData("tuple[int, str]", "(1,)")]
    [InlineData("date", "29/02/2024")]
    [InlineData("date", "2024-02-30")]
    [InlineData("Literal['a', 'A']", "b")]
    [InlineData("Literal[1, 2]", "3")]
    [InlineData("uri", "not a url")]
    public void Coerce_Misfit_Throws(string type, string text) => Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(text, TypeOf(type)));

    [Fact]
    public void Coerce_NestedMisfit_HasJsonPath()
    {
        var error = Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce("[{\"name\": \"A\", \"age\": 3}, {\"name\": \"B\", \"age\": \"old\"}]", FieldType.ListOf(Person)));

        Assert.Equal("$[1].age", error.Path);
        Assert.Contains("expected integer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Coerce_ObjectWithoutOptionalProperty_TakesDefault() =>
        Assert.Equal(FieldMap.Of(("name", "A"), ("age", 3L), ("email", null)), ValueCoercer.Coerce("{\"name\": \"A\", \"age\": 3, \"extra\": 1}", Person));

    [Fact]
    public void Coerce_Enum_ValueThenName()
    {
        var color = FieldType.EnumOf("Color", new EnumMember("RED", "red"), new EnumMember("DARK_BLUE", "dark blue"));

        Assert.Equal("red", ValueCoercer.Coerce(" red ", color));
        Assert.Equal("dark blue", ValueCoercer.Coerce("DARK_BLUE", color));
        Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce("Color.RED", color));
        Assert.Equal(2L, ValueCoercer.Coerce("2.0", FieldType.EnumOf("Level", new EnumMember("LOW", 1L), new EnumMember("HIGH", 2L))));
    }

    [Fact]
    public void Coerce_AnyTextToAnyType_ThrowsOnlyCoercionErrors()
    {
        var types = new[] { "int", "float", "bool", "list[int]", "dict[str, Any]", "int | str", "date", "datetime", "Literal['a', 1]", "tuple[int, str]" }.Select(TypeOf).ToArray();
        Gen.Select(Gen.String[Gen.Char["ab1-.,:{}[]()'\"`*_eT \n\\"], 0, 40], Gen.Int[0, types.Length - 1]).Sample((text, index) =>
        {
            try
            {
                ValueCoercer.Coerce(text, types[index]);
            }
            catch (ValueCoercionException)
            {
                // The one error that a misfit gives.
            }
        });
    }

    [Fact]
    public void Coerce_Text_IsTheSameInstance()
    {
        var text = new string('x', 100);

        Assert.Same(text, ValueCoercer.Coerce(text, FieldType.String));
        Assert.Same(text, ValueCoercer.Coerce(text, FieldType.Optional(FieldType.String)));
        Assert.Same(text, ValueFormatter.Format(text, FieldType.String));
    }

    [Fact]
    public void Coerce_LongChainWithABadEnd_EndsSoonAndNamesThePlace()
    {
        // Trying each link once strictly and once laxly, and those inside it again, would double the work with each link.
        FieldType link = null!;
        link = FieldType.ObjectOf("Link", new ObjectProperty("n", FieldType.Integer), new ObjectProperty("next", FieldType.Optional(FieldType.ReferenceTo("Link", () => link)), false));
        const int Links = 90;
        var text = string.Concat(Enumerable.Repeat("{\"n\": 1, \"next\": ", Links)) + "{\"n\": \"bad\"}" + new string('}', Links);

        var error = Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(text, link));

        Assert.Equal("$" + string.Concat(Enumerable.Repeat(".next", Links)) + ".n", error.Path);
        Assert.Contains("expected integer", error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Coerce_AlternativesInAlternatives_GivesUpInsteadOfTryingForever()
    {
        FieldType add = null!, multiply = null!;
        var term = FieldType.UnionOf(FieldType.ReferenceTo("Add", () => add), FieldType.ReferenceTo("Multiply", () => multiply), FieldType.Integer);
        add = FieldType.ObjectOf("Add", new ObjectProperty("left", term), new ObjectProperty("right", term));
        multiply = FieldType.ObjectOf("Multiply", new ObjectProperty("left", term), new ObjectProperty("right", term));
        var bad = string.Concat(Enumerable.Repeat("{\"right\": 1, \"left\": ", 90)) + "true-ish" + new string('}', 90);

        Assert.Contains("in too many ways", Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(bad, term)).Message, StringComparison.Ordinal);
        Assert.NotNull(ValueCoercer.Coerce(bad.Replace("true-ish", "2", StringComparison.Ordinal), term));
    }

    [Fact]
    public void ToCanonical_DeepMaps_AreReadOnce()
    {
        object value = new List<int> { 1 };
        for (var i = 0; i < 90; i++)
            value = FieldMap.Of(("inner", value));

        var canonical = ClrValues.ToCanonical(value);

        Assert.Same(canonical, ClrValues.ToCanonical(canonical));
    }

    [Fact]
    public void Simple_KindWithArguments_Throws()
    {
        Assert.Throws<HoneException>(() => FieldType.Simple(FieldTypeKind.List));
        Assert.Equal(FieldType.CodeIn(), FieldType.Simple(FieldTypeKind.Code));
    }

    [Fact]
    public void Format_List_ForTextFieldIsPassages()
    {
        Assert.Equal("N/A", ValueFormatter.Format(ImmutableArray<object?>.Empty, FieldType.String));
        Assert.Equal("«a»", ValueFormatter.Format(ImmutableArray.Create<object?>("a"), FieldType.String));
        Assert.Equal("[1] «a»\n[2] «««\n    b\n    «c»\n»»»", ValueFormatter.Format(ImmutableArray.Create<object?>("a", "b\n«c»"), FieldType.String));
        Assert.Equal("[\"a\", 1.0, null]", ValueFormatter.Format(ImmutableArray.Create<object?>("a", 1.0, null), FieldType.ListOf(FieldType.Any)));
    }

    private static FieldType TypeOf(string expression) => Signature.Parse($"-> x: {expression}").Outputs[0].Type;
}
