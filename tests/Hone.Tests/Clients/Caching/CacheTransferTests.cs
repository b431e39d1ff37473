using System.Text;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients.Caching;

/// <summary>What goes into a cache, from a model under a budget and from a file.</summary>
public sealed class CacheTransferTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A limit that a budget chose is no part of the request, so what it cut must not answer requests without one.</summary>
    [Theory]
    [InlineData(null, false, 2)]
    [InlineData(null, true, 2)]
    [InlineData(50, false, 1)]
    public async Task AnswerCutByABudgetsLimit_IsNotKept(int? own, bool streams, int calls)
    {
        using var cache = new ResponseCache();
        using var budget = new CallBudget(new() { MaxTokens = 100_000 });
        var client = new StubChatClient(_ =>
        {
            var response = StubChatClient.Response("cut off");
            response.FinishReason = ChatFinishReason.Length;
            return response;
        });
        var model = (new LM(client) { Cache = cache, Budget = budget }).AsChatClient();
        for (var i = 0; i < 2; i++)
        {
            var options = new ChatOptions { MaxOutputTokens = own };
            var response = streams
                ? await model.GetStreamingResponseAsync("hi", options, Token).ToChatResponseAsync(Token)
                : await model.GetResponseAsync("hi", options, Token);
            Assert.Equal("cut off", response.Text);
        }

        Assert.Equal(calls, client.Calls);
    }

    [Fact]
    public async Task ImportAsync_WhatExportWrote_AnswersAgain()
    {
        using var cache = new ResponseCache();
        var client = StubChatClient.Saying("an answer");
        await (new LM(client) { Cache = cache }).AsChatClient().GetResponseAsync("a", cancellationToken: Token);
        using var stream = new MemoryStream();
        await cache.ExportAsync(stream, Token);

        stream.Position = 0;
        using var other = new ResponseCache(options: new() { Mode = CacheMode.Replay });
        Assert.Equal(1, await other.ImportAsync(stream, Token));
        var response = await (new LM(client) { Cache = other }).AsChatClient().GetResponseAsync("a", cancellationToken: Token);
        Assert.True(ResponseCache.IsHit(response));
        Assert.Equal("an answer", response.Text);
        Assert.Equal(1, client.Calls);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("[]")]
    [InlineData("{\"key\": \"ab\"}")]
    [InlineData("{\"key\": \"ab\", \"response\": {\"v\": 99}}")]
    public async Task ImportAsync_OtherContent_NamesTheLine(string line)
    {
        using var cache = new ResponseCache();
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes("\n" + line));
        var error = await Assert.ThrowsAsync<HoneException>(() => cache.ImportAsync(stream, Token));
        Assert.StartsWith("Line 2 ", error.Message, StringComparison.Ordinal);
    }
}
