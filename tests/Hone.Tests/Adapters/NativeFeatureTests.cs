using System.Collections.Immutable;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>What a provider does in a form of its own: tools, thoughts, citations, response formats, refusals.</summary>
public sealed class NativeFeatureTests
{
    private static readonly ModelCapabilities Able = new() { NativeTools = true, ParallelTools = true, Reasoning = true, ReasoningText = true, Citations = true };
    private static readonly Signature Act = Signature.Parse("question, tools: list[Tool] -> thought, calls: ToolCalls");
    private static readonly ChatAdapter NativeChat = new() { UseNativeTools = true };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Adapters => [.. AdapterList.OneStepNames];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Read_ParallelCallsBesideText_GivesBoth(string name)
    {
        var adapter = AdapterList.Named(name, useNativeTools: true);
        var plan = AdapterPlan.Create(adapter, ToolRequest(), Able, new());
        var text = adapter.RenderOutputs(plan.Rendered, FieldMap.Of(("thought", "two cities")));
        var outputs = plan.Read(
            Response(
                new TextContent(text),
                new FunctionCallContent("c1", "weather", new Dictionary<string, object?> { ["city"] = "Oslo", ["days"] = 2 }),
                new FunctionCallContent("c2", "weather", null)),
            text).Outputs;

        Assert.Equal(["thought", "calls"], outputs.Keys);
        Assert.Equal("two cities", outputs["thought"]);
        var calls = ToolValues.ToCalls((FieldMap)outputs["calls"]!);
        Assert.Equal(["c1", "c2"], calls.Calls.Select(call => call.Id));
        Assert.Equal(FieldMap.Of(("city", "Oslo"), ("days", 2L)), calls.Calls[0].Arguments);
        Assert.Equal(FieldMap.Empty, calls.Calls[1].Arguments);
    }

    /// <summary>What the model says beside its calls is a courtesy: it need not be in any format.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("I look that up for you.")]
    [InlineData("[[ ## other ## ]]")]
    public void Read_CallsBesideUnreadableText_GivesTheCalls(string text)
    {
        var plan = AdapterPlan.Create(NativeChat, ToolRequest(), Able, new());
        var outputs = plan.Read(Response(new TextContent(text), new FunctionCallContent("c1", "now")), text).Outputs;

        Assert.Null(outputs["thought"]);
        Assert.Single(ToolValues.ToCalls((FieldMap)outputs["calls"]!).Calls);
    }

    [Fact]
    public void Read_TextWithoutCalls_IsReadInFull()
    {
        var plan = AdapterPlan.Create(NativeChat, ToolRequest(), Able, new());
        var outputs = plan.Read(Response(), "[[ ## thought ## ]]\nno tool needed").Outputs;

        Assert.Equal("no tool needed", outputs["thought"]);
        Assert.Equal(ToolValues.Of(ToolCalls.Empty), outputs["calls"]);
        Assert.Throws<AdapterParseException>(() => plan.Read(Response(), "no format"));
    }

    [Theory]
    [InlineData("question, tools: list[Tool] -> calls: ToolCalls")]
    [InlineData("question, tools: list[Tool] -> thought, calls: ToolCalls")]
    public void Read_NeitherTextNorCalls_IsEmpty(string signature)
    {
        var plan = AdapterPlan.Create(NativeChat, ToolRequest() with { Signature = Signature.Parse(signature) }, Able, new());

        Assert.Equal(ParseFailureKind.Empty, Assert.Throws<AdapterParseException>(() => plan.Read(Response(), string.Empty)).Kind);
        Assert.Equal(ParseFailureKind.Empty, Assert.Throws<AdapterParseException>(() => plan.Read(new ChatResponse([]), string.Empty)).Kind);
    }

