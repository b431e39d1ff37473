using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Tests.Streaming;

/// <summary>Streams of programs as a page reads them: over HTTP, from a real server.</summary>
public sealed class ServerSentEventsTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A page that clears a field on a reset shows in the end what the program returned.</summary>
    [Fact]
    public async Task Page_FollowsResets_AndEndsWithTheResult()
    {
        var client = ScriptedChatClient.InSequence("[[ ## score ## ]]\nnot a number", "[[ ## score ## ]]\n42\n\n[[ ## completed ## ]]").StreamingInPiecesOf(5);
        var events = await ReadAsync(Predict.Parse("question -> score: int").WithModel(client));

        Assert.Contains(("reset", """{"path": "self", "call": 0, "field": "score"}"""), events);
        var text = string.Empty;
        foreach (var (name, data) in events)
            text = name == "reset" ? string.Empty : name == "delta" ? text + JsonElement.Parse(data).GetProperty("text").GetString() : text;
        Assert.Equal("42", text);
        Assert.Equal("done", events[^1].Name);
        var done = JsonElement.Parse(events[^1].Data);
        Assert.Equal((42, 2), (done.GetProperty("value").GetProperty("score").GetInt32(), done.GetProperty("usage").GetProperty("calls").GetInt32()));
        Assert.All(events, each => Assert.Contains(each.Name, (string[])["delta", "reset", "done"]));
    }

    [Fact]
    public async Task Text_OfAnyKind_ArrivesAsItIs()
    {
        const string answer = "a\nb\r\n\u2028 é 😀 \"q\" data: x\n\nevent: y";
        var client = ScriptedChatClient.By((_, _) => ScriptedChatClient.Text(JsonAdapter.Default, FieldMap.Of(("answer", answer)))).StreamingInPiecesOf(3);
        var events = await ReadAsync(Predict.Parse("question -> answer").WithModel(client).WithAdapter(JsonAdapter.Default));
        Assert.Equal(answer, string.Concat(events.Where(each => each.Name == "delta").Select(each => JsonElement.Parse(each.Data).GetProperty("text").GetString())));
    }

    [Fact]
    public async Task Error_AfterTheFirstPiece_IsToldByItsCode_AndEndsTheStream()
    {
        var model = new LM(new Breaking()) { Retry = null };
        var events = await ReadAsync(Predict.Parse("question -> answer").WithModel(model));
        Assert.Equal("delta", events[0].Name);
        Assert.Equal(("error", """{"code": "server"}"""), events[^1]);
    }

    [Fact]
    public async Task Select_ShowsWhatIsAskedFor()
    {
        var client = ScriptedChatClient.InSequence(
            Modules.Agents.AgentScript.Turn("add", ("add", """{"a": 1}""")), Modules.Agents.AgentScript.Turn("done", ("submit", """{"answer": "3"}""")));
        var events = await ReadAsync(
            ReAct.Parse("question -> answer", [Modules.Agents.AgentScript.Add]).WithModel(client), happened => happened is ToolCallRequested or ToolCallCompleted or CallCompleted);
        Assert.Equal(["call", "tool_call", "tool_result", "call", "tool_call", "tool_result"], events.Select(each => each.Name));
        Assert.Equal(("add", 1), (JsonElement.Parse(events[1].Data).GetProperty("name").GetString(), JsonElement.Parse(events[1].Data).GetProperty("arguments").GetProperty("a").GetInt32()));
        Assert.Equal(3, JsonElement.Parse(events[2].Data).GetProperty("value").GetInt32());
    }

    /// <summary>An error in the middle reaches the consumer as itself, after the pieces before it.</summary>
    [Fact]
    public async Task StreamAsync_ErrorAfterTheFirstPiece_SurfacesAfterIt()
    {
        var pieces = new List<string>();
        var error = await Assert.ThrowsAsync<LMServerException>(async () =>
        {
            await foreach (var happened in Predict.Parse("question -> answer").WithModel(new LM(new Breaking()) { Retry = null }).StreamAsync(Question, null, Token))
            {
                if (happened is FieldDelta delta)
                    pieces.Add(delta.Text);
            }
        });
        Assert.Contains("broke", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Par", string.Concat(pieces), StringComparison.Ordinal);
    }

    /// <summary>An answer from the cache is streamed like any other, and costs nothing.</summary>
    [Fact]
    public async Task StreamAsync_CachedAnswer_IsStreamed()
    {
        var client = ScriptedChatClient.InSequence("[[ ## answer ## ]]\nParis is it.\n\n[[ ## completed ## ]]").StreamingInPiecesOf(4);
        var program = Predict.Parse("question -> answer").WithModel(new LM(client) { Cache = new ResponseCache() });
        for (var round = 0; round < 3; round++)
        {
            var (text, isHit) = (string.Empty, false);
            Prediction<FieldMap>? prediction = null;
            await foreach (var happened in program.StreamAsync(Question, null, Token))
            {
                text += happened is FieldDelta delta ? delta.Text : string.Empty;
                isHit |= happened is CallCompleted { Record.IsCacheHit: true };
                prediction = happened is RunCompleted<FieldMap> completed ? completed.Prediction : prediction;
            }

            Assert.Equal(("Paris is it.", round > 0), (text, isHit));
            Assert.Equal(round > 0 ? 0 : 1, prediction!.Usage.Calls);
        }

        Assert.Single(client.Requests);
    }

    private static async Task<List<(string Name, string Data)>> ReadAsync(Program<FieldMap, FieldMap> program, Func<RunEvent, bool>? select = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var application = builder.Build();
        application.Run(context => TypedResults.ServerSentEvents(
            program.StreamAsync(Question, null, context.RequestAborted).ToServerSentEventsAsync(select, context.RequestAborted)).ExecuteAsync(context));
        await application.StartAsync(Token);
        var events = new List<(string, string)>();
        using var http = new HttpClient();
        await using var stream = await http.GetStreamAsync(new Uri(application.Urls.First()), Token);
        try
        {
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(Token))
                events.Add((item.EventType, item.Data));
        }
        catch (HttpIOException)
        {
            // A run that failed breaks the connection off, after the event that says so.
            Assert.Equal("error", events[^1].Item1);
        }

        return events;
    }

    /// <summary>A model whose connection breaks in the middle of an answer.</summary>
    private sealed class Breaking : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            yield return new(ChatRole.Assistant, "[[ ## answer ## ]]\nParis is the ");
            await Task.Yield();
            yield return new(ChatRole.Assistant, "capital of the country");
            throw new LMServerException("the connection broke");
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
