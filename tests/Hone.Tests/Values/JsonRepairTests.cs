using System.Text.Json.Nodes;
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
    public void Parse_ValidJson_IsReadExactly() => Gen.Select(AnyType.ValueOf(FieldType.Any), Gen.Bool).Sample(
        (value, isIndented) =>
        {
            var text = JsonText.Write(FieldMap.Of(("value", value)));
            var spaced = isIndented ? JsonNode.Parse(text)!.ToJsonString(new() { WriteIndented = true }) : text;
            Assert.Equal(text, JsonText.Write(JsonRepair.Parse(spaced).Value));
        },
        iter: 5000);

    [Theory]
    [InlineData("0.1000000000000000000000001", "0.1000000000000000000000001")]
    [InlineData("0.30000000000000004", "0.30000000000000004")]
    [InlineData("[1.10, 1e400]", "[1.1, Infinity]")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    public void Parse_Number_KeepsItsDigits(string text, string expected) => Assert.Equal(expected, JsonText.Write(JsonRepair.Parse(text).Value));

    [Fact]
    public void Parse_DamagedJson_NeverThrowsAndReadsEachCharacterAFewTimes() => Mutation.OfJson.Sample(
        text =>
        {
            JsonRepair.Parse(text, out var work);
            Assert.True(work <= Allowed(text.Length), $"{work} characters looked at in a text of {text.Length}");
        },
        iter: 100_000);

    [Fact]
    public void Parse_AnyText_NeverThrows() => Gen.String[Gen.Char["{}[]()\"'`:,#/*\\ab1-.eN \n"], 0, 200].Sample(text => JsonRepair.Parse(text), iter: 20_000);

    [Theory]
    [InlineData("{\"a\": ")]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("\"")]
    [InlineData("'")]
    [InlineData("\\")]
    [InlineData("\\\"")]
    [InlineData(",")]
    [InlineData(":")]
    [InlineData("\"a\":")]
    [InlineData("\"a\" ")]
    [InlineData("{\"a\": \"b\" x, ")]
    [InlineData("{\"a\": \"b, ")]
    [InlineData("[[ ## ")]
    [InlineData("[[ ## \n")]
    [InlineData("{'a': \"")]
    [InlineData("{\"\"\"")]
    [InlineData("['''")]
    [InlineData("/*")]
    [InlineData("[/")]
    [InlineData("[#")]
    [InlineData("[1 ")]
    [InlineData("{a,")]
    [InlineData("{\"a\",")]
    [InlineData("[\"a\"   ")]
    [InlineData("{}\n")]
    [InlineData("[1],")]
    [InlineData("(1,")]
    [InlineData("{“a”: ‘")]
    [InlineData("[11111111111111111111111111111111,")]
    [InlineData("...")]
    public void Parse_LongRepetition_IsLinear(string unit)
    {
        // Half a million characters: a recursive reader without limit would need more stack than there is.
        foreach (var length in new[] { 1000, 500_000 })
        {
            foreach (var prefix in new[] { "", "{\"k\": \"", "[\"", "{\"k\": " })
            {
                JsonRepair.Parse(prefix + string.Concat(Enumerable.Repeat(unit, length / unit.Length)), out var work);
                Assert.True(work <= Allowed(length), $"{work} characters looked at in a text of {length}");
            }
        }
    }

    [Fact]
    public void Parse_AnyRepetition_IsLinear() => Gen.Select(Pieces.Array[1, 5], Pieces.Array[0, 3]).Sample(
        (unit, prefix) =>
        {
            var repeated = string.Concat(unit);
            var text = string.Concat(prefix) + string.Concat(Enumerable.Repeat(repeated, 4000 / repeated.Length));
            JsonRepair.Parse(text, out var work);
            Assert.True(work <= Allowed(text.Length), $"{work} characters looked at in a text of {text.Length}");
        },
        iter: 10_000);

    [Fact]
    public void Coerce_DeeplyNestedTuple_EndsSoon()
    {
        // Each level was once read twice, so that thirty levels took a day.
        var text = "(" + new string('{', 60) + "1" + new string('}', 60) + ")";
        Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(text, FieldType.Integer));
        Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(new string('(', 100_000), FieldType.Integer));
    }

    private static Gen<string> Pieces { get; } = Gen.OneOf(
        "\"", "'", "`", "\\", "{", "}", "[", "]", "(", ")", ",", ":", ";", "#", "//", "/*", "*/", "\n", "```", "\"\"\"", "'''", "...", "“", "”", "   ", "a", "\"a\": ", "1", "1.", "null", "[[ ## ", " ## ]]");

    // A key may be read twice (a set looks like an object at first), and what follows a quote is looked at before it is read.
    private static long Allowed(int length) => (12L * length) + 2000;
}
