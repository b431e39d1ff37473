using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using CsCheck;

namespace Hone.Tests.Values;

public sealed class SchemaTests
{
    [Theory]
    [InlineData("str", "{\"type\": \"string\"}")]
    [InlineData("Reasoning", "{\"type\": \"string\"}")]
    [InlineData("list[int]", "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}")]
    [InlineData("set[date]", "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"format\": \"date\"}, \"uniqueItems\": true}")]
    [InlineData("dict[str, float]", "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"number\"}}")]
    [InlineData("tuple[int, str]", "{\"type\": \"array\", \"maxItems\": 2, \"minItems\": 2, \"prefixItems\": [{\"type\": \"integer\"}, {\"type\": \"string\"}]}")]
    [InlineData("bool | None", "{\"anyOf\": [{\"type\": \"boolean\"}, {\"type\": \"null\"}]}")]
    [InlineData("Literal['a', 'ü']", "{\"type\": \"string\", \"enum\": [\"a\", \"ü\"]}")]
    [InlineData("Literal[1, 'a']", "{\"enum\": [1, \"a\"]}")]
    [InlineData("timedelta", "{\"type\": \"string\", \"format\": \"duration\"}")]
    [InlineData("Any", "{}")]
    [InlineData("ToolCalls", "{\"type\": \"object\", \"properties\": {\"tool_calls\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, \"args\": {\"type\": \"object\", \"additionalProperties\": {}}}, \"required\": [\"name\", \"args\"]}}}, \"required\": [\"tool_calls\"]}")]
    public void Describe_Type_IsASchema(string type, string expected) => Assert.Equal(expected, JsonText.Write(JsonSchemas.Describe(TypeOf(type))));

    [Fact]
    public void Strict_Outputs_AreOneClosedObject()
    {
        var signature = new Signature(SignatureReflector.Fields(typeof(Report), FieldDirection.Output));

        var strict = JsonSchemas.Strict(signature);

        Assert.Equal(
            "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
            + "\"title\": {\"type\": \"string\", \"description\": \"short (minimum length: 3)\"}, "
            + "\"score\": {\"anyOf\": [{\"type\": \"integer\", \"maximum\": 10, \"minimum\": 0}, {\"type\": \"null\"}]}, "
            + "\"mood\": {\"type\": \"string\", \"enum\": [\"Good\", \"Bad\"]}, "
            + "\"people\": {\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"name\": {\"type\": \"string\"}, \"age\": {\"type\": \"integer\"}}, \"required\": [\"name\", \"age\"]}, \"minItems\": 1}, "
            + "\"pair\": {\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"string\"}]}, \"maxItems\": 2, \"minItems\": 2}, "
            + "\"picture\": {\"type\": \"string\"}, \"tags\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}}, "
            + "\"required\": [\"title\", \"score\", \"mood\", \"people\", \"pair\", \"picture\", \"tags\"]}",
            JsonText.Write(JsonValues.FromElement(strict.Schema)));
        Assert.Same(strict, JsonSchemas.Strict(signature));
    }

    [Fact]
    public void Strict_RecursiveType_UsesDefinitions()
    {
        var schema = JsonSchemas.Strict(Signature.Parse("a -> tree: Tree, more: list[Tree]", TypeRegistry.Empty.With(AnyType.Tree))).Schema;

        Assert.Equal("{\"$ref\": \"#/$defs/Tree\"}", JsonText.Write(JsonValues.FromElement(schema.GetProperty("properties").GetProperty("tree"))));
        Assert.Equal(
            "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"label\": {\"type\": \"string\"}, \"children\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/Tree\"}}}, \"required\": [\"label\", \"children\"]}",
            JsonText.Write(JsonValues.FromElement(schema.GetProperty("$defs").GetProperty("Tree"))));
    }

