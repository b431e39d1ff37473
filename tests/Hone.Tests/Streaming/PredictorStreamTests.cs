using Hone.Testing;

namespace Hone.Tests.Streaming;

public sealed class PredictorStreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Answers => new()
    {
        { "chat", "[[ ## answer ## ]]\nParis \\ \"x\"\n\n[[ ## completed ## ]]\n" },
        { "json", """{"answer": "Paris \\ \"x\" \u00e9"}""" },
        { "xml", "<answer>\nParis &lt; Rome\n</answer>" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task StreamTextAsync_EveryChunking_JoinsToWhatIsParsed(string adapter, string answer)
    {
        for (var length = 1; length <= answer.Length; length++)
        {
            using var scope = Scope(ScriptedChatClient.InSequence(answer, answer).StreamingInPiecesOf(length), Adapters.AdapterList.Named(adapter));
            var predict = new Predict<string, string>();
            var whole = await predict.CallAsync("q", Token);
            var pieces = await predict.StreamTextAsync("q", cancellationToken: Token).ToListAsync(Token);
            Assert.Equal(whole, string.Concat(pieces));
            Assert.Equal([0, 1], scope.Trace.Calls.Select(call => call.Ordinal));
        }
    }

    [Fact]
    public async Task StreamTextAsync_UnreadableBeforeAnyPiece_IsRecoveredFrom()
    {
        using var scope = Scope(ScriptedChatClient.InSequence("[[ ## wrong ## ]]\nx", "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nParis").StreamingInPiecesOf(2));
        var pieces = await new ChainOfThought<string, string>().StreamTextAsync("q", cancellationToken: Token).ToListAsync(Token);
        Assert.Equal("Paris", string.Concat(pieces));
        Assert.Equal(2, scope.Trace.Calls.Length);
    }

    [Fact]
    public async Task StreamTextAsync_UnreadableAfterAPiece_ThrowsAndAsksNoMore()
    {
        // The count comes last and is no number; the text before it was told.
        var client = ScriptedChatClient.By((_, _) => "[[ ## count ## ]]\nmany\n\n[[ ## text ## ]]\nParis").StreamingInPiecesOf(2);
        using var scope = Scope(client);
        var pieces = new List<string>();
        var error = await Assert.ThrowsAsync<AdapterParseException>(async () =>
        {
            await foreach (var piece in Predict.Parse("question -> count: int, text").StreamTextAsync(FieldMap.Of(("question", "q")), cancellationToken: Token))
                pieces.Add(piece);
        });
        Assert.Equal("Paris", string.Concat(pieces));
        Assert.Contains("count", error.Message, StringComparison.Ordinal);
        Assert.Same(error, Assert.Single(scope.Trace.Calls).Failure);
        Assert.Single(client.Requests);
    }

    [Fact]
    public async Task StreamTextAsync_WithoutAScope_NamesTheWayOut()
    {
        var error = await Assert.ThrowsAsync<LMNotConfiguredException>(
            () => new Predict<string, string>().StreamTextAsync("q", cancellationToken: Token).ToListAsync(Token).AsTask());
        Assert.Contains("HoneScope.Use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamTextAsync_TokenOfTheLoop_Cancels()
    {
        using var scope = Scope(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nParis"));
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in new Predict<string, string>().StreamTextAsync("q", cancellationToken: Token).WithCancellation(stop.Token))
                continue;
        });
    }

    [Fact]
    public async Task StreamAsync_OfAPredictor_TellsEveryField_AndEndsWithTheValue()
    {
        using var scope = Scope(ScriptedChatClient.InSequence("[[ ## title ## ]]\nBees\n\n[[ ## body ## ]]\nThey are busy.").StreamingInPiecesOf(4));
        var events = await new Predict<string, Page>().StreamAsync("bees", new() { Temperature = 0.5f }, Token).ToListAsync(Token);

        Assert.Equal("Bees", Told(events, "title"));
        Assert.Equal("They are busy.", Told(events, "body"));
        var completed = Assert.IsType<RunCompleted<Page>>(events[^1]);
        Assert.Equal(new("Bees", "They are busy."), completed.Prediction.Value);
        Assert.Equal(0, Assert.Single(completed.Prediction.Trace.Calls).Ordinal);
        Assert.IsType<CallCompleted>(events[^2]);
    }

    [Fact]
    public void TextPieces_WholeThatGoesOn_IsCompleted_AnotherThrows()
    {
        var pieces = new TextPieces("answer");
        Assert.Equal("Par", pieces.Read(new FieldDelta("self", 0, "answer", "Par", false)));
        Assert.Null(pieces.Read(new FieldDelta("self", 0, "other", "x", true)));
        Assert.Null(pieces.Read(new FieldReset("self", 0, "answer")));
        Assert.Equal("is", pieces.Read(new FieldDelta("self", 0, "answer", "Paris", true)));
        Assert.Null(pieces.Read(new FieldReset("self", 0, "answer")));
        var error = Assert.Throws<HoneException>(() => pieces.Read(new FieldDelta("self", 0, "answer", "Rome", true)));
        Assert.Contains("'answer'", error.Message, StringComparison.Ordinal);
    }

    private static string Told(List<RunEvent> events, string field) =>
        string.Concat(events.OfType<FieldDelta>().Where(delta => delta.Field == field).Select(delta => delta.Text));

    private static HoneScope Scope(ScriptedChatClient client, Adapter? adapter = null) =>
        HoneScope.Use(new ScopeOptions { Model = new(client), Adapter = adapter });

    public sealed record Page(string Title, string Body);
}
