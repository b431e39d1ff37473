using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>Defects known from other implementations of this programming model that Hone does not have. D11 is among the spoofing tests, D48 among those of recovery.</summary>
public sealed class KnownDefectTests
{
    private static readonly Signature Ask = Signature.Parse("question -> answer");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Adapters => [.. AdapterList.OneStepNames];

    public static TheoryData<string> AllAdapters => [.. AdapterList.Names];

    /// <summary>Nobody is shown the word None: null is null, what is absent is marked.</summary>
    [Theory]
    [MemberData(nameof(AllAdapters))]
    public void D5_NullAndAbsentValues_AreNeverNone(string name)
    {
        var signature = Signature.Parse("history: History, question, hint: str | None -> answer, score: int | None");
        var turn = FieldMap.Of(("question", "q"), ("answer", null));
        var inputs = FieldMap.Of(("history", History.Of(turn)), ("question", null), ("hint", null));
        Demo demo = new(FieldMap.Of(("question", "q"), ("hint", null), ("answer", null), ("score", null)));

        var messages = AdapterList.Named(name).Render(new(signature, inputs, [demo]));

        Assert.All(messages, message => Assert.DoesNotContain("None", message.Text, StringComparison.Ordinal));
        Assert.Contains("null", messages[^1].Text, StringComparison.Ordinal);
        Assert.Equal(2, messages.Count(message => message.Text.Contains(DemoRenderer.NotSupplied, StringComparison.Ordinal)));
    }

    /// <summary>Only an unreadable answer is asked for again: an error in an adapter is an error.</summary>
    [Fact]
    public async Task D6_ErrorInAnAdapter_IsNotPaidForAgain()
    {
        var client = ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\na");
        var program = new Predict(Ask).WithModel(client).WithAdapter(new BrokenAdapter());

        await Assert.ThrowsAsync<InvalidOperationException>(() => program.RunAsync(FieldMap.Of(("question", "q")), null, Token));
        Assert.Single(client.Requests);
    }

    /// <summary>The format of the last try keeps what the adapter was told of native features.</summary>
    [Fact]
    public async Task D6_LastTry_IsTheAdapterThatWasChosen()
    {
        var client = ScriptedChatClient.InSequence("nothing", "<answer>a</answer>");
        var log = new ListLogger();
        var run = await new Predict(Ask).WithModel(client).WithLogger(log).WithRecovery(new() { ReAsks = 0, NextAdapter = XmlAdapter.Default })
            .RunAsync(FieldMap.Of(("question", "q")), null, Token);

        Assert.Equal("a", run.Value["answer"]);
        Assert.Equal(["ChatAdapter", "XmlAdapter"], run.Trace.Calls.Select(call => call.Adapter));
        Assert.Single(log.Warnings);
    }