    [Theory]
    [InlineData("x: dict[str, int]", "'x' (dict[string, integer]) has keys that no schema can list")]
    [InlineData("x: dict[str, int] | None", "'x' (dict")]
    [InlineData("x: list[tuple[int, dict[str, int]]]", "'x[][]' (dict")]
    [InlineData("x: Any", "'x' (any) is open")]
    [InlineData("a: int, x: list[Any]", "'x[]' (any)")]
    [InlineData("x: ToolCalls", "'x.tool_calls[].args' (dict")]
    [InlineData("x: History", "'x[]' (dict")]
    [InlineData("x: Deep", "'x.inner[].open' (dict")]
    public void Strict_OpenType_SaysWhereItIsImpossible(string outputs, string reason)
    {
        var deep = FieldType.ObjectOf("Deep", new ObjectProperty("inner", FieldType.ListOf(FieldType.ObjectOf("Inner", new ObjectProperty("open", FieldType.DictionaryOf(FieldType.String, FieldType.Integer))))));

        var strict = JsonSchemas.Strict(Signature.Parse($"a1 -> {outputs}", TypeRegistry.Empty.With(deep)));

        Assert.False(strict.IsPossible);
        Assert.Contains(reason, strict.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Strict_WithoutToolCalls_LeavesThemOut()
    {
        var signature = Signature.Parse("question -> answer, calls: ToolCalls, cited: Citations");

        Assert.False(JsonSchemas.Strict(signature).IsPossible);
        Assert.Equal(["answer", "cited"], JsonSchemas.Strict(signature, skipToolCalls: true).Schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public void Strict_AnyType_IsClosedAtEveryLevelOrRefused() => AnyType.Of(3).Sample(
        type =>
        {
            var strict = JsonSchemas.Strict(new Signature([new("x", type, FieldDirection.Output)]));
            Assert.Equal(HoldsOpen(type), !strict.IsPossible);
            if (strict.IsPossible)
                AssertClosed(strict.Schema);
        },
        iter: 2000);

    [Theory]
    [InlineData("str", "string")]
    [InlineData("int | None", "int or null")]
    [InlineData("list[float]", "float[]")]
    [InlineData("list[list[bool]]", "boolean[][]")]
    [InlineData("list[int | str]", "(int or string)[]")]
    [InlineData("Literal['a', \"it's\", 1, None]", "\"a\" or \"it's\" or 1 or null")]
    [InlineData("list[Literal['a', 'b']]", "(\"a\" or \"b\")[]")]
    [InlineData("dict[str, list[int]]", "dict[string, int[]]")]
    [InlineData("tuple[int, str]", "[int, string]")]
    [InlineData("Image", "string (URL or data URI)")]
    [InlineData("Code['java']", "string (java code)")]
    [InlineData("Tree", "Tree {\n  label: string,\n  children: Tree[],\n}")]
    [InlineData("list[Tree] | None", "[\n  Tree {\n    label: string,\n    children: Tree[],\n  }\n] or null")]
    [InlineData("ToolCalls", "{\n  tool_calls: [\n    {\n      name: string,\n      args: dict[string, any],\n    }\n  ],\n}")]
    public void Compact_Type_IsShort(string type, string expected) => Assert.Equal(expected, CompactSchemas.Write(TypeOf(type)));

    [Fact]
    public void Compact_Objects_HaveCommentsAndMayBeReused()
    {
        const string Person = """
            {
                # given and family
                name: string,
                # greater than or equal to: 0, less than or equal to: 150
                age: int,
              }
            """;
        var expected = $$"""
            {
              first: {{Person}},
              second: {{Person}} or null,
              empty: {
                # no fields
              },
            }
            """;

        Assert.Equal(expected, CompactSchemas.Write(ClrTypes.Of(typeof(Couple)) is var type ? FieldType.ObjectOf(
            "Couple", [.. type.Properties, new ObjectProperty("empty", FieldType.ObjectOf("Empty"))]) : throw new InvalidOperationException()));
    }

    private static FieldType TypeOf(string expression) => Signature.Parse($"-> x: {expression}", TypeRegistry.Empty.With(AnyType.Tree)).Outputs[0].Type;

    private static bool HoldsOpen(FieldType type) => type.Kind switch
    {
        FieldTypeKind.Dictionary or FieldTypeKind.Any or FieldTypeKind.History or FieldTypeKind.ToolCalls or FieldTypeKind.ToolResults => true,
        _ => type.Arguments.Any(HoldsOpen) || type.Properties.Any(property => HoldsOpen(property.Type)),
    };

    private static void AssertClosed(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Array)
        {
            Assert.All(schema.EnumerateArray(), AssertClosed);
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object)
            return;
        if (schema.TryGetProperty("properties", out var properties) && schema.TryGetProperty("required", out var required))
        {
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
            Assert.Equal(properties.EnumerateObject().Select(property => property.Name), required.EnumerateArray().Select(name => name.GetString()));
        }

        Assert.False(schema.TryGetProperty("default", out _));
        Assert.False(schema.TryGetProperty("prefixItems", out _));
        foreach (var member in schema.EnumerateObject().Where(member => member.Name is not ("enum" or "required")))
            AssertClosed(member.Value);
    }

    private enum Mood
    {
        Good,
        Bad,
    }

    private sealed record Report(
        [Description("short")][MinLength(3)] string Title,
        [Range(0, 10)] int? Score,
        Mood Mood,
        [MinLength(1)] List<Person> People,
        (int, string) Pair,
        Image Picture,
        string[] Tags);

    private sealed record Person(string Name, int Age);

    private sealed record Named([property: Description("given and family")] string Name, [property: Range(0, 150)] int Age);

    private sealed record Couple(Named First, Named? Second);
}
