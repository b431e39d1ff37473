using Hone.Engine.Tests.Tokens;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Generation;

public sealed class EngineChatClientTests : IDisposable
{
    private static readonly ChatMessage[] Question = [new(ChatRole.System, "the quick fox"), new(ChatRole.User, "jumps over the lazy dogs")];
    private readonly EngineModel _model = SmallModel.Create();
    private readonly EngineChatClient _client;

    public EngineChatClientTests() => _client = new EngineChatClient(_model, new EngineOptions { Workers = 2, PolicyVersion = 3 });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetResponse_AnyCall_RecordsTheSampledTokens()
    {
        var response = await _client.GetResponseAsync(Question, new ChatOptions { Seed = 5, MaxOutputTokens = 20, Temperature = 0.9f }, Token);
        var tokens = Assert.IsType<SampledTokens>(response.AdditionalProperties![SampledTokens.Key]);
        var prompt = _model.Tokenizer.Encode(_model.Template.Render(Question, true));
        Assert.Equal(prompt, tokens.PromptIds);
        Assert.Equal(tokens.CompletionIds.Count, tokens.LogProbs.Count);
        Assert.Equal(0.9, tokens.Temperature, 1e-6);
        Assert.Equal(3, tokens.PolicyVersion);
        Assert.Equal(response.FinishReason == ChatFinishReason.Length, tokens.IsTruncated);
        Assert.Equal(_model.Tokenizer.Decode([.. tokens.CompletionIds], skipSpecial: true), response.Text);
        Assert.Equal(prompt.Length, response.Usage!.InputTokenCount);
        Assert.Equal(tokens.CompletionIds.Count, response.Usage.OutputTokenCount);
        Assert.Equal("small", response.ModelId);
    }

    [Fact]
    public async Task GetResponse_EndOfTurnSampled_StopsAndRecordsIt()
    {
        var endOfTurn = SmallTokenizer.Instance.IdOf("<|im_end|>")!.Value;
        var options = new ChatOptions { MaxOutputTokens = 400, Temperature = 1.5f };
        for (var seed = 0; seed < 50; seed++)
        {
            options.Seed = seed;
            var response = await _client.GetResponseAsync(Question, options, Token);
            if (response.FinishReason != ChatFinishReason.Stop) continue;
            var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
            Assert.Equal(endOfTurn, tokens.CompletionIds[^1]);
            Assert.False(tokens.IsTruncated);
            return;
        }
        Assert.Fail("No completion of fifty sampled the end of the turn.");
    }

