using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Values;

public sealed class SpecialTypeTests
{
    private static readonly Image Picture = Image.FromBytes(new byte[] { 1, 2, 3 }, "image/png");

    [Theory]
    [InlineData("Image", "image")]
    [InlineData("dspy.Image", "image")]
    [InlineData("Audio", "audio")]
    [InlineData("File", "file")]
    [InlineData("Attachment", "file")]
    [InlineData("Document", "document")]
    [InlineData("Reasoning", "string")]
    [InlineData("Code", "python code")]
    [InlineData("Code[\"java\"]", "java code")]
    [InlineData("dspy.Code[c++]", "c++ code")]
    [InlineData("Citations", "citations")]
    [InlineData("list[Tool]", "list[tool]")]
    [InlineData("ToolCalls", "tool calls")]
    [InlineData("dspy.ToolCallResults", "tool results")]
    [InlineData("History", "conversation")]
    public void Parse_TypeName_IsShownToTheModel(string text, string shown)
    {
        var type = TypeOf(text);

        Assert.Equal(shown, TypeNames.Of(type));
        Assert.Equal(type, TypeOf(type.ToString()));
    }

    [Theory]
    [InlineData("Code[]", 12)]
    [InlineData("Code['']", 13)]
    [InlineData("Code['a'", 16)]
    [InlineData("Image[int]", 13)]
    public void Parse_BadSpecialType_HasPosition(string text, int position) =>
        Assert.Equal(position, Assert.Throws<SignatureFormatException>(() => TypeOf(text, "a -> b: ")).Position);

    [Theory]
    [InlineData("Here:\n```python\nx = 1\n```\nDone.", "x = 1")]
    [InlineData("```\n  x\n\ty\n```", "  x\n\ty")]
    [InlineData("```cs\r\nvar x;\r\n```", "var x;")]
    [InlineData("run ```ls -l``` now", "ls -l")]
    [InlineData("x = {'a': 1}", "x = {'a': 1}")]
    [InlineData("```python\nprint('```')\n```", "print('```')")]
    [InlineData("```python\nx = 1", "```python\nx = 1")]
    [InlineData("{\"code\": \"```\\nx\\n```\"}", "x")]
    [InlineData("{\"a\": 1}", "{\"a\": 1}")]
    [InlineData("", "")]
    public void Coerce_Code_TakesTheFirstBlock(string text, string expected)
    {
        Assert.Equal(expected, ValueCoercer.Coerce(text, FieldType.CodeIn()));
        Assert.Equal(expected, ValueCoercer.Coerce(text, FieldType.Optional(FieldType.CodeIn())));
    }

    /// <summary>Of several blocks the one of the language, else one without a language, else the first.</summary>
    [Theory]
    [InlineData("python", "Input:\n```json\n{}\n```\nCode:\n```python\nx = 1\n```\n```python\ny = 2\n```", "x = 1")]
    [InlineData("python", "```text\nplan\n```\n```\nx = 1\n```", "x = 1")]
    [InlineData("python", "```\nplan\n```\n```py\nx = 1\n```", "x = 1")]
    [InlineData("python", "```text\nplan\n```\nthen\n```json\n{}\n```", "plan")]
    [InlineData("javascript", "```python\nx\n```\n```JS title=a.js\nlet x\n```", "let x")]
    [InlineData("csharp", "```sh\ndotnet run\n```\n```C#\nvar x;\n```", "var x;")]
    [InlineData("java", "```javascript\nlet x\n```\n```java\nint x;\n```", "int x;")]
    public void Coerce_Code_PrefersTheBlockOfItsLanguage(string language, string text, string expected) =>
        Assert.Equal(expected, ValueCoercer.Coerce(text, FieldType.CodeIn(language)));

