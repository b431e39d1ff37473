using System.Globalization;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Modules.Attempts;

public sealed class BestOfNTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallAsync_NoneIsEnough_TakesTheBest_OfEqualOnesTheEarliest()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Answer("2b"), Answer("2a"));
        var program = Best(3, reward: (_, output) => output[0] - '0').WithModel(client);

        Assert.Equal("2b", await program.CallAsync("q", Token));
        Assert.Equal(["module"], program.Predictors.Select(predictor => predictor.Key));
    }

    [Fact]
    public async Task CallAsync_ThresholdReached_Stops()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Answer("3"), Answer("9"));

        Assert.Equal("3", await Best(3, threshold: 3).WithModel(client).CallAsync("q", Token));
        Assert.Equal(2, client.Requests.Count);
    }

    /// <summary>Attempts differ in their sample id and seed, so that no cache gives all of them the same answer; the temperature allows them to.</summary>
    [Fact]
    public async Task CallAsync_Attempts_AreSamplesOfTheirOwn()
    {
        var client = ScriptedChatClient.By((_, index) => Answer($"{index}"));
        var model = new LM(client) { Cache = new ResponseCache(), Options = new() { Temperature = 0 } };
        var program = Best(3).WithModel(model);
        Assert.Equal("2", (await program.RunAsync("q", new() { Seed = 7 }, Token)).Value);
        var options = client.Requests.Select(request => (HoneChatOptions)request.Options!).ToArray();
        Assert.Equal([0L, 1L, 2L], options.Select(each => each.SampleId!.Value));
        Assert.Equal([1f, 1f, 1f], options.Select(each => each.Temperature!.Value));
        Assert.Equal(3, options.Select(each => each.Seed).Distinct().Count());

        // The same run again is answered from the cache.
        Assert.Equal("2", (await program.RunAsync("q", new() { Seed = 7 }, Token)).Value);
        Assert.Equal(3, client.Requests.Count);
    }

    /// <summary>An id that somebody chose, for the model, the run or a predictor's state, tells whole series apart and never makes one attempt of all.</summary>
    [Theory]
    [InlineData("model")]
    [InlineData("run")]
    [InlineData("state")]
    public async Task CallAsync_ChosenSampleId_IsWhereTheAttemptsRunOnFrom(string where)
    {
        var (none, five) = (await SamplesAsync(0), await SamplesAsync(5));
        Assert.Equal([0L, 1L, 2L], none);
        Assert.Equal([15L, 16L, 17L], five);

        async Task<long[]> SamplesAsync(long id)
        {
            var client = ScriptedChatClient.By((_, index) => Answer($"{index}"));
            CallOptions chosen = new() { SampleId = id };
            var program = Best(3).WithModel(new LM(client) { Cache = new ResponseCache(), Options = where == "model" ? chosen : new() });
            if (where == "state")
                program = program.With(program.State.With("module", new() { Options = chosen }));
            await program.RunAsync("q", where == "run" ? new() { Options = chosen } : null, Token);
            return [.. client.Requests.Select(request => ((HoneChatOptions)request.Options!).SampleId!.Value)];
        }
    }

    [Fact]
    public async Task SampleAsync_ModelWithASampleId_RunsOnFromIt()
    {
        var client = ScriptedChatClient.By((_, index) => Answer($"{index}"));
        using var scope = HoneScope.Use(new LM(client) { Options = new() { SampleId = 4 } });
        await new Predict<string, string>().SampleAsync("q", 2, null, Token);

        Assert.Equal([8L, 9L], client.Requests.Select(request => ((HoneChatOptions)request.Options!).SampleId!.Value).Order());
    }

    [Fact]
    public async Task CallAsync_ChosenTemperature_IsKept()
    {
        var client = ScriptedChatClient.By((_, index) => Answer($"{index}"));
        await Best(2).WithModel(client).RunAsync("q", new() { Options = new() { Temperature = 0.3f } }, Token);

        Assert.All(client.Requests, request => Assert.Equal(0.3f, request.Options!.Temperature));
    }

    [Fact]
    public async Task CallAsync_Nested_SamplesAreApart()
    {
        var client = ScriptedChatClient.By((_, index) => Answer($"{index}"));
        await new BestOfN<string, string>(Best(2), 3, Value).WithModel(client).CallAsync("q", Token);

        Assert.Equal(6, client.Requests.Select(request => ((HoneChatOptions)request.Options!).SampleId).Distinct().Count());
    }

    [Fact]
    public async Task RunAsync_Trace_HoldsTheAttemptTaken_AndTheCostOfAll()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Answer("3"), Answer("2"));
        var run = await Best(3).WithModel(client).RunAsync("q", null, Token);

        Assert.Equal("3", Assert.Single(run.Trace.Calls).Outputs!["answer"]);
        Assert.Equal(0, run.Trace.Calls[0].Ordinal);
        Assert.Equal(["1", "2"], run.Trace.Discarded.Select(call => call.Outputs!["answer"]));
        Assert.Equal(3, run.Usage.Calls);
    }

    /// <summary>D26: failures are counted anew in each call and compared with their limit.</summary>
    [Fact]
    public async Task D26_Failures_AreCountedPerCall()
    {
        var client = ScriptedChatClient.By((_, index) => index % 2 == 0 ? "unreadable" : Answer("1"));
        var program = Best(2, options: new() { MaxFailures = 1 }).WithModel(client).WithRecovery(RecoveryPolicy.None);

        for (var i = 0; i < 3; i++)
            Assert.Equal("1", await program.CallAsync("q", Token));
    }

    /// <summary>D26: a limit of zero is a limit.</summary>
    [Fact]
    public async Task D26_MaxFailuresZero_FailsAtTheFirst()
    {
        var client = ScriptedChatClient.InSequence("unreadable", Answer("1"));
        var program = Best(2, options: new() { MaxFailures = 0 }).WithModel(client).WithRecovery(RecoveryPolicy.None);
        var error = await Assert.ThrowsAsync<HoneException>(() => program.CallAsync("q", Token));

        Assert.Contains("1 of 2 attempts failed", error.Message, StringComparison.Ordinal);
        Assert.Single(client.Requests);
        Assert.IsType<AdapterParseException>(Assert.Single(Assert.IsType<AggregateException>(error.InnerException).InnerExceptions));
    }

    /// <summary>D26: all attempts failed is an error with its causes, not a result without values.</summary>
    [Fact]
    public async Task D26_AllFail_Throws_AndTheTraceHasThem()
    {
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(ScriptedChatClient.By((_, _) => "unreadable")), Recovery = RecoveryPolicy.None });
        var error = await Assert.ThrowsAsync<HoneException>(() => Best(2).CallAsync("q", Token));

        Assert.Contains("2 of 2 attempts failed", error.Message, StringComparison.Ordinal);
        Assert.Equal([0, 1], HoneScope.Current!.Trace.Calls.Select(call => call.Ordinal));
    }

    [Fact]
    public async Task AttemptAsync_TellsEveryAttempt()
    {
        using var scope = HoneScope.Use(new ScopeOptions
        {
            Model = new LM(ScriptedChatClient.InSequence(Answer("1"), "unreadable", Answer("2"))),
            Recovery = RecoveryPolicy.None,
        });
        var result = await Best(3).AttemptAsync("q", Token);

        Assert.Equal(("2", 2), (result.Best, result.BestIndex));
        Assert.Equal([1d, null, 2d], result.Attempts.Select(attempt => attempt.Reward?.Value));
        Assert.IsType<AdapterParseException>(result.Attempts[1].Error);
        Assert.All(result.Attempts, attempt => Assert.Single(attempt.Trace.Calls));
    }

    /// <summary>Nothing compares with what is not a number: such an attempt has failed, wherever it stands.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task CallAsync_RewardThatIsNoNumber_FailsItsAttempt(int parallelism)
    {
        var client = ScriptedChatClient.By((request, _) => Answer($"{((HoneChatOptions)request.Options!).SampleId}"));
        using var scope = HoneScope.Use(client);
        static Score Worth(string input, string output) => output == "0" ? double.NaN : double.Parse(output, CultureInfo.InvariantCulture);
        var result = await Best(3, reward: Worth, options: new() { MaxParallelism = parallelism }).AttemptAsync("q", Token);
        Assert.Equal(("2", 2), (result.Best, result.BestIndex));
        Assert.Equal([null, 1d, 2d], result.Attempts.Select(attempt => attempt.Reward?.Value));
        Assert.StartsWith("The reward of BestOfN is not a number", result.Attempts[0].Error!.Message, StringComparison.Ordinal);

        Assert.Throws<ArgumentOutOfRangeException>(() => Best(2, threshold: double.NaN));
        var none = await Assert.ThrowsAsync<HoneException>(() => new BestOfN<string, string>(new Predict<string, string>(), 2, (_, _) => null!).CallAsync("q", Token));
        Assert.Contains("2 of 2 attempts failed", none.Message, StringComparison.Ordinal);
        Assert.Contains("The reward of BestOfN is null. Return a number.", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_WrongCredentials_AreNotTriedAgain()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new LMAuthException("no"));

        await Assert.ThrowsAsync<LMAuthException>(() => Best(3).WithModel(new LM(client) { Retry = null }).CallAsync("q", Token));
        Assert.Single(client.Requests);
    }

    /// <summary>Which attempt is taken, and what the trace says of it, does not depend on how many run at once or which is faster.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public async Task RunAsync_AnyParallelism_GivesTheSame(int parallelism)
    {
        // The later an attempt, the faster it is: each waits until one with a higher id has answered, where there is room for that.
        string[] answers = ["1", "bad", "4", "3", "5", "4"];
        var client = ScriptedChatClient.ByAsync(async (request, _, token) =>
        {
            var id = (int)((HoneChatOptions)request.Options!).SampleId!.Value;
            for (var i = 0; i < answers.Length - id; i++)
                await Task.Yield();
            token.ThrowIfCancellationRequested();
            return ScriptedChatClient.Respond(answers[id] == "bad" ? "unreadable" : Answer(answers[id]));
        });
        var program = Best(6, threshold: 4, options: new() { MaxParallelism = parallelism }).WithModel(client).WithRecovery(RecoveryPolicy.None);
        var run = await program.RunAsync("q", new() { Seed = 3 }, Token);

        Assert.Equal("4", run.Value);
        Assert.Equal("4", Assert.Single(run.Trace.Calls).Outputs!["answer"]);
        Assert.Equal(["1", null], run.Trace.Discarded.Take(2).Select(call => call.Outputs?["answer"]));
    }

    [Fact]
    public async Task StreamAsync_TellsTheAttemptTaken_Alone()
    {
        var client = ScriptedChatClient.InSequence(Answer("1"), Answer("3"), Answer("2"));
        var events = new List<RunEvent>();
        await foreach (var happened in Best(3).WithModel(client).StreamAsync("q", null, Token))
            events.Add(happened);

        Assert.Equal("3", string.Concat(events.OfType<FieldDelta>().Select(delta => delta.Text)));
        Assert.Equal("3", Assert.Single(events.OfType<CallCompleted>()).Record.Outputs!["answer"]);
        Assert.Empty(events.OfType<FieldReset>());
    }

    [Fact]
    public async Task CallAsync_WithoutModel_SaysSo() => await Assert.ThrowsAsync<LMNotConfiguredException>(() => Best(2).CallAsync("q", Token));

    [Fact]
    public async Task CallAsync_AsynchronousReward_MayAskAJudge()
    {
        var judge = new Predict<string, double>("How good is it?").WithModel(ScriptedChatClient.By((request, _) =>
            Answer(request.LastText.Contains("good", StringComparison.Ordinal) ? "0.9" : "0.1")));
        var module = new BestOfN<string, string>(
            new Predict<string, string>(), 2, async (_, output, token) => await judge.CallAsync(output, token));
        var run = await module.WithModel(ScriptedChatClient.InSequence(Answer("bad"), Answer("good"))).RunAsync("q", null, Token);

        Assert.Equal("good", run.Value);
        Assert.Equal(4, run.Usage.Calls);
    }

    private static string Answer(string text) => $"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]";

    private static Score Value(string input, string output) => double.Parse(output, CultureInfo.InvariantCulture);

    private static BestOfN<string, string> Best(
        int attempts, Func<string, string, Score>? reward = null, double? threshold = null, AttemptOptions? options = null) =>
        new(new Predict<string, string>(), attempts, reward ?? Value, threshold, options);
}
