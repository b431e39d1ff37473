using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Docs.Tests.Snippets.Caching;

public sealed class CacheTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "Where is the Louvre?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EqualRequests_AreMadeOnce()
    {
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        var question = Question;
        #region cache-first
        using var cache = new ResponseCache();
        var program = Predict.Parse("question -> answer").WithModel(new LM(chatClient) { Cache = cache });
        await program.CallAsync(question);
        Prediction<FieldMap> again = await program.RunAsync(question);
        Console.WriteLine(again.Trace.Calls[0].IsCacheHit);          // True
        Console.WriteLine(again.Usage.TotalTokens);                  // 0
        Console.WriteLine(cache.GetStatistics().Hits);               // 1
        #endregion
        Assert.True(again.Trace.Calls[0].IsCacheHit);
        Assert.Equal(0, again.Usage.TotalTokens);
        Assert.Equal(1, cache.GetStatistics().Hits);
        #region cache-samples
        await program.RunAsync(question, new() { Options = new() { SampleId = 1 } });    // another answer to the same request
        #endregion
        Assert.Equal(2, cache.GetStatistics().Misses);
    }

    [Fact]
    public async Task Modes_AreViewsOfOneCache()
    {
        var client = ScriptedChatClient.By((_, index) => Answers.Of(("answer", $"{index}")));
        using var cache = new ResponseCache();
        var lm = new LM(client) { Cache = cache };
        var predict = Predict.Parse("question -> answer");
        await predict.WithModel(lm).CallAsync(Question, Token);
        #region cache-modes
        var refreshing = lm with { Cache = cache.WithMode(CacheMode.WriteOnly) };       // asks again and replaces what is kept
        #endregion
        Assert.Equal("1", (await predict.WithModel(refreshing).CallAsync(Question, Token))["answer"]);
        Assert.Equal("1", (await predict.WithModel(lm).CallAsync(Question, Token))["answer"]);
    }

    [Fact]
    public async Task RecordedAnswers_AreReplayed()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("Paris", await AskAsync(CacheMode.Default, Answers.Always(("answer", "Paris"))));
        Assert.Equal("Paris", await AskAsync(CacheMode.Replay, ScriptedChatClient.InSequence()));

        async Task<object?> AskAsync(CacheMode mode, IChatClient client)
        {
            var path = Path.Combine(folder.Path, "louvre.db");
            #region cache-replay
            using var cache = new ResponseCache(new SqliteResponseStore(path), new() { Mode = mode });   // Default records, Replay replays
            var program = Predict.Parse("question -> answer").WithModel(new LM(client) { Cache = cache });
            FieldMap outputs = await program.CallAsync(FieldMap.Of(("question", "Where is the Louvre?")));
            #endregion
            return outputs["answer"];
        }
    }

    [Fact]
    public async Task ScriptedClient_AnswersInTurn()
    {
        #region cache-scripted
        var client = ScriptedChatClient.InSequence(
            ScriptedChatClient.ChatText(FieldMap.Of(("answer", "Paris"))),
            ScriptedChatClient.ChatText(FieldMap.Of(("answer", "London"))));
        var program = Predict.Parse("question -> answer").WithModel(client);
        Assert.Equal("Paris", (await program.CallAsync(FieldMap.Of(("question", "Where is the Louvre?"))))["answer"]);
        Assert.Contains("Louvre", client.Requests[0].LastText, StringComparison.Ordinal);
        #endregion
    }

    [Fact]
    public async Task SharedCache_ServesTwoProcesses()
    {
        IDistributedCache redis = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        var client = Answers.Always(("answer", "Paris"));
        for (var process = 0; process < 2; process++)
        {
            var lm = new LM(client);
            #region cache-distributed
            var store = new DistributedResponseStore(redis, "answers:", new() { SlidingExpiration = TimeSpan.FromDays(7) });
            lm = lm with { Cache = new ResponseCache(store) };
            #endregion
            await Predict.Parse("question -> answer").WithModel(lm).CallAsync(Question, Token);
        }

        Assert.Single(client.Requests);
    }
}

internal static class CacheSketches
{
    public static ResponseCache File()
    {
        #region cache-sqlite
        var store = new SqliteResponseStore("cache/answers.db", new() { MaxBytes = 500_000_000 });
        var cache = new ResponseCache(store, new() { TimeToLive = TimeSpan.FromDays(30) });     // disposing the cache closes the file
        #endregion
        return cache;
    }
}