    [Theory]
    [InlineData("{\"tool_calls\": [{\"name\": \"f\", \"args\": {\"x\": 1}}]}")]
    [InlineData("[{\"name\": \"f\", \"args\": {\"x\": 1}}]")]
    [InlineData("{\"name\": \"f\", \"args\": {\"x\": 1}}")]
    [InlineData("{\"name\": \"f\", \"arguments\": \"{'x': 1,\"}")]
    [InlineData("[{\"function\": {\"name\": \"f\", \"arguments\": \"{\\\"x\\\": 1}\"}}]")]
    [InlineData("```json\n{\"tool_calls\": [{'name': 'f', 'args': {'x': 1}}]}\n```")]
    public void Coerce_ToolCalls_InEveryShape(string text) =>
        Assert.Equal("{\"tool_calls\": [{\"name\": \"f\", \"args\": {\"x\": 1}}]}", JsonText.Write(ValueCoercer.Coerce(text, FieldType.ToolCalls)));

    [Theory]
    [InlineData("id")]
    [InlineData("call_id")]
    public void Coerce_ToolCallWithId_KeepsItAndHidesItFromTheModel(string name)
    {
        var calls = ValueCoercer.Coerce($"[{{\"{name}\": \"7\", \"name\": \"f\"}}]", FieldType.ToolCalls);

        Assert.Equal("{\"tool_calls\": [{\"id\": \"7\", \"name\": \"f\", \"args\": {}}]}", JsonText.Write(calls));
        Assert.Equal("{\"tool_calls\": [{\"name\": \"f\", \"args\": {}}]}", ValueFormatter.Format(calls, FieldType.ToolCalls));
    }