    /// <summary>A dictionary has no names that a strict schema could list, wherever it lies.</summary>
    [Theory]
    [InlineData("dict[str, int]")]
    [InlineData("dict[str, int] | None")]
    [InlineData("list[dict[str, str]]")]
    [InlineData("tuple[int, list[dict[str, int] | None]]")]
    [InlineData("Box")]
    [InlineData("list[Box] | None")]
    [InlineData("Any")]
    public void D7_DictionaryAtAnyDepth_IsNeverAskedForInAStrictSchema(string type)
    {
        var format = JsonAdapter.Default.ResponseFormatFor(
            Signature.Parse($"question -> a, answer: {type}", null, typeof(Box)), new() { JsonMode = true, ResponseSchema = true });

        Assert.Null(Assert.IsType<ChatResponseFormatJson>(format).Schema);
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void D8_ValueThatDoesNotFit_IsOneKindOfErrorInEveryFormat(string name)
    {
        var signature = Signature.Parse("question -> note, answer: int");
        var adapter = AdapterList.Named(name);
        var text = adapter.RenderOutputs(Signature.Parse("question -> note, answer"), FieldMap.Of(("note", "n"), ("answer", "many")));

        var error = Assert.Throws<AdapterParseException>(() => adapter.Parse(signature, text));

        Assert.Equal(ParseFailureKind.Constraint, error.Kind);
        Assert.Contains("field 'answer' (integer)", error.Message, StringComparison.Ordinal);
        Assert.Equal(FieldMap.Of(("note", "n")), error.Parsed);
    }

    /// <summary>The first call is shown the conversation, the second the task; tool calls keep their ids, both calls are paid for in the trace.</summary>
    [Fact]
    public async Task D9_TwoSteps_KeepConversationToolsAndTask()
    {
        var client = ScriptedChatClient.ByAsync((request, index, _) =>
        {
            var response = ScriptedChatClient.Respond(index == 0 ? "I look for it." : "[[ ## thought ## ]]\nlook for it");
            if (index == 0)
                response.Messages[0].Contents.Add(new FunctionCallContent("c7", "weather", new Dictionary<string, object?> { ["city"] = "Oslo" }));
            return Task.FromResult(response);
        });
        var model = new LM(client) { Capabilities = new() { NativeTools = true } };
        var signature = Signature.Parse("history: History, question, tools: list[Tool] -> thought, calls: ToolCalls", "Find out what was asked.");
        var inputs = GoldenCases.Named("tools").Inputs.With("history", History.Of(FieldMap.Of(("question", "Before?"), ("thought", "Yes."))));
        var run = await new Predict(signature).WithModel(model).WithAdapter(new TwoStepAdapter { UseNativeTools = true }).RunAsync(inputs, null, Token);

        Assert.Equal("question: Before?", client.Requests[0].Messages[1].Text);
        Assert.Contains("Find out what was asked.", client.Requests[1].SystemText, StringComparison.Ordinal);
        Assert.Contains("I look for it.", client.Requests[1].LastText, StringComparison.Ordinal);
        Assert.Null(client.Requests[1].Options!.Tools);
        Assert.Equal("look for it", run.Value["thought"]);
        var call = Assert.Single(ToolValues.ToCalls((FieldMap)run.Value["calls"]!).Calls);
        Assert.Equal(("c7", "Oslo"), (call.Id, call.Arguments["city"]));
        Assert.Equal(2, run.Trace.Calls.Length);
    }

    /// <summary>A PDF reaches the model as a PDF, not as text.</summary>
    [Theory]
    [MemberData(nameof(AllAdapters))]
    public void D12_Document_PdfStaysAPdf(string name)
    {
        var inputs = FieldMap.Of(("paper", Document.FromBytes(new byte[] { 1, 2, 3 }, "application/pdf", "T")));
        var messages = AdapterList.Named(name).Render(new(Signature.Parse("paper: Document -> answer"), inputs, []));
        var part = Assert.Single(messages.SelectMany(message => message.Contents).OfType<DataContent>());
        Assert.Equal("application/pdf", part.MediaType);
        Assert.Equal([1, 2, 3], part.Data.ToArray());
    }

    /// <summary>A demo's tuple may be longer than the type says now.</summary>
    [Theory]
    [MemberData(nameof(Adapters))]
    public void Render_DemoWithALongerTuple_IsWritten(string name)
    {
        var signature = Signature.Parse("question -> pair: tuple[int, str]");
        Demo demo = new(FieldMap.Of(("question", "q"), ("pair", System.Collections.Immutable.ImmutableArray.Create<object?>(1L, "a", "third-part"))));
        var messages = AdapterList.Named(name).Render(new(signature, FieldMap.Of(("question", "here")), [demo]));
        Assert.Contains(messages, message => message.Text.Contains("third-part", StringComparison.Ordinal));
    }

    /// <summary>A type that occurs twice is no recursion.</summary>
    [Fact]
    public void D10_TypeUsedTwice_IsWrittenTwice()
    {
        var signature = Signature.Parse("question -> first: Box, second: Box, all: list[Box]", null, typeof(Box));

        foreach (var adapter in AdapterList.Names.Select(name => AdapterList.Named(name)))
            Assert.NotEmpty(adapter.Render(new(signature, FieldMap.Of(("question", "q")), [])));
    }

    /// <summary>One render and one parse are observed for each request.</summary>
    [Theory]
    [MemberData(nameof(Adapters))]
    public async Task D36_RenderAndParse_AreObservedOnce(string name)
    {
        var adapter = AdapterList.Named(name);
        var observer = new Observer();
        var client = ScriptedChatClient.By((_, _) => adapter.RenderOutputs(Ask, FieldMap.Of(("answer", "a"))));
        await new Predict(Ask).WithModel(client).WithAdapter(adapter).WithObserver(observer).RunAsync(FieldMap.Of(("question", "q")), null, Token);

        Assert.Equal([CallKind.Render, CallKind.Parse], observer.Kinds.Where(kind => kind is CallKind.Render or CallKind.Parse));
    }

    [Theory]
    [InlineData("   [[ ## answer ## ]] text", "text")]
    [InlineData("\t[[ ## answer ## ]]text", "text")]
    [InlineData("   [[ ## answer ## ]]\n   text", "text")]
    public void D45_IndentedMarker_DoesNotShiftTheValue(string completion, string expected) =>
        Assert.Equal(expected, ChatAdapter.Default.Parse(Ask, completion)["answer"]);

    /// <summary>Words in a text do not make it thoughts.</summary>
    [Theory]
    [InlineData("reasoning_content")]
    [InlineData("{\"reasoning_content\": 1}")]
    [InlineData("content")]
    public void D47_TextThatNamesAKey_IsText(string text)
    {
        var request = new AdapterRequest(Signature.Parse("question -> thoughts: Reasoning, answer"), FieldMap.Of(("question", "q")), []);
        var plan = AdapterPlan.Create(ChatAdapter.Default, request, new() { Reasoning = true, ReasoningText = true }, new());
        var answer = $"[[ ## answer ## ]]\n{text}";

        var outputs = plan.Read(new(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent($"about {text}"), new TextContent(answer)])), answer).Outputs;

