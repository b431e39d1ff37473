using System.ComponentModel;
using System.Text.Json;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules.Agents;

/// <summary>Arguments of tools, checked by their schema at every depth.</summary>
public sealed class ToolValidationTests
{
    private static readonly JsonElement Schema = JsonElement.Parse("""
        {
          "type": "object",
          "$defs": {"line": {"type": "object", "properties": {"item": {"type": "string", "minLength": 2}, "count": {"type": "integer", "minimum": 1, "maximum": 9}, "note": {"type": "string"}}, "required": ["item", "count"], "additionalProperties": false}},
          "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 2},
            "rate": {"type": ["number", "null"], "exclusiveMinimum": 0},
            "to": {"anyOf": [{"type": "object", "properties": {"street": {"type": "string"}}, "required": ["street"]}, {"type": "string"}]},
            "kind": {"const": "order"},
            "extra": {"type": "object", "additionalProperties": {"type": "integer"}}
          },
          "required": ["code", "lines"]
        }
        """);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}]}""", null)]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": "2", "note": null}], "rate": "0.5"}""", """{"code": "ABC", "lines": [{"item": "tea", "count": 2}], "rate": 0.5}""")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "rate": null, "to": "home", "kind": "order", "extra": {"a": "1"}}""",
        """{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "rate": null, "to": "home", "kind": "order", "extra": {"a": 1}}""")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "to": {"street": "x", "no": 5}}""", null)]
    public async Task Arguments_ThatFit_AreGiven_MendedWhereTheyCanBe(string arguments, string? expected)
    {
        var (result, seen) = await CallAsync(arguments);
        Assert.False(result.IsError, $"{result.Value}");
        Assert.Equal(expected ?? arguments, seen);
    }

    [Theory]
    [InlineData("""{"code": "abc", "lines": [{"item": "tea", "count": 1}]}""", "'code'", "matching the pattern: ^[A-Z]{3}$")]
    [InlineData("""{"code": "ABC", "lines": []}""", "'lines'", "minimum length: 1")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}, {"item": "tea", "count": 1}, {"item": "tea", "count": 1}]}""", "'lines'", "maximum length: 2")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}, {"item": "tea", "count": 10}]}""", "at [1].count", "less than or equal to: 9")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "t", "count": 1}]}""", "at [0].item", "minimum length: 2")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea"}]}""", "at [0]", "needs 'count'")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1, "colour": "red"}]}""", "at [0]", "no property 'colour'; it has: item, count, note")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": "many"}]}""", "at [0].count", "expected integer")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "rate": 0}""", "'rate'", "greater than: 0")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "extra": {"a": "x"}}""", "at .a", "expected integer")]
    [InlineData("""{"code": "ABC", "lines": [{"item": "tea", "count": 1}], "kind": "offer"}""", "'kind'", "order")]
    public async Task Arguments_ThatDoNotFit_AreToldToTheModel_WithPlaceAndReason(string arguments, string place, string reason)
    {
        var (result, seen) = await CallAsync(arguments);
        Assert.True(result.IsError);
        Assert.Null(seen);
        Assert.Contains(place, (string)result.Value!, StringComparison.Ordinal);
        Assert.Contains(reason, (string)result.Value!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schema_ThatRefersToItself_IsReadAsDeepAsItGoes()
    {
        var schema = JsonElement.Parse("""
            {"type": "object", "$defs": {"node": {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}}, "required": ["n"]}}, "properties": {"head": {"$ref": "#/$defs/node"}}}
            """);
        var tool = new Probe(schema);
        var deep = string.Concat(Enumerable.Repeat("""{"n": 1, "next": """, 30)) + "{\"n\": 1}" + new string('}', 30);
        Assert.False((await RunAsync(tool, $$"""{"head": {{deep}}}""")).IsError);
        Assert.True((await RunAsync(tool, """{"head": {"n": 1, "next": {"next": {"n": 2}}}}""")).IsError);
    }

    [Fact]
    public async Task From_Methods_AreToolsByTheirNames()
    {
        var tools = AgentTools.From(Shout, Numbers.HalveAsync);
        Assert.Equal([("Shout", "Makes it loud."), ("Halve", "")], tools.Select(tool => (tool.Name, tool.Description)));
        var client = ScriptedChatClient.InSequence(
            AgentScript.Turn("go", ("Shout", """{"text": "hi"}"""), ("Halve", """{"number": "5"}""")), AgentScript.Turn("done", ("submit", """{"answer": "x"}""")));
        using var scope = HoneScope.Use(client);
        var result = await ReAct.Parse("question -> answer", tools).RunAsync(FieldMap.Of(("question", "q")), cancellationToken: Token);
        Assert.Equal(["HI", 2.5], result.Steps[0].Results.Results.Select(each => each.Value));
        Assert.Contains("no name of its own", Assert.Throws<HoneException>(() => AgentTools.From((int a) => a)).Message, StringComparison.Ordinal);
    }

    [Description("Makes it loud.")]
    private static string Shout(string text) => text.ToUpperInvariant();

    private static async Task<(ToolResult Result, string? Seen)> CallAsync(string arguments)
    {
        var tool = new Probe(Schema);
        var result = await RunAsync(tool, arguments);
        return (result, tool.Seen);
    }

    private static async Task<ToolResult> RunAsync(AIFunction tool, string arguments)
    {
        var calls = new ToolCalls([new(tool.Name, (FieldMap)CodeValues.FromJson(arguments)!)]);
        return (await calls.RunAsync([tool], cancellationToken: Token)).Results[0];
    }

    private static class Numbers
    {
        public static async Task<double> HalveAsync(double number, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
            return number / 2;
        }
    }

    /// <summary>A tool of a schema alone, as those of servers are.</summary>
    private sealed class Probe(JsonElement schema) : AIFunction
    {
        public string? Seen { get; private set; }

        public override string Name => "probe";

        public override JsonElement JsonSchema => schema;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            Seen = CodeValues.ToJson(FieldMap.Create(arguments.Select(argument => KeyValuePair.Create(argument.Key, argument.Value is JsonElement json ? CodeValues.FromJson(json) : argument.Value))));
            return ValueTask.FromResult<object?>("ok");
        }
    }
}