    [Fact]
    public void Create_CallsWithoutToolInput_SaysWhatIsMissing()
    {
        var request = ToolRequest() with { Signature = Signature.Parse("question -> calls: ToolCalls") };

        var error = Assert.Throws<HoneException>(() => AdapterPlan.Create(NativeChat, request, Able, new()));

        Assert.Contains("no input with tools", error.Message, StringComparison.Ordinal);
        Assert.Contains("tools: list[Tool]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Configure_GivesToolsAndLimitsThemToOneACallWhereTheModelKnowsNoMore()
    {
        Assert.Equal(["weather", "now"], Configured(NativeChat, ToolRequest(), Able).Tools!.Select(tool => tool.Name));
        Assert.Null(Configured(NativeChat, ToolRequest(), Able).AllowMultipleToolCalls);
        Assert.False(Configured(NativeChat, ToolRequest(), Able with { ParallelTools = false }).AllowMultipleToolCalls);
        Assert.Null(Configured(NativeChat, ToolRequest(), ModelCapabilities.TextOnly).Tools);
        Assert.Null(Configured(ChatAdapter.Default, ToolRequest(), Able).Tools);
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Read_CallsAsText_AreRead(string name)
    {
        var adapter = AdapterList.Named(name);
        var calls = ToolValues.Of(new ToolCalls([new("weather", FieldMap.Of(("city", "Oslo"))), new("now", FieldMap.Empty)]));
        var text = adapter.RenderOutputs(Act, FieldMap.Of(("thought", "t"), ("calls", calls)));

        var outputs = AdapterPlan.Create(adapter, ToolRequest(), ModelCapabilities.TextOnly, new()).Read(Response(), text).Outputs;

        Assert.Equal(calls, outputs["calls"]);
    }

    /// <summary>Providers refuse calls without results and results without calls: what does not match one to one is left out.</summary>
    [Theory]
    [InlineData("a,b", "a,b", true)]
    [InlineData("a,b", "b,a", false)]
    [InlineData("a,b", "a", false)]
    [InlineData("a", "a,b", false)]
    [InlineData(",", ",", false)]
    [InlineData("a", "", false)]
    public void Render_NativeHistory_HasOnlyCallsWithTheirResults(string calls, string results, bool isShown)
    {
        var turn = FieldMap.Of(
            ("question", "q"),
            ("thought", "t"),
            ("calls", ToolValues.Of(new ToolCalls([.. Ids(calls).Select(id => new ToolCall("weather", FieldMap.Empty) { Id = id })]))),
            (ToolValues.Results, ToolValues.Of(new ToolResults([.. Ids(results).Select(id => new ToolResult(id, "weather", 5L))]))[ToolValues.Results]));
        var request = ToolRequest() with
        {
            Signature = Signature.Parse("history: History, question, tools: list[Tool] -> thought, calls: ToolCalls"),
            Inputs = ToolRequest().Inputs.With("history", History.Of(turn)),
        };

        var messages = AdapterPlan.Create(NativeChat, request, Able, new()).Messages;

        var contents = messages.SelectMany(message => message.Contents).ToList();
        Assert.Equal(isShown ? Ids(calls) : [], contents.OfType<FunctionCallContent>().Select(call => call.CallId));
        Assert.Equal(isShown ? Ids(results) : [], contents.OfType<FunctionResultContent>().Select(result => result.CallId));
        Assert.Contains(messages, message => message.Role == ChatRole.Assistant && message.Text.Contains("[[ ## thought ## ]]\nt", StringComparison.Ordinal));
        Assert.DoesNotContain(messages, message => message.Role == ChatRole.Assistant && message.Text.Contains('q', StringComparison.Ordinal));

        static string[] Ids(string ids) => ids.Length == 0 ? [] : ids.Split(',');
    }

    [Fact]
    public void Reasoning_OfAThinkingModel_IsTakenFromItsThoughts()
    {
        var signature = Signature.Parse("question -> thoughts: Reasoning, answer");
        var request = new AdapterRequest(signature, FieldMap.Of(("question", "q")), []);
        var plan = AdapterPlan.Create(ChatAdapter.Default, request, Able, new());
        var response = Response(new TextReasoningContent("first "), new TextReasoningContent("second"), new TextContent("…"));

        Assert.DoesNotContain("thoughts", plan.Messages[0].Text, StringComparison.Ordinal);
        Assert.Equal(FieldMap.Of(("thoughts", "first second"), ("answer", "a")), plan.Read(response, "[[ ## answer ## ]]\na").Outputs);
        var asked = Configured(ChatAdapter.Default, request, Able).Reasoning!;
        Assert.Equal((ReasoningEffort.Low, ReasoningOutput.Full), (asked.Effort, asked.Output));
        Assert.Equal(string.Empty, plan.Read(Response(), "[[ ## answer ## ]]\na").Outputs["thoughts"]);
    }

    [Fact]
    public void OptionalFields_AreTakenFromTheProviderToo()
    {
        var request = new AdapterRequest(Signature.Parse("question -> thoughts: Reasoning | None, answer"), FieldMap.Of(("question", "q")), []);
        var plan = AdapterPlan.Create(ChatAdapter.Default, request, Able, new());
        Assert.DoesNotContain("thoughts", plan.Messages[0].Text, StringComparison.Ordinal);
        Assert.Equal("t", plan.Read(Response(new TextReasoningContent("t")), "[[ ## answer ## ]]\na").Outputs["thoughts"]);
        Assert.Null(plan.Read(Response(), "[[ ## answer ## ]]\na").Outputs["thoughts"]);

        var tools = ToolRequest() with { Signature = Signature.Parse("question, tools: list[Tool] | None -> thought, calls: ToolCalls | None") };
        var acting = AdapterPlan.Create(NativeChat, tools, Able, new());
        Assert.Equal(["weather", "now"], Configured(NativeChat, tools, Able).Tools!.Select(tool => tool.Name));
        var outputs = acting.Read(Response(new FunctionCallContent("c1", "now")), string.Empty).Outputs;
        Assert.Equal("now", Assert.Single(ToolValues.ToCalls((FieldMap)outputs["calls"]!).Calls).Name);
    }

    [Fact]
    public void OptionalHistory_IsRenderedAsTurns_AndMayBeNull()
    {
        var signature = Signature.Parse("history: History | None, question -> answer");
        var turn = FieldMap.Of(("question", "q1"), ("answer", "a1"));
        foreach (var (history, count) in (IEnumerable<(object?, int)>)[(History.Of(turn), 4), (null, 2)])
        {
            var request = new AdapterRequest(signature, FieldMap.Of(("history", history), ("question", "q2")), []);
            var messages = AdapterPlan.Create(ChatAdapter.Default, request, Able, new()).Messages;
            Assert.Equal(count, messages.Count);
            Assert.DoesNotContain("history", messages[^1].Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true, true, null, null, null, false)]
    [InlineData(false, true, null, null, null, true)]
    [InlineData(true, false, null, null, null, true)]
    [InlineData(true, true, ReasoningEffort.None, null, null, true)]
    [InlineData(true, true, ReasoningEffort.High, null, null, false)]
    [InlineData(true, true, ReasoningEffort.High, ReasoningOutput.None, null, true)]
    [InlineData(true, true, null, null, 1f, false)]
    [InlineData(true, true, null, null, 0.5f, true)]
    public void Reasoning_IsTextWhereTheModelDoesNotThinkOrDoesNotSay(
        bool canThink, bool canSay, ReasoningEffort? effort, ReasoningOutput? output, float? temperature, bool isText)
    {
        var request = new AdapterRequest(Signature.Parse("question -> thoughts: Reasoning, answer"), FieldMap.Of(("question", "q")), []);
        var options = new CallOptions { ReasoningEffort = effort, ReasoningOutput = output, Temperature = temperature };
        var plan = AdapterPlan.Create(ChatAdapter.Default, request, new() { Reasoning = canThink, ReasoningText = canSay }, options);

        Assert.Equal(isText, plan.Messages[0].Text.Contains("[[ ## thoughts ## ]]", StringComparison.Ordinal));
        Assert.NotNull(AdapterPlan.Create(new ChatAdapter { UseNativeTypes = false }, request, Able, new()).Rendered.Find("thoughts"));
        var asked = options.ToChatOptions(null);
        plan.Configure(asked);
        Assert.Equal(isText ? effort : effort ?? ReasoningEffort.Low, asked.Reasoning?.Effort);
    }

    /// <summary>Nothing in a request makes Claude cite, and OpenAI's chat API tells no thoughts: there both are asked for as text.</summary>
    [Fact]
    public void ReasoningAndCitations_AreTextWhereTheClientGivesNone()
    {
        var request = new AdapterRequest(
            Signature.Parse("paper: Document -> thoughts: Reasoning, answer, sources: Citations"), FieldMap.Of(("paper", Document.FromText("Trees are tall."))), []);
        string[] RenderedFor(string provider, string model) =>
            [.. AdapterPlan.Create(ChatAdapter.Default, request, ModelCapabilities.For(provider, model), new()).Rendered.Outputs.Select(field => field.Name)];

        Assert.Equal(["answer", "sources"], RenderedFor("anthropic", "claude-sonnet-4-5"));
        Assert.Equal(["thoughts", "answer", "sources"], RenderedFor("anthropic", "claude-3-5-sonnet"));
        Assert.Equal(["thoughts", "answer", "sources"], RenderedFor("openai", "gpt-5"));
        Assert.Equal(["thoughts", "answer", "sources"], RenderedFor("openai", "gemini-2.5-pro"));
    }

    [Theory]
    [InlineData("question -> answer", null, null, 0.7f)]
    [InlineData("question -> answer", ReasoningEffort.Low, null, null)]
    [InlineData("question -> thoughts: Reasoning, answer", null, null, null)]
    [InlineData("question -> thoughts: Reasoning, answer", ReasoningEffort.None, null, 0.7f)]
    [InlineData("question -> thoughts: Reasoning, answer", null, 0.3f, 0.3f)]
    public async Task SampleAsync_AModelThatThinks_IsGivenNoTemperature(string signature, ReasoningEffort? effort, float? chosen, float? expected)
    {
        var client = ScriptedChatClient.By((_, _) => "[[ ## thoughts ## ]]\nt\n\n[[ ## answer ## ]]\na");
        using var scope = HoneScope.Use(new LM(client) { Capabilities = Able, Options = new() { ReasoningEffort = effort, Temperature = chosen } });
        await Predict.Parse(signature).SampleAsync(FieldMap.Of(("question", "q")), 2, cancellationToken: Token);

        Assert.All(client.Requests, request => Assert.Equal(expected, request.Options!.Temperature));
    }

    /// <summary>An effort that somebody chose is not overwritten.</summary>
    [Fact]
    public async Task Reasoning_ChosenEffort_IsKept()
    {
        var client = ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\na");
        var model = new LM(client) { Capabilities = Able, Options = new() { ReasoningEffort = ReasoningEffort.High } };
        await Predict.Parse("question -> thoughts: Reasoning, answer").WithModel(model).RunAsync(FieldMap.Of(("question", "q")), null, Token);

        Assert.Equal(ReasoningEffort.High, client.Requests[0].Options!.Reasoning!.Effort);
    }

    [Fact]
    public void Citations_OfTheProvider_AreTaken()
    {
        var request = new AdapterRequest(Signature.Parse("paper: Document -> answer, sources: Citations"), FieldMap.Of(("paper", Document.FromText("Trees are tall."))), []);
        var plan = AdapterPlan.Create(ChatAdapter.Default, request, Able, new());
        var answer = new TextContent("[[ ## answer ## ]]\nTall ones.")
        {
            Annotations = [new CitationAnnotation { Title = "On trees", Snippet = "Trees are tall.", AnnotatedRegions = [new TextSpanAnnotatedRegion { StartIndex = 19, EndIndex = 23 }] }],
        };

        var outputs = plan.Read(Response(answer), answer.Text).Outputs;

        var citation = Assert.Single(ToolValues.ToCitations((ImmutableArray<object?>)outputs["sources"]!).Items);
        Assert.Equal(new Citation("Trees are tall.") { DocumentTitle = "On trees", SupportedText = "Tall" }, citation);
        Assert.Equal(ImmutableArray<object?>.Empty, plan.Read(Response(), answer.Text).Outputs["sources"]);
    }

    [Fact]
    public void Read_Refusal_IsToldAsWhatItIs()
    {
        var plan = AdapterPlan.Create(ChatAdapter.Default, new(Signature.Parse("question -> answer"), FieldMap.Of(("question", "q")), []), ModelCapabilities.TextOnly, new());
        var response = Response(new ErrorContent("I cannot help with that.") { ErrorCode = "Refusal" });

        var error = Assert.Throws<AdapterParseException>(() => plan.Read(response, string.Empty));

        Assert.Equal(ParseFailureKind.Refused, error.Kind);
        Assert.False(error.IsRetryable);
        Assert.Contains("I cannot help with that.", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A refusal is an end in tool calls, too, not an answer without calls.</summary>
    [Fact]
    public void Read_RefusalWhereOnlyCallsAreAsked_IsToldAsWhatItIs()
    {
        var plan = AdapterPlan.Create(NativeChat, ToolRequest() with { Signature = Signature.Parse("question, tools: list[Tool] -> calls: ToolCalls") }, Able, new());

        Assert.Equal(
            ParseFailureKind.Refused,
            Assert.Throws<AdapterParseException>(() => plan.Read(Response(new ErrorContent("no") { ErrorCode = "Refusal" }), string.Empty)).Kind);
        var cut = Response();
        cut.FinishReason = ChatFinishReason.Length;
        Assert.Equal(ParseFailureKind.Truncated, Assert.Throws<AdapterParseException>(() => plan.Read(cut, "I will ca")).Kind);
    }

    [Theory]
    [InlineData("chat")]
    [InlineData("json")]
    [InlineData("xml")]
    [InlineData("twostep")]
    public void Create_ModelWithoutSystemRole_OpensTheFirstUserMessageWithIt(string name)
    {
        foreach (var requestName in GoldenCases.Names)
        {
            var request = GoldenCases.Named(requestName);
            var whole = AdapterPlan.Create(AdapterList.Named(name), request, ModelCapabilities.TextOnly, new()).Messages;
            var merged = AdapterPlan.Create(AdapterList.Named(name), request, ModelCapabilities.TextOnly with { SystemRole = false }, new()).Messages;

            Assert.DoesNotContain(merged, message => message.Role == ChatRole.System);
            Assert.StartsWith(whole[0].Text, merged[0].Text, StringComparison.Ordinal);
            Assert.Equal(whole[1].Contents.Count + 1, merged[0].Contents.Count);
            Assert.Equal(whole.Skip(2), merged.Skip(1), (a, b) => a.Role == b.Role && a.Text == b.Text);
        }

        var nothing = new AdapterRequest(Signature.Parse("question -> answer"), FieldMap.Empty, []);
        Assert.Equal(ChatRole.User, Assert.Single(AdapterPlan.Create(new TwoStepAdapter(), nothing, new() { SystemRole = false }, new()).Messages).Role);
    }

    [Theory]
    [InlineData("question -> answer", true, "JSON")]
    [InlineData("question -> answer", false, "none")]
    [InlineData("question -> answer: dict[str, int]", true, "JSON")]
    [InlineData("question -> answer: list[dict[str, int]] | None", true, "JSON")]
    public void ResponseFormat_WithoutSchemas_IsJsonWhereTheModelKnowsIt(string signature, bool jsonMode, string expected)
    {
        foreach (var adapter in (JsonAdapter[])[JsonAdapter.Default, JsonAdapter.Compact])
        {
            var format = adapter.ResponseFormatFor(Signature.Parse(signature), new() { JsonMode = jsonMode });
            Assert.Equal(expected, format switch { ChatResponseFormatJson { Schema: null } => "JSON", null => "none", _ => "schema" });
        }

        Assert.Null(ChatAdapter.Default.ResponseFormatFor(Signature.Parse(signature), new() { JsonMode = jsonMode, ResponseSchema = true }));
        Assert.Null(XmlAdapter.Default.ResponseFormatFor(Signature.Parse(signature), new() { JsonMode = jsonMode, ResponseSchema = true }));
    }

    [Theory]
    [InlineData("question -> answer", true)]
    [InlineData("question -> answer: list[int], note: str | None", true)]
    [InlineData("question -> answer: dict[str, int]", false)]
    [InlineData("question -> answer: list[dict[str, int]] | None", false)]
    [InlineData("question -> answer: tuple[int, list[Any]]", false)]
    public void ResponseFormat_WithSchemas_IsStrictWhereTheTypesAllowIt(string text, bool isPossible)
    {
        var signature = Signature.Parse(text);
        var capabilities = new ModelCapabilities { ResponseSchema = true, JsonMode = true };

        Assert.Equal(isPossible, Assert.IsType<ChatResponseFormatJson>(JsonAdapter.Default.ResponseFormatFor(signature, capabilities)).Schema is not null);
        Assert.Equal(isPossible, JsonAdapter.Default.ResponseFormatFor(signature, capabilities with { JsonMode = false }) is not null);
        Assert.Equal(isPossible, Assert.IsType<ChatResponseFormatJson>(JsonAdapter.Compact.ResponseFormatFor(signature, capabilities)).Schema is not null);
        var loose = new JsonAdapter { UseStrictSchema = false }.ResponseFormatFor(signature, capabilities);
        Assert.Null(Assert.IsType<ChatResponseFormatJson>(loose).Schema);
    }

    /// <summary>A response format that the caller chose is kept.</summary>
    [Fact]
    public void Configure_ChosenResponseFormat_IsKept()
    {
        var plan = AdapterPlan.Create(JsonAdapter.Default, new(Signature.Parse("question -> answer"), FieldMap.Empty, []), new() { JsonMode = true }, new());
        var options = new ChatOptions { ResponseFormat = ChatResponseFormat.Text };
        plan.Configure(options);

        Assert.Same(ChatResponseFormat.Text, options.ResponseFormat);
    }

    private static ChatOptions Configured(Adapter adapter, AdapterRequest request, ModelCapabilities capabilities)
    {
        var options = new ChatOptions();
        AdapterPlan.Create(adapter, request, capabilities, new()).Configure(options);
        return options;
    }

    private static AdapterRequest ToolRequest() => GoldenCases.Named("tools");

    private static ChatResponse Response(params IList<AIContent> contents) => new(new ChatMessage(ChatRole.Assistant, contents));
}