    [Theory]
    [InlineData("no call")]
    [InlineData("{\"tool_calls\": [1]}")]
    [InlineData("[{\"args\": {}}]")]
    [InlineData("[{\"name\": \"f\", \"args\": [1]}]")]
    public void Coerce_NoToolCalls_Throws(string text) => Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(text, FieldType.ToolCalls));

    [Fact]
    public void Coerce_Citations_InEveryShape()
    {
        const string One = "{\"cited_text\": \"so\", \"document_index\": 1}";
        foreach (var text in new[] { One, $"[{One}]", $"{{\"citations\": [{One}]}}" })
        {
            var items = Assert.IsType<ImmutableArray<object?>>(ValueCoercer.Coerce(text, FieldType.Citations));
            Assert.Equal(new Citations([new Citation("so", 1)]), ToolValues.ToCitations(items));
        }

        Assert.Equal("$[0]", Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce("[{\"text\": 1}]", FieldType.Citations)).Path);
    }

    [Theory]
    [InlineData("data:image/png;base64,AQID", "image (image/png, 3 bytes)")]
    [InlineData(" https://x.y/a.png ", "image (https://x.y/a.png)")]
    [InlineData("gs://b/a", "image (gs://b/a)")]
    [InlineData("{\"url\": \"https://x.y/a\"}", "image (https://x.y/a)")]
    [InlineData("{\"uri\": \"data:image/png;base64,AQID\", \"media_type\": \"image/png\"}", "image (image/png, 3 bytes)")]
    public void Coerce_Image_FromAddress(string text, string expected) => Assert.Equal(expected, ValueCoercer.Coerce(text, FieldType.Image)!.ToString());

    [Theory]
    [InlineData("Audio", "{\"data\": \"AQID\", \"audio_format\": \"x-wav\"}", "audio (audio/wav, 3 bytes)")]
    [InlineData("Audio", "data:audio/x-wav;base64,AQID", "audio (audio/wav, 3 bytes)")]
    [InlineData("Image", "{\"data\": \"AQID\", \"media_type\": \"image/png\"}", "image (image/png, 3 bytes)")]
    [InlineData("Document", "{\"data\": \"text\", \"title\": \"T\"}", "document (4 characters)")]
    [InlineData("Document", "{\"data\": \"AQID\", \"media_type\": \"application/pdf\"}", "document (application/pdf, 3 bytes)")]
    [InlineData("Document", "plain text", "document (10 characters)")]
    [InlineData("File", "{\"file_id\": \"f1\"}", "file (file id f1)")]
    [InlineData("File", "{\"file_data\": \"data:text/csv;base64,AQID\", \"filename\": \"a.csv\"}", "file (text/csv, 3 bytes)")]
    public void Coerce_Media_InEveryShape(string type, string text, string expected) => Assert.Equal(expected, ValueCoercer.Coerce(text, TypeOf(type))!.ToString());

    [Theory]
    [InlineData("cat.png")]
    [InlineData("/etc/passwd")]
    [InlineData("file:///etc/passwd")]
    [InlineData("{\"url\": \"cat.png\"}")]
    public void Coerce_ImagePath_NamesFromFileAsync(string text) => Assert.Contains(
        "Image.FromFileAsync", Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce(text, FieldType.Image)).Message, StringComparison.Ordinal);

    [Fact]
    public void JsonText_Media_ReadsBack()
    {
        Media[] all =
        [
            Picture, Image.FromUri(new("https://x.y/a.png")), Audio.FromBytes(new byte[] { 9 }, "audio/wav"), Attachment.FromBytes(new byte[] { 9 }, "application/zip", "a.zip"),
            Attachment.FromFileId("f"), Document.FromText("text", "title", "context"), Document.FromBytes(new byte[] { 9 }, "application/pdf", "title"),
            Document.FromUri(new("https://x.y/a.pdf")),
        ];
        Assert.Equal("{\"media_type\": \"image/png\", \"uri\": \"data:image/png;base64,AQID\"}", JsonText.Write(Picture));
        foreach (var media in all)
        {
            var type = media is Image ? FieldType.Image : media is Audio ? FieldType.Audio : media is Document ? FieldType.Document : FieldType.Attachment;
            Assert.Equal(media, ValueCoercer.Coerce(JsonText.Write(media), type));
            Assert.Equal(media, ValueCoercer.Coerce(media, type));
        }
    }

    [Fact]
    public void AppendTo_MediaAlone_IsAPartWhereItStands()
    {
        var text = new PromptText();
        text.Append("before\n");
        ValueFormatter.AppendTo(text, Picture, FieldType.Image);
        text.Append("\n\nafter\n");

        var contents = text.ToContents();

        Assert.Equal(3, contents.Count);
        Assert.Equal("before\n", ((TextContent)contents[0]).Text);
        Assert.Same(Picture.Content, contents[1]);
        Assert.Equal("\n\nafter", ((TextContent)contents[2]).Text);
        Assert.Equal("before\n[image #1]\n\nafter\n", text.ToString());
    }

    [Fact]
    public void AppendTo_NestedMedia_IsALabelAndPartsBehindTheField()
    {
        var text = new PromptText();
        var value = ClrValues.ToCanonical(new Dictionary<string, object?> { ["a"] = new[] { Picture, Picture }, ["b"] = Document.FromText("body", "T") });
        ValueFormatter.AppendTo(text, value, FieldType.Any);
        text.Append("\n\nafter");

        var contents = text.ToContents();

        Assert.Equal("{\"a\": [\"[image #1]\", \"[image #2]\"], \"b\": \"[document #1]\"}", ((TextContent)contents[0]).Text);
        Assert.Same(Picture.Content, contents[1]);
        Assert.Same(Picture.Content, contents[2]);
        Assert.Equal("\n[document #1] Title: T\n\n[document #1] body\n\nafter", ((TextContent)contents[3]).Text);
        Assert.DoesNotContain("AQID", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AppendTo_TextOnly_IsOneTrimmedPart()
    {
        var text = new PromptText(value => value.Replace("##", "#", StringComparison.Ordinal));
        text.Append("\n## ");
        ValueFormatter.AppendTo(text, "a ## b", FieldType.String);
        ValueFormatter.AppendTo(text, ImmutableArray.Create<object?>("##"), FieldType.Any);

        Assert.Equal("## a # b[\"#\"]", Assert.IsType<TextContent>(Assert.Single(text.ToContents())).Text);
    }

    [Fact]
    public void AppendTo_Tools_ShowNameDescriptionAndParameters()
    {
        var tool = AIFunctionFactory.Create((string query) => query, "search", "Looks it up.");

        var text = ValueFormatter.Format(ImmutableArray.Create<object?>(tool), FieldType.ListOf(FieldType.Tool));

        Assert.StartsWith("{\"name\": \"search\", \"description\": \"Looks it up.\", \"parameters\": {", text, StringComparison.Ordinal);
        Assert.Same(tool, ValueCoercer.Coerce(tool, FieldType.Tool));
        Assert.Equal("search", Assert.IsAssignableFrom<AITool>(ValueCoercer.Coerce(text, FieldType.Tool)).Name);
    }

    [Fact]
    public void Record_WithSpecialTypes_RoundTrips()
    {
        var value = new Everything(
            Picture, [Audio.FromUri(new("https://x.y/a.wav"))], Attachment.FromFileId("f"), Document.FromText("t"), "thought", new Code("var x;", "csharp"), [new("a", "csharp")],
            new Citations([new Citation("so", 1, 2, 3) { DocumentTitle = "d", SupportedText = "s" }]), AIFunctionFactory.Create(() => 1, "one"),
            new ToolCalls([new ToolCall("f", FieldMap.Of(("x", 1L))) { Id = "1" }, new ToolCall("g", FieldMap.Empty)]),
            new ToolResults([new ToolResult("1", "f", "done"), new ToolResult(null, "g", FieldMap.Of(("e", 1L)), true)]), new DataContent(new byte[] { 1 }, "image/png"), null);

        var map = SignatureReflector.ToFieldMap(value);
        var back = SignatureReflector.FromFieldMap<Everything>(map);

        Assert.Equal(value with { Sounds = back.Sounds, Snippets = back.Snippets }, back);
        Assert.Equal(value.Sounds, back.Sounds);
        Assert.Equal(value.Snippets, back.Snippets);
        Assert.Equal("thought", map["thoughts"]);
        Assert.Equal("var x;", map["program"]);
        Assert.Equal(
            "picture: Image, sounds: list[Audio], paper: Attachment, source: Document, thoughts: Reasoning, program: Code['csharp'], snippets: list[Code['csharp']], "
            + "citations: Citations, tool: Tool, calls: ToolCalls, results: ToolResults, part: Attachment, maybe: Image | None ->",
            new Signature(SignatureReflector.Fields(typeof(Everything), FieldDirection.Input)).ToString());
    }

    [Fact]
    public void Conversions_ReasoningAndCode_AreText()
    {
        Reasoning reasoning = "because";
        Code code = "x = 1";

        Assert.Equal("because", (string)reasoning);
        Assert.Equal("x = 1", code.ToString());
        Assert.Equal("python", code.Language);
    }

    [Fact]
    public void Hints_AndDescriptions_OfSpecialTypes()
    {
        Assert.Null(TypeHints.For(FieldType.Reasoning));
        Assert.Null(TypeHints.For(FieldType.CodeIn("java")));
        Assert.Contains("{\"tool_calls\": [{\"name\": ", TypeHints.For(FieldType.ToolCalls), StringComparison.Ordinal);
        Assert.Contains("```java\n", Assert.Single(TypeDescriptions.Of(FieldType.ListOf(FieldType.CodeIn("Java")))), StringComparison.Ordinal);
        Assert.Contains("tool_calls", Assert.Single(TypeDescriptions.Of(FieldType.Optional(FieldType.ToolCalls))), StringComparison.Ordinal);
        Assert.Empty(TypeDescriptions.Of(FieldType.Image));
    }

    [Fact]
    public void CustomType_ShownDescribedAndReadBack_NestedToo()
    {
        var signature = new Signature(SignatureReflector.Fields(typeof(Order), FieldDirection.Output));
        var value = new Order(new Money(12.5m, "EUR"), [new Money(1m, "USD")], new(Picture), null);
        var map = SignatureReflector.ToFieldMap(value);

        Assert.Equal("total: Money, parts: list[Money], chart: Chart, tip: Money | None", signature.ToString()[3..]);
        Assert.Equal(signature, Signature.Parse(signature.ToString(), signature.Instructions, typeof(Money), typeof(Chart)));
        Assert.Equal("Money is an amount and a currency code, such as 12.50 EUR.", Assert.Single(TypeDescriptions.Of(signature.Outputs[1].Type)));
        Assert.Equal("12.5 EUR", ValueFormatter.Format(map["total"], signature.Outputs[0].Type));
        Assert.Equal("[\"1 USD\"]", ValueFormatter.Format(map["parts"], signature.Outputs[1].Type));
        Assert.Equal("{\"total\": \"12.5 EUR\", \"parts\": [\"1 USD\"], \"chart\": \"chart\", \"tip\": null}", JsonText.Write(map));
        Assert.Equal(new Money(3m, "GBP"), ValueCoercer.Coerce("3 GBP", signature.Outputs[0].Type));
        Assert.Null(ValueCoercer.Coerce("null", signature.Outputs[3].Type));
        var back = SignatureReflector.FromFieldMap<Order>(map);
        Assert.Equal(value, back with { Parts = value.Parts });
        Assert.Equal(value.Parts, back.Parts);
        var error = Assert.Throws<ValueCoercionException>(() => ValueCoercer.Coerce("[\"3\"]", signature.Outputs[1].Type));
        Assert.Equal("$[0]", error.Path);
        Assert.Contains("Money", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CustomType_WithParts_ShowsThem()
    {
        var type = ClrTypes.Of(typeof(Chart));
        var alone = new PromptText();
        ValueFormatter.AppendTo(alone, new Chart(Picture), type);
        var nested = new PromptText();
        ValueFormatter.AppendTo(nested, ImmutableArray.Create<object?>(new Chart(Picture)), FieldType.ListOf(type));

        Assert.Equal(["A chart:", "image/png"], alone.ToContents().Select(Show));
        Assert.Equal(["[\"[Chart #1]\"]\n[Chart #1] A chart:", "image/png"], nested.ToContents().Select(Show));
    }

    private static string Show(AIContent content) => content is TextContent text ? text.Text : ((DataContent)content).MediaType;

    private static FieldType TypeOf(string expression, string before = "-> x: ") => Signature.Parse(before + expression).Outputs[0].Type;

    private sealed record Everything(
        Image Picture,
        List<Audio> Sounds,
        Attachment Paper,
        Document Source,
        Reasoning Thoughts,
        [CodeLanguage("csharp")] Code Program,
        [CodeLanguage("csharp")] Code[] Snippets,
        Citations Citations,
        AIFunction Tool,
        ToolCalls Calls,
        ToolResults Results,
        DataContent Part,
        Image? Maybe);

    private sealed record Order(Money Total, List<Money> Parts, Chart Chart, Money? Tip);

    [PromptType<MoneyType>]
    private readonly record struct Money(decimal Amount, string Currency);

    [PromptType<ChartType>]
    private sealed record Chart(Image Picture);

    private sealed class MoneyType : PromptType<Money>
    {
        public override string? Description => "Money is an amount and a currency code, such as 12.50 EUR.";

        public override string ToText(Money value) => string.Create(CultureInfo.InvariantCulture, $"{value.Amount} {value.Currency}");

        public override Money FromText(string text)
        {
            var parts = text.Split(' ');
            return new(decimal.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]);
        }
    }

    private sealed class ChartType : PromptType<Chart>
    {
        public override string ToText(Chart value) => "chart";

        public override Chart FromText(string text) => throw new FormatException("charts are only shown");

        public override IEnumerable<AIContent> ToContents(Chart value) => [new TextContent("A chart:"), value.Picture.Content];
    }
}
