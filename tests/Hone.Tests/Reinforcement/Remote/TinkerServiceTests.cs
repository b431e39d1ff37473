using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>What a Tinker service tells of itself, before anything is created on it.</summary>
public sealed class TinkerServiceTests
{
    private static readonly string[] Asked = ["healthz", "get_server_capabilities"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartTraining_ModelThatTheServiceLacks_IsRefusedBeforeAnythingIsCreated()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => TinkerTask.StartAsync(TinkerTask.Options(server) with { BaseModel = "other/model" }, null, Token));
        Assert.Equal(["TinkerOptions.BaseModel"], error.Options);
        Assert.Contains("does not offer the base model 'other/model'. It offers: 'toy/policy'.", error.Message, StringComparison.Ordinal);
        Assert.Equal(Asked, server.Requests.Select(request => request.Operation));
    }

    [Fact]
    public async Task StartTraining_ServiceThatTellsNothingOfItself_IsTakenAsItIs()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.TellsOfItself = false;
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        Assert.Equal(32_768, session.Capabilities.MaxSequenceLength);
        Assert.Equal([.. Asked, "create_session", "create_model", "retrieve_future"], server.Requests.Select(request => request.Operation));
    }

    [Fact]
    public async Task StartTraining_ServiceThatIsNotWell_SaysWhatItAnswered()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.Health = "loading";
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => TinkerTask.StartAsync(TinkerTask.Options(server), null, Token));
        Assert.Equal("healthz", error.Operation);
        Assert.Contains("is not well: it answers healthz with 'loading'", error.Message, StringComparison.Ordinal);
        Assert.Contains(server.Address.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Equal(["healthz"], server.Requests.Select(request => request.Operation));
    }

    /// <summary>One that is starting is waited for as long as any that is down.</summary>
    [Theory]
    [InlineData(3, true)]
    [InlineData(1000, false)]
    public async Task StartTraining_ServiceThatIsUnavailable_IsWaitedForWhileTheWindowLasts(int times, bool isStarted)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.Inject(new(ServerFaultKind.Unavailable, "healthz", times));
        var options = TinkerTask.Options(server, time: new LeapingClock());
        if (isStarted)
        {
            await using var session = await TinkerTask.StartAsync(options, null, Token);
            return;
        }

        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => TinkerTask.StartAsync(options, null, Token));
        Assert.Equal(("healthz", 503), (error.Operation, error.Status));
        Assert.Contains("is not well: it answers healthz with HTTP 503. Nothing was created on it.", error.Message, StringComparison.Ordinal);
        Assert.All(server.Requests, request => Assert.Equal("healthz", request.Operation));
    }

    [Fact]
    public async Task StartTraining_KeyThatIsNotLetIn_IsTheErrorOfTheKey()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy(), apiKey: "right");
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => TinkerTask.StartAsync(TinkerTask.Options(server, key: "wrong"), null, Token));
        Assert.Contains("does not accept the API key", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The smaller of both contexts counts, in the capabilities, in the checks of a run, of a prompt and of what is learned from.</summary>
    [Theory]
    [InlineData(100, 100)]
    [InlineData(40_000, 32_768)]
    public async Task StartTraining_ContextThatIsTold_LimitsWhatIsSent(int told, int expected)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.MaxContextLength = told;
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        Assert.Equal(expected, session.Capabilities.MaxSequenceLength);
        Assert.Equal(2048, session.Capabilities.DefaultAnswerTokens);
        var datum = new TrainingDatum { PromptIds = new int[60], CompletionIds = new int[41], SamplerLogProbs = new float[41], Advantage = 1, Predictor = "plan" };
        var error = await Assert.ThrowsAnyAsync<HoneException>(() => session.ForwardBackwardAsync([datum], TinkerTask.Plain, Token));
        Assert.Equal(told == 100, error.Message.Contains("101 tokens; the context of toy/policy on the service", StringComparison.Ordinal));
        await session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], new() { MaxOutputTokens = 50_000 }, Token);
        Assert.Contains($"\"max_tokens\":{expected - 1},", server.Requests.Last(request => request.Operation == "asample").Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartTraining_AnswersLongerThanTheContextThatIsTold_AreRefused()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.MaxContextLength = 100;
        var plan = ToyTask.Options with { Sampling = new() { Temperature = 1, MaxOutputTokens = 101 } };
        var program = new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server)));
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => Hone.Optimizers.Grpo.Create(ToyTask.Metric, plan).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Contains("is 101, above the 100 of the context of toy/policy on the service", error.Message, StringComparison.Ordinal);
        Assert.Equal(Asked, server.Requests.Select(request => request.Operation));
    }
}