        Assert.Equal(FieldMap.Of(("thoughts", $"about {text}"), ("answer", text)), outputs);
    }

    [Fact]
    public void D52_LineThatLooksLikeAMarker_IsPartOfTheValue()
    {
        var completion = "[[ ## answer ## ]]\nSee:\n[[ ## source ## ]]\nA\u2028B\u0085C\n[[ ## completed ## ]]";

        Assert.Equal("See:\n[[ ## source ## ]]\nA\u2028B\u0085C", ChatAdapter.Default.Parse(Ask, completion)["answer"]);
    }

    [Theory]
    [InlineData("<answer>AT&T is < 5 & > 3</answer>", "AT&T is < 5 & > 3")]
    [InlineData("I <think> so & <b>: <answer>a</answer>", "a")]
    [InlineData("<answer>if (a < b && c<d) { }</answer>", "if (a < b && c<d) { }")]
    [InlineData("<answer>List<int></answer>", "List<int>")]
    [InlineData("<answer>&nbsp;&unknown;</answer>", "&nbsp;&unknown;")]
    [InlineData("<answer>cut off <b</answer>", "cut off <b")]
    public void D54_StraySigns_AreText(string completion, string expected) => Assert.Equal(expected, XmlAdapter.Default.Parse(Ask, completion)["answer"]);

    /// <summary>Two objects in one answer: the better one is read, wherever it stands; an object packed as text is unpacked.</summary>
    [Theory]
    [InlineData("{\"note\": 1} {\"answer\": \"a\"}")]
    [InlineData("{\"answer\": \"a\"} and {\"note\": {\"deep\": 1}}")]
    [InlineData("[{\"answer\": \"b\"}, {\"answer\": \"a\"}]")]
    [InlineData("<think>{\"answer\": \"b\"}</think>{\"answer\": \"a\"}")]
    [InlineData("\"{\\\"answer\\\": \\\"a\\\"}\"")]
    public void JsonAnswer_AmongOthers_IsFound(string completion) => Assert.Equal("a", JsonAdapter.Default.Parse(Ask, completion)["answer"]);

    [Theory]
    [InlineData("list[str]", "<answer><item>a</item></answer>", "[\"a\"]")]
    [InlineData("list[str]", "<answer>a</answer>", "[\"a\"]")]
    [InlineData("list[str]", "<answer>a</answer><answer>b</answer>", "[\"a\", \"b\"]")]
    [InlineData("list[str]", "<answer><item>draft</item></answer>\n<answer><item>b</item></answer>", "[\"draft\"]")]
    [InlineData("list[str]", "<answer>[\"a\", \"b\"]</answer>", "[\"a\", \"b\"]")]
    [InlineData("list[str]", "<answer/>", "[]")]
    [InlineData("dict[str, list[int]]", "<answer><a>1</a><a>2</a><entry key=\"b c\"><item>3</item></entry></answer>", "{\"a\": [1, 2], \"b c\": [3]}")]
    [InlineData("int | list[int]", "<answer><item>1</item></answer>", "[1]")]
    [InlineData("int | list[int]", "<answer>5</answer>", "5")]
    [InlineData("int | None", "<answer></answer>", "null")]
    [InlineData("str | None", "<answer/>", "null")]
    [InlineData("str | None", "<answer></answer>", "\"\"")]
    [InlineData("str", "<sheet>\n<answer>a</answer>\n</sheet>", "\"a\"")]
    [InlineData("str", "<answer>a</answer><answer>b</answer>", "\"a\"")]
    public void XmlAnswer_InOtherTags_IsRead(string type, string completion, string expected) =>
        Assert.Equal(expected, JsonText.Write(XmlAdapter.Default.Parse(Signature.Parse($"question -> answer: {type}"), completion)["answer"]));

    private sealed record Box(string Name, IReadOnlyDictionary<string, int> Counts);

    private sealed class BrokenAdapter : Adapter
    {
        public override string Name => "Broken";

        public override FieldMap Parse(Signature signature, string completion) => throw new InvalidOperationException("a bug");

        public override IReadOnlyList<ChatMessage> Render(AdapterRequest request) => [new(ChatRole.User, "q")];

        public override string RenderOutputs(Signature signature, FieldMap outputs) => string.Empty;
    }

    private sealed class Observer : IHoneObserver
    {
        public List<CallKind> Kinds { get; } = [];

        public void OnStarted(CallStarted call) => Kinds.Add(call.Kind);

        public void OnEnded(CallEnded call)
        {
        }
    }
}
