using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Immutable;
using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using OpenAI;
using OpenAI.Chat;

namespace Docs.Tests.Snippets.Models;

public sealed class ModelTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "Where is the Louvre?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Budget_RefusesWhatDoesNotFit()
    {
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        #region models-budget
        var budget = new CallBudget(new() { MaxCalls = 2 });
        var program = Predict.Parse("question -> answer").WithModel(new LM(chatClient) { Budget = budget });
        try
        {
            for (var i = 0; i < 3; i++)
                await program.CallAsync(FieldMap.Of(("question", $"Question {i}?")));
        }
        catch (BudgetExceededException error)
        {
            Console.WriteLine(error.Limit);                                // MaxCalls
            Console.WriteLine(budget.GetSnapshot().ByPath["self"].Calls);  // 2: the third was not made
        }
        #endregion
        Assert.Equal(2, budget.GetSnapshot().ByPath["self"].Calls);
        var refused = await Assert.ThrowsAsync<BudgetExceededException>(() => program.CallAsync(Question, Token));
        Assert.Equal("MaxCalls", refused.Limit);
    }

    [Fact]
    public async Task History_IsForPeople()
    {
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        #region models-history
        var history = new CallHistory(capacity: 20, redact: entry => entry with { Messages = [] });   // keeps answers, drops prompts
        var program = Predict.Parse("question -> answer").WithModel(new LM(chatClient) { History = history });
        await program.CallAsync(FieldMap.Of(("question", "Where is the Louvre?")));
        Console.WriteLine(history.Inspect());
        #endregion
        Assert.Contains("Paris", history.Inspect(), StringComparison.Ordinal);
        Assert.DoesNotContain("Louvre", history.Inspect(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failover_AsksTheNextModel()
    {
        var primary = ScriptedChatClient.ByAsync((_, _, _) => throw new LMAuthException("The key has expired."));
        var secondary = Answers.Always(("answer", "Paris"));
        #region models-failover
        var lm = new LM(primary, "primary") { Failover = [new LM(secondary, "secondary")] };
        #endregion
        Assert.Equal("Paris", (await Predict.Parse("question -> answer").WithModel(lm).CallAsync(Question, Token))["answer"]);
    }

    [Fact]
    public async Task Handler_KeepsTheTimeToWait()
    {
        await using var server = await Loopback.StartAsync(429, "9", """{"error": "slow down"}""");
        #region models-retry-after
        var http = new HttpClient(new RetryAfterHandler(new SocketsHttpHandler()));
        #endregion
        using (http)
        {
            var error = await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(server.Address, Token));
            Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, error.StatusCode);
        }
    }

    [Fact]
    public async Task LogProbs_AreReadOffTheTrace()
    {
        const string body = """
            {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
              "message": {"role": "assistant", "content": "[[ ## answer ## ]]\nParis"},
              "logprobs": {"content": [{"token": "Paris", "logprob": -0.5, "bytes": null, "top_logprobs": []}], "refusal": null}}]}
            """;
        await using var server = await Loopback.StartAsync(200, null, body);
        var client = new ChatClient("m", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = server.Address }).AsIChatClient();
        var question = Question;
        #region models-logprobs
        var lm = new LM(client)
        {
            Options = new()
            {
                LogProbs = true,
                Additional = ImmutableSortedDictionary<string, object?>.Empty.Add("top_logprobs", 3),
            },
        };
        var run = await Predict.Parse("question -> answer").WithModel(lm).RunAsync(question);
        foreach (var token in run.Trace.Calls[0].GetLogProbs())
            Console.WriteLine($"{token.Text}: {Math.Exp(token.LogProb):P1}, or {string.Join(", ", token.Alternatives.Select(other => other.Text))}");
        #endregion
        Assert.Equal(new TokenLogProb("Paris", -0.5), Assert.Single(run.Trace.Calls[0].GetLogProbs()));
    }

    [Fact]
    public void Capabilities_CanBeOverridden()
    {
        var client = ScriptedChatClient.InSequence();
        #region models-capabilities
        var lm = new LM(client);
        lm = lm with { Capabilities = lm.Capabilities with { NativeTools = true, JsonMode = true } };
        #endregion
        Assert.True(lm.Capabilities.NativeTools);
    }

    [Fact]
    public async Task Predictors_CanHaveModelsOfTheirOwn()
    {
        var (small, large) = (new LM(Answers.Always(("answer", "small")), "s"), new LM(Answers.Always(("answer", "large")), "l"));
        var predict = Predict.Parse("question -> answer");
        #region models-named
        var program = predict.WithModel(small)
            .WithNamedModel("large", large)
            .With(ProgramState.Default.With("self", new() { Model = "large", Options = new() { Temperature = 0 } }));
        #endregion
        Assert.Equal("large", (await program.CallAsync(Question, Token))["answer"]);
    }

    [Fact]
    public async Task Samples_AreVotedOn()
    {
        var chatClient = ScriptedChatClient.By((_, index) => Answers.Of(("answer", index == 1 ? "London" : "Paris")));
        #region models-samples
        var ask = Predict.Parse("question -> answer");
        using var scope = HoneScope.Use(new LM(chatClient));
        IReadOnlyList<ItemResult<FieldMap>> samples = await ask.SampleAsync(FieldMap.Of(("question", "Where is the Louvre?")), count: 5);
        FieldMap winner = Majority.Of([.. samples.Where(sample => sample.Succeeded).Select(sample => sample.Value!)]);
        #endregion
        Assert.Equal("Paris", winner["answer"]);
    }
}

internal static class ModelSketches
{
    public static LM First(string key)
    {
        #region models-first
        IChatClient client = new ChatClient(
            "gpt-4.1-mini",
            new ApiKeyCredential(key),
            new OpenAIClientOptions { RetryPolicy = new ClientRetryPolicy(maxRetries: 0) })           // Hone retries
            .AsIChatClient();
        var lm = new LM(client) { Options = new() { Temperature = 0, MaxOutputTokens = 1_000 } };
        #endregion
        return lm;
    }

    public static LM Parts(IChatClient client, IChatClient second, ILogger logger)
    {
        #region models-parts
        var lm = new LM(client, "answers")
        {
            Options = new() { Temperature = 0.2f, MaxOutputTokens = 800 },
            Price = new(Input: 0.40m, Output: 1.60m, CachedInput: 0.10m),          // US dollars for a million tokens
            Cache = new ResponseCache(new SqliteResponseStore("cache/answers.db")),
            Budget = new CallBudget(new() { MaxMoney = 5, MaxTime = TimeSpan.FromHours(1) }),
            RateLimiter = new RateLimiter(new() { RequestsPerMinute = 500, MaxConcurrentCalls = 16 }),
            Retry = new() { MaxAttempts = 4 },
            History = new CallHistory(capacity: 50),
            Failover = [new LM(second) { Price = new(3, 15) }],
            Logger = logger,
        };
        #endregion
        return lm;
    }

    public static IChatClient Middleware(IChatClient client, CallHistory history, ResponseCache cache, CallBudget budget, RateLimiter limiter)
    {
        #region models-middleware
        IChatClient chat = new ChatClientBuilder(client)
            .UseHoneHistory(history)
            .UseHoneCache(cache)
            .UseHoneBudget(budget, new ModelPrice(0.40m, 1.60m))
            .UseHoneRetry()
            .UseHoneRateLimit(limiter)
            .Build();
        #endregion
        return chat;
    }
}
