using CsCheck;

namespace Hone.Tests.Values;

public sealed class JsonRepairTests
{
    [Theory]
    [InlineData("```json\n{\"a\": 1}\n```", "{\"a\": 1}")]
    [InlineData("Sure: {'a': 'it's'} done", "{\"a\": \"it's\"}")]
    [InlineData("{a: 1, b: two words, c: None, d: TRUE,}", "{\"a\": 1, \"b\": \"two words\", \"c\": null, \"d\": true}")]
    [InlineData("{\"a\": [1, 2, {\"b\": \"c", "{\"a\": [1, 2, {\"b\": \"c\"}]}")]
    [InlineData("{\"a\": 1 /* x */, // y\n \"b\": 2 # z\n}", "{\"a\": 1, \"b\": 2}")]
    [InlineData("{\"a\": \"say \"hi\", then go\", \"b\": 1}", "{\"a\": \"say \\\"hi\\\", then go\", \"b\": 1}")]
    [InlineData("{\"a\": \"b, \"c\": \"d\"}", "{\"a\": \"b\", \"c\": \"d\"}")]
    [InlineData("{\"a\": \"b\"...", "{\"a\": \"b\"}")]
    [InlineData("{\"a\" 1}", "{\"a\": 1}")]
    [InlineData("{\"a\": 1/2, \"b\": 4,200, \"c\": 10%}", "{\"a\": \"1/2\", \"b\": \"4,200\", \"c\": \"10%\"}")]
    [InlineData("{\"a\": http://x.y/z}", "{\"a\": \"http://x.y/z\"}")]
    [InlineData("{\"a\": (1, 2)}", "{\"a\": [1, 2]}")]
    [InlineData("{'a', 'b'}", "[\"a\", \"b\"]")]
    [InlineData("{{\"a\": 1}}", "{\"a\": 1}")]
    [InlineData("{“a”: “b”}", "{\"a\": \"b\"}")]
    [InlineData("{\"a\": \"\"\"x \"y\" z\"\"\"}", "{\"a\": \"x \\\"y\\\" z\"}")]
    [InlineData("{\"a\": \"\\u00e9\\x41\\n\"}", "{\"a\": \"éA\\n\"}")]
    [InlineData("[1 2 3, ...]", "[1, 2, 3]")]
    [InlineData("[[ ## answer ## ]]\n{\"a\": 1}\n[[ ## completed ## ]]", "{\"a\": 1}")]
    [InlineData("[\"a\"]\n[\"b\"]", "[\"b\"]")]
    [InlineData("{\"a\": 1} {\"b\": 2}", "[{\"a\": 1}, {\"b\": 2}]")]
    [InlineData("{\"a\": 1}, {\"a\": 2}", "[{\"a\": 1}, {\"a\": 2}]")]
    [InlineData("-7", "-7")]
    [InlineData("1e3", "1000.0")]
    [InlineData("\"text\"", "\"text\"")]
    public void Parse_Broken_IsRepaired(string text, string expected)
    {
        var result = JsonRepair.Parse(text);

        Assert.True(result.Found);
        Assert.Equal(expected, JsonText.Write(result.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json at all")]
    [InlineData("42 apples")]
    [InlineData("1_000")]
    [InlineData("'quoted'")]
    [InlineData("}")]
    public void Parse_NoJson_FindsNothing(string text) => Assert.False(JsonRepair.Parse(text).Found);

    [Fact]
    public void Parse_ValidJson_IsReadExactly() => Value(3).Sample(value =>
    {
        var text = JsonText.Write(FieldMap.Of(("value", value)));
        Assert.Equal(text, JsonText.Write(JsonRepair.Parse(text).Value));
    });

    [Fact]
    public void Parse_AnyText_NeverThrows() => Gen.String[Gen.Char["{}[]()\"'`:,#/*\\ab1-.eN \n"], 0, 200].Sample(text => JsonRepair.Parse(text));

    [Theory]
    [InlineData("{\"a\": ")]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("\"a\" ")]
    [InlineData("{\"a\": \"b\" x, ")]
    [InlineData("[[ ## ")]
    [InlineData("{'a': \"")]
    [InlineData("{\"\"\"")]
    public void Parse_LongRepetition_ReadsEachCharacterAFewTimes(string unit)
    {
        // Half a million characters: a quadratic reader would need minutes, and a recursive one without limit the stack.
        var text = string.Concat(Enumerable.Repeat(unit, 500_000 / unit.Length));
        JsonRepair.Parse(text);
    }

    private static Gen<object?> Value(int depth)
    {
        var text = Gen.String[Gen.Char["ab\"'\\{}[]:,# \n\té"], 0, 12].Select(value => (object?)value);
        var leaf = Gen.OneOf(text, Gen.Long.Select(value => (object?)value), Gen.Bool.Select(value => (object?)value), Gen.Const((object?)null));
        if (depth == 0)
            return leaf;
        var list = Value(depth - 1).List[0, 3].Select(items => (object?)ClrValues.List(items));
        var map = Gen.Select(Gen.String[Gen.Char["abc"], 1, 3], Value(depth - 1)).List[0, 3]
            .Select(entries => (object?)FieldMap.Create(entries.Select(entry => KeyValuePair.Create(entry.Item1, entry.Item2))));
        return Gen.OneOf(leaf, list, map);
    }
}
