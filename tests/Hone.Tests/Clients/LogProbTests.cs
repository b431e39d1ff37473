using System.Text.Json;
using Hone.Tests.Clients.Server;
using OpenAI.Chat;

namespace Hone.Tests.Clients;

/// <summary>Log-probabilities through OpenAI's own client, against a real server.</summary>
public sealed class LogProbTests
{
    private const string Body = """
        {"id": "c", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o", "choices": [{"index": 0, "finish_reason": "stop",
          "message": {"role": "assistant", "content": "[[ ## answer ## ]]\nParis"},
          "logprobs": {"content": [
            {"token": "Par", "logprob": -0.25, "bytes": [80, 97, 114], "top_logprobs": [
              {"token": "Par", "logprob": -0.25, "bytes": null}, {"token": "Rome", "logprob": -2.5, "bytes": null}]},
            {"token": "is", "logprob": -0.5, "bytes": null, "top_logprobs": []}], "refusal": null}}],
         "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TokenLogProb[] Expected =>
    [
        new("Par", -0.25) { Alternatives = [new("Par", -0.25), new("Rome", -2.5)] },
        new("is", -0.5),
    ];

    [Fact]
    public async Task GetLogProbs_OfOpenAIsClient_AreTheTokensWithTheirAlternatives()
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Raw(Body));
        var model = new LM(server.OpenAI())
        {
            Options = new()
            {
                LogProbs = true,
                RawOptions = _ => new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 2 },
            },
        };

        var run = await Predict.Parse("question -> answer").WithModel(model).RunAsync(FieldMap.Of(("question", "Where?")), cancellationToken: Token);

        Assert.Equal(Expected, Assert.Single(run.Trace.Calls).GetLogProbs());
        var request = Assert.Single(server.Requests).Body;
        Assert.True(request.GetProperty("logprobs").GetBoolean());
        Assert.Equal(2, request.GetProperty("top_logprobs").GetInt32());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GetLogProbs_WithoutAny_IsEmpty(bool isAsked)
    {
        await using var server = await FakeServer.StartAsync(FakeReply.Say("[[ ## answer ## ]]\nParis"));
        var model = new LM(server.OpenAI()) { Options = new() { LogProbs = isAsked } };
        var run = await Predict.Parse("question -> answer").WithModel(model).RunAsync(FieldMap.Of(("question", "Where?")), cancellationToken: Token);
        Assert.Empty(Assert.Single(run.Trace.Calls).GetLogProbs());
    }

    [Fact]
    public void Read_JsonOfThatShape_IsRead_OtherObjectsAreEmpty()
    {
        using var document = JsonDocument.Parse(Body);
        Assert.Equal(Expected, LogProbReader.Read(document.RootElement));
        Assert.Empty(LogProbReader.Read(null));
        Assert.Empty(LogProbReader.Read("text"));
        Assert.Empty(LogProbReader.Read(JsonElement.Parse("[]")));
        Assert.Empty(LogProbReader.Read(JsonElement.Parse("""{"choices": [{"logprobs": null}]}""")));
    }
}