    [Fact]
    public async Task GetResponse_SameSeed_SameText()
    {
        var options = new ChatOptions { Seed = 11, MaxOutputTokens = 30 };
        var first = await _client.GetResponseAsync(Question, options, Token);
        var again = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => _client.GetResponseAsync(Question, options, Token)));
        Assert.All(again, response => Assert.Equal(first.Text, response.Text));
        var other = await _client.GetResponseAsync(Question, new ChatOptions { Seed = 12, MaxOutputTokens = 30 }, Token);
        Assert.NotEqual(first.Text, other.Text);
        var noSeed = new ChatOptions { MaxOutputTokens = 30 };
        var unseeded = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _client.GetResponseAsync(Question, noSeed, Token)));
        Assert.Equal(4, unseeded.Select(response => response.Text).Distinct().Count());
    }

    [Fact]
    public async Task GetStreamingResponse_AnySeed_StreamsTheSameAsOneResponse()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var options = new ChatOptions { Seed = seed, MaxOutputTokens = 40 };
            var whole = await _client.GetResponseAsync(Question, options, Token);
            if (whole.Text.Length > 12) options.StopSequences = [whole.Text[8..11], "never there"];
            whole = await _client.GetResponseAsync(Question, options, Token);
            var updates = new List<ChatResponseUpdate>();
            await foreach (var update in _client.GetStreamingResponseAsync(Question, options, Token)) updates.Add(update);
            var streamed = updates.ToChatResponse();
            Assert.Equal(whole.Text, streamed.Text);
            Assert.Equal(whole.FinishReason, streamed.FinishReason);
            Assert.Equal(whole.Usage!.OutputTokenCount, streamed.Usage!.OutputTokenCount);
            var tokens = (SampledTokens)streamed.AdditionalProperties![SampledTokens.Key]!;
            Assert.Equal(((SampledTokens)whole.AdditionalProperties![SampledTokens.Key]!).CompletionIds, tokens.CompletionIds);
        }
    }

    [Fact]
    public async Task GetResponse_StopSequence_EndsBeforeIt()
    {
        var options = new ChatOptions { Seed = 3, MaxOutputTokens = 40 };
        var whole = (await _client.GetResponseAsync(Question, options, Token)).Text;
        var stop = whole[5..8];
        options.StopSequences = [stop];
        var stopped = await _client.GetResponseAsync(Question, options, Token);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], stopped.Text);
        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
    }

    [Fact]
    public async Task GetResponse_PromptTooLong_NamesTheLengths()
    {
        ChatMessage[] endless = [new(ChatRole.User, string.Join(' ', Enumerable.Repeat("cabbage", 2000)))];
        var error = await Assert.ThrowsAsync<ContextLengthExceededException>(() => _client.GetResponseAsync(endless, cancellationToken: Token));
        Assert.Contains(error.PromptTokens.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
        Assert.Contains("512", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ContextLengthExceededException>(async () =>
        {
            await foreach (var _ in _client.GetStreamingResponseAsync(endless, cancellationToken: Token))
            {
            }
        });
    }

    [Fact]
    public async Task GetResponse_NoLimit_EndsWithTheContext()
    {
        ChatMessage[] messages = [new(ChatRole.User, "fox")];
        for (var seed = 0; seed < 20; seed++)
        {
            var response = await _client.GetResponseAsync(messages, new ChatOptions { Seed = seed, Temperature = 0.2f }, Token);
            Assert.True(response.Usage!.TotalTokenCount <= 512);
            Assert.Equal(response.Usage.TotalTokenCount == 512, response.FinishReason == ChatFinishReason.Length);
        }
    }

    [Fact]
    public async Task GetResponse_UnsupportedOption_IsRefused()
    {
        ChatOptions tools = new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] };
        ChatOptions cut = new() { AdditionalProperties = new() { ["min_p"] = 0.1 } };
        foreach (var options in (ChatOptions[])[tools, new() { ResponseFormat = ChatResponseFormat.Json }, new() { PresencePenalty = 1 }, cut])
            await Assert.ThrowsAsync<NotSupportedException>(() => _client.GetResponseAsync(Question, options, Token));

        // What is no matter of sampling goes by.
        Assert.NotNull(await _client.GetResponseAsync(Question, new ChatOptions { MaxOutputTokens = 1, AdditionalProperties = new() { ["user"] = "me" } }, Token));
    }

    [Fact]
    public async Task GetStreamingResponse_Abandoned_FreesTheRow()
    {
        await foreach (var _ in _client.GetStreamingResponseAsync(Question, new ChatOptions { Temperature = 0.1f }, Token)) break;
        var response = await _client.GetResponseAsync(Question, new ChatOptions { MaxOutputTokens = 3 }, Token);
        Assert.NotNull(response.Usage);
    }

    [Fact]
    public void GetService_Metadata_NamesTheModel()
    {
        var metadata = (ChatClientMetadata)((IChatClient)_client).GetService(typeof(ChatClientMetadata))!;
        Assert.Equal("small", metadata.DefaultModelId);
        Assert.Same(_model, ((IChatClient)_client).GetService(typeof(EngineModel)));
        Assert.Same(_model.Tokenizer, ((IChatClient)_client).GetService(typeof(ITokenTextSource)));
    }

    [Fact]
    public async Task Load_SavedModel_SamplesTheSame()
    {
        var directory = Directory.CreateTempSubdirectory("hone-engine-").FullName;
        try
        {
            _model.Save(directory);
            using var loaded = EngineModel.Load(directory);
            Assert.Equal(_model.EndTokenIds, loaded.EndTokenIds);
            Assert.Equal("chatml", loaded.Template.Name);
            using var client = new EngineChatClient(loaded);
            var options = new ChatOptions { Seed = 1, MaxOutputTokens = 10 };
            var expected = await _client.GetResponseAsync(Question, options, Token);
            Assert.Equal(expected.Text, (await client.GetResponseAsync(Question, options, Token)).Text);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _model.Dispose();
    }
}
