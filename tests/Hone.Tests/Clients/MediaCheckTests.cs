using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone.Tests.Clients;

public sealed class MediaCheckTests
{
    private static readonly byte[] Bytes = [1, 2, 3];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<AIContent, string, string> Parts => new()
    {
        { new DataContent(Bytes, "image/png"), "an image", "Images" },
        { new UriContent("https://example.org/a.jpg", "image/jpeg"), "an image", "Images" },
        { new DataContent(Bytes, "audio/wav"), "a sound", "Audio" },
        { new DataContent(Bytes, "application/pdf"), "a document or file", "Documents" },
        { new HostedFileContent("file-1"), "a document or file", "Documents" },
        { new HostedFileContent("file-2") { MediaType = "image/png" }, "an image", "Images" },
    };

    [Theory]
    [MemberData(nameof(Parts))]
    public async Task Warning_NamesModelKindAndCapability_AndTheRequestIsSentAsItIs(AIContent part, string kind, string capability)
    {
        AIContent? sent = null;
        var client = new StubChatClient((messages, _, _) =>
        {
            sent = messages[0].Contents[1];
            return Task.FromResult(StubChatClient.Response("x"));
        })
        { Model = "mystery", Address = null };
        var logger = new ListLogger();
        var model = new LM(client) { Logger = logger };

        await AskAsync(model, part);

        Assert.Same(part, sent);
        var (level, text) = Assert.Single(logger.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains($"to mystery holds {kind},", text, StringComparison.Ordinal);
        Assert.Contains($"lm.Capabilities with {{ {capability} = true }}", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warning_IsGivenOnceAModelAndKind_AlsoForStreamsAndCopies()
    {
        var logger = new ListLogger();
        var model = new LM(new StubChatClient(_ => StubChatClient.Response("x")) { Model = "mystery", Address = null }) { Logger = logger };
        var image = new DataContent(Bytes, "image/png");

        await AskAsync(model, image);
        await AskAsync(model, image);
        await AskAsync(model with { Options = new() { TopK = 5 } }, image);
        await foreach (var _ in model.AsChatClient().GetStreamingResponseAsync([new(ChatRole.User, [image])], cancellationToken: Token))
        {
        }

        Assert.Single(logger.Lines);
        await AskAsync(model, new DataContent(Bytes, "audio/wav"));
        Assert.Equal(2, logger.Lines.Count);
        await AskAsync(model with { Name = "other" }, image);
        Assert.Equal(3, logger.Lines.Count);
        Assert.Contains("other", logger.Lines[2].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warning_WaitsForALogger()
    {
        var client = new StubChatClient(_ => StubChatClient.Response("x")) { Model = "mystery", Address = null };
        var silent = new LM(client);
        await AskAsync(silent, new DataContent(Bytes, "image/png"));
        var logger = new ListLogger();
        await AskAsync(silent with { Logger = logger }, new DataContent(Bytes, "image/png"));
        Assert.Single(logger.Lines);
    }

    [Fact]
    public async Task Warning_NamesThePredictor()
    {
        var client = new StubChatClient(_ => StubChatClient.Response("[[ ## answer ## ]]\nA cat\n\n[[ ## completed ## ]]")) { Model = "mystery", Address = null };
        var logger = new ListLogger();
        var program = Predict.Parse("picture: Image -> answer").WithModel(new LM(client) { Logger = logger });
        await program.CallAsync(FieldMap.Of(("picture", Image.FromBytes(Bytes, "image/png"))), Token);
        Assert.Contains("predictor 'self'", Assert.Single(logger.Lines).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KnownMediaAndText_AreNotWarnedOf(bool isMedia)
    {
        var logger = new ListLogger();
        var model = new LM(new StubChatClient(_ => StubChatClient.Response("x")) { Model = isMedia ? "gpt-4o" : "mystery", Address = null }) { Logger = logger };
        await AskAsync(model, isMedia ? new DataContent(Bytes, "image/png") : new TextContent("text"));
        Assert.Empty(logger.Lines);
    }

    [Fact]
    public void TextOnlyMessages_AllocateNothing()
    {
        var settings = new AttemptSettings(new("m", null, null, null, "task"), new ListLogger()) { Capabilities = ModelCapabilities.TextOnly };
        List<ChatMessage> messages = [new(ChatRole.System, "a"), new(ChatRole.User, [new TextContent("b"), new TextContent("c")])];
        settings.Media.Warn(settings, messages, null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            settings.Media.Warn(settings, messages, null);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Streaming_OfAModelThatCannot_IsTheWholeAnswerAtOnce()
    {
        var client = new StubChatClient(_ => StubChatClient.Response("one two three")) { Break = (0, new InvalidOperationException("streamed")) };
        var model = new LM(client);
        model = model with { Retry = null, Capabilities = model.Capabilities with { Streaming = false } };

        var updates = await model.AsChatClient().GetStreamingResponseAsync("hi", cancellationToken: Token).ToListAsync(Token);

        Assert.Equal("one two three", Assert.Single(updates, update => update.Text.Length > 0).Text);
        Assert.Equal(10, updates.ToChatResponse().Usage?.InputTokenCount);
        Assert.Equal(ChatFinishReason.Stop, updates.ToChatResponse().FinishReason);
    }

    private static Task<ChatResponse> AskAsync(LM model, AIContent part) =>
        model.AsChatClient().GetResponseAsync([new(ChatRole.User, [new TextContent("see"), part])], cancellationToken: Token);
}
