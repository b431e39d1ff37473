using System.Text;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Streaming;

public sealed class StreamTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Answers => new()
    {
        { "chat", "[[ ## reasoning ## ]]\nBecause it\n  is [[ so ]].\n\n[[ ## answer ## ]]\nParis \\ \"x\"\n\n[[ ## completed ## ]]\n" },
        { "json", """{"reasoning": "Because it\n  is [[ so ]]. \u00e9 \ud83d\ude00", "answer": "Paris \\ \"x\""}""" },
        { "compact", """{"reasoning": "r", "answer": ""}""" },
        { "xml", "<reasoning>\nBecause 1 &lt; 2 &amp; so\n</reasoning>\n\n<answer>\nParis\n</answer>" },
        { "twostep", "reasoning: r\n\nanswer: a" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task StreamAsync_EveryChunking_TellsWhatIsParsed(string adapter, string answer)
    {
        for (var length = 1; length <= answer.Length; length++)
        {
            var client = ScriptedChatClient.By((request, _) => adapter == "twostep" && request.SystemText.Contains("`text`", StringComparison.Ordinal)
                ? "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na"
                : answer).StreamingInPiecesOf(length);
            var program = Predict.Parse("question -> reasoning, answer").WithModel(client).WithAdapter(Adapters.AdapterList.Named(adapter));
            var told = new Dictionary<string, StringBuilder>();
            Prediction<FieldMap>? prediction = null;
            await foreach (var happened in program.StreamAsync(Question, null, Token))
            {
                switch (happened)
                {
                    case FieldDelta delta:
                        told.TryAdd(delta.Field, new());
                        told[delta.Field].Append(delta.Text);
                        break;
                    case FieldReset reset:
                        Assert.Fail($"{reset.Field} was reset at pieces of {length}.");
                        break;
                    case RunCompleted<FieldMap> completed:
                        prediction = completed.Prediction;
                        break;
                }
            }

            foreach (var (field, value) in prediction!.Value)
                Assert.Equal(value, told[field].ToString());
        }
    }

    [Fact]
    public async Task StreamAsync_Events_ComeInOrderWithPathAndCall()
    {
        var client = ScriptedChatClient.By((_, index) => $"[[ ## answer ## ]]\n{index}\n\n[[ ## completed ## ]]").StreamingInPiecesOf(5);
        var events = new List<RunEvent>();
        await foreach (var happened in new TwoSteps().WithModel(client).StreamAsync("q", null, Token))
            events.Add(happened);
        Assert.Equal(new StatusMessage("first"), events[0]);
        Assert.Equal([("first", 0), ("second", 0), ("second", 1)], events.OfType<CallCompleted>().Select(call => (call.Path, call.Call)));
        Assert.Equal("0|1|2", Assert.IsType<RunCompleted<string>>(events[^1]).Prediction.Value);
        Assert.All(events.OfType<FieldDelta>(), delta => Assert.Equal("answer", delta.Field));
    }

    [Fact]
    public async Task StreamAsync_ReAsk_TakesBackWhatWasTold()
    {
        var client = ScriptedChatClient.InSequence("[[ ## answer ## ]]\nmany", "[[ ## answer ## ]]\n42").StreamingInPiecesOf(3);
        var program = Predict.Parse("question -> answer: int").WithModel(client);
        var text = string.Empty;
        var resets = 0;
        await foreach (var happened in program.StreamAsync(Question, null, Token))
        {
            resets += happened is FieldReset ? 1 : 0;
            text = happened switch
            {
                FieldReset => string.Empty,
                FieldDelta delta => text + delta.Text,
                _ => text,
            };
        }

        Assert.Equal("42", text);
        Assert.Equal(1, resets);
    }

    [Fact]
    public async Task StreamAsync_DecoratedMarkers_AreToldInTheEnd()
    {
        var client = ScriptedChatClient.InSequence("**[[ ## answer ## ]]**\nParis").StreamingInPiecesOf(2);
        var deltas = new List<FieldDelta>();
        await foreach (var happened in Predict.Parse("question -> answer").WithModel(client).StreamAsync(Question, null, Token))
        {
            if (happened is FieldDelta delta)
                deltas.Add(delta);
        }

        Assert.Equal([new FieldDelta("self", 0, "answer", "Paris", true)], deltas);
    }

    /// <summary>What is shown in the end is what was read, of values that are no text as well.</summary>
    [Theory]
    [InlineData("json", "int", "{\"answer\": 1, \"answer\": 2}", "2", 1)]
    [InlineData("json", "int", "First {\"answer\": 1}, or rather {\"answer\": 2}.", "2", 1)]
    [InlineData("json", "list[int]", "{\"answer\": [1, 2]}", "[1, 2]", 0)]
    [InlineData("json", "int | str | None", "{\"answer\": 5}", "5", 0)]
    [InlineData("json", "int | str", "{\"answer\": \"5\"}", "5", 0)]
    [InlineData("compact", "dict[str, int]", "{\"answer\": {\"a\": 1}, \"note\": 1, \"answer\": {\"b\": 2}}", "{\"b\": 2}", 1)]
    [InlineData("xml", "list[str]", "<answer>a</answer>\n<answer>b</answer>", "[\"a\", \"b\"]", 1)]
    [InlineData("xml", "list[int]", "<answer><item>1</item><item>2</item></answer>", "<item>1</item><item>2</item>", 0)]
    [InlineData("xml", "int | None", "<answer></answer>", "", 0)]
    [InlineData("chat", "bool", "[[ ## answer ## ]]\nYes", "Yes", 0)]
    [InlineData("chat", "int", "[[ ## answer ## ]]\n1\n**[[ ## note ## ]]**\nn", "1", 1)]
    public async Task StreamAsync_ValueReadOtherwiseThanItWasTold_IsToldAnew(string adapter, string type, string answer, string shown, int expectedResets)
    {
        for (var length = 1; length <= answer.Length; length += 3)
        {
            var signature = adapter == "chat" ? $"question -> answer: {type}, note: str | None" : $"question -> answer: {type}";
            var program = Predict.Parse(signature).WithModel(ScriptedChatClient.InSequence(answer).StreamingInPiecesOf(length))
                .WithAdapter(Adapters.AdapterList.Named(adapter)).WithRecovery(RecoveryPolicy.None);
            var (text, resets) = (string.Empty, 0);
            await foreach (var happened in program.StreamAsync(Question, null, Token))
            {
                resets += happened is FieldReset { Field: "answer" } ? 1 : 0;
                text = happened switch
                {
                    FieldReset { Field: "answer" } => string.Empty,
                    FieldDelta { Field: "answer" } delta => text + delta.Text,
                    _ => text,
                };
            }

            Assert.Equal((shown, expectedResets), (text, resets));
        }
    }

    /// <summary>D35: an error of the program reaches the consumer as itself.</summary>
    [Fact]
    public async Task StreamAsync_ErrorMidStream_SurfacesAtTheConsumer()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new LMServerException("down"));
        await Assert.ThrowsAsync<LMServerException>(async () =>
        {
            await foreach (var _ in Predict.Parse("question -> answer").WithModel(new LM(client) { Retry = null }).StreamAsync(Question, null, Token))
                continue;
        });
    }

    [Fact]
    public async Task StreamAsync_ConsumerLeavesEarly_StopsTheRequest()
    {
        var stopped = new TaskCompletionSource();
        var client = ScriptedChatClient.ByAsync(async (_, _, token) =>
        {
            var never = new TaskCompletionSource<ChatResponse>();
            await using var registration = token.Register(() =>
            {
                stopped.SetResult();
                never.TrySetCanceled(token);
            });
            return await never.Task;
        });
        await foreach (var happened in new TwoSteps().WithModel(client).StreamAsync("q", null, Token))
        {
            Assert.IsType<StatusMessage>(happened);
            break;
        }

        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task StreamAsync_ManyAtOnce_KeepTheirEventsApart()
    {
        var client = ScriptedChatClient.By((request, _) => $"[[ ## answer ## ]]\n{request.Messages[1].Text.Split('\n')[1]}").StreamingInPiecesOf(1);
        var program = Predict.Parse("question -> answer").WithModel(client);
        var texts = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var text = new StringBuilder();
            await foreach (var happened in program.StreamAsync(FieldMap.Of(("question", $"number {i}")), null, Token))
                text.Append((happened as FieldDelta)?.Text);
            return text.ToString();
        }));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"number {i}"), texts);
    }

    [Fact]
    public async Task StreamAsync_ThoughtsAndTools_AreToldAsSuch()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant,
            [new TextReasoningContent("hm"), new TextContent("[[ ## answer ## ]]\na"), new FunctionCallContent("1", "search")]))));
        var events = new List<RunEvent>();
        await foreach (var happened in Predict.Parse("question -> answer").WithModel(client).StreamAsync(Question, null, Token))
            events.Add(happened);
        Assert.Equal("hm", Assert.Single(events.OfType<ReasoningDelta>()).Text);
        Assert.Equal("search", Assert.Single(events.OfType<ToolCallRequested>()).Request.Name);
    }

    private sealed class TwoSteps : Module<string, string>
    {
        private readonly Predict first = Predict.Parse("question -> answer");
        private readonly Predict second = Predict.Parse("question -> answer");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
        {
            await HoneScope.ReportStatusAsync("first", cancellationToken);
            var answers = new List<object?>();
            foreach (var step in new[] { first, second, second })
                answers.Add((await step.CallAsync(FieldMap.Of(("question", input)), cancellationToken))["answer"]);
            return string.Join('|', answers);
        }
    }
}
