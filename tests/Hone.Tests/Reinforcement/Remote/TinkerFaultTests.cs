using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>What goes wrong, and the error or the recovery that follows.</summary>
public sealed class TinkerFaultTests
{
    private static readonly TrainingDatum[] Data = [new() { PromptIds = [0], CompletionIds = [3], SamplerLogProbs = [-1.1f], Advantage = 1 }];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ForwardBackward_NotReadyForEver_EndsAfterTheOperationsTime()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(
            TinkerTask.Options(server, time: new LeapingClock()) with { OperationTimeout = TimeSpan.FromSeconds(30), PollInterval = TimeSpan.FromSeconds(1) }, null, Token);
        server.IsEngineDead = true;
        var before = server.Requests.Count;
        var error = await Assert.ThrowsAsync<TrainingServiceTimeoutException>(() => session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token));
        Assert.Equal(("forward_backward", 408), (error.Operation, error.Status));
        Assert.Contains("00:00:30", error.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count - before, 30, 33); // one submission, a question a second
    }

    [Fact]
    public async Task Result_NotReadyAFewTimes_IsWaitedFor()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()), null, Token);
        server.Inject(new(ServerFaultKind.TryAgain, "retrieve_future", 7));
        Assert.Single((await session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token)).LogProbs);
    }

    [Theory]
    [InlineData("forward_backward")]
    [InlineData("retrieve_future")]
    public async Task NullBody_IsAnErrorThatNamesTheOperation(string operation)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        server.Inject(new(ServerFaultKind.NullBody, operation));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token));
        Assert.Equal("forward_backward", error.Operation);
        Assert.Contains("null body", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerErrors_BeyondTheRetryWindow_AreTold()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()) with { RetryWindow = TimeSpan.FromSeconds(10) }, null, Token);
        server.Inject(new(ServerFaultKind.ServerError, "optim_step", 1000));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => session.OptimizerStepAsync(new() { LearningRate = 1 }, Token));
        Assert.Equal(("optim_step", 500), (error.Operation, error.Status));
        Assert.Equal(0, session.PolicyVersion);
    }

    /// <summary>The step was taken although its answer got lost: sent again under the same number, it is not taken twice.</summary>
    [Fact]
    public async Task OptimizerStep_ConnectionCutInTheAnswer_IsTakenOnce()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()), null, Token);
        await session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token);
        server.Inject(new(ServerFaultKind.CutBody, "optim_step"));
        await session.OptimizerStepAsync(new() { LearningRate = 1 }, Token);
        var once = server.Probability(0, 1); // token 3
        Assert.Equal(2, server.Requests.Count(request => request.Operation == "optim_step"));
        Assert.Equal(Math.Exp(2 / 3.0) / (Math.Exp(2 / 3.0) + (2 * Math.Exp(-1 / 3.0))), once, 9);
    }

    [Fact]
    public async Task SaveState_ConnectionCutInTheAnswer_IsSavedUnderAnotherName()
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-tinker").FullName, "session");
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        server.Inject(new(ServerFaultKind.CutBody, "save_weights"));
        await session.SaveStateAsync(directory, Token);
        await session.LoadStateAsync(directory, Token);
        Assert.Contains("state-0-2", await File.ReadAllTextAsync(Path.Combine(directory, "tinker.json"), Token), StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    [Fact]
    public async Task Hang_EndsAfterTheRequestsTime()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var session = await TinkerTask.StartAsync(
            TinkerTask.Options(server, time: time) with { RequestTimeout = TimeSpan.FromMinutes(6), HeartbeatInterval = TimeSpan.FromDays(1) }, null, Token);
        server.Inject(new(ServerFaultKind.Hang, "forward_backward"));
        var waiting = session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token);
        while (server.Requests[^1].Operation != "forward_backward")
            await Task.Yield();
        time.Advance(TimeSpan.FromMinutes(6));
        var error = await Assert.ThrowsAsync<TrainingServiceTimeoutException>(() => waiting);
        Assert.Equal("forward_backward", error.Operation);
    }

    /// <summary>A client of the user's own with a time limit: what it gives up on is no cancelled run.</summary>
    [Fact]
    public async Task Hang_OfAClientWithALimitOfItsOwn_SaysWhoseLimitItWas()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        using var http = new HttpClient { Timeout = TimeSpan.FromMilliseconds(500) };
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server) with { Http = http, RetryWindow = TimeSpan.Zero }, null, Token);
        server.Inject(new(ServerFaultKind.Hang, "forward_backward"));
        var error = await Assert.ThrowsAsync<TrainingServiceTimeoutException>(() => session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token));
        Assert.Equal("forward_backward", error.Operation);
        Assert.Contains("Make its own time limit infinite", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A service whose clock is behind asks to be left alone until a time that is past.</summary>
    [Fact]
    public async Task Unavailable_UntilATimeThatIsPast_IsAskedAgain()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        using var http = new HttpClient(new Busy(times: 3));
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()) with { Http = http }, null, Token);
        Assert.Single((await session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token)).LogProbs);
    }

    [Fact]
    public async Task NoServer_SaysWhereItWasLookedFor()
    {
        var server = FakeTinkerServer.Start(ToyTask.Policy());
        var options = TinkerTask.Options(server, time: new LeapingClock());
        await server.DisposeAsync();
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => TinkerTask.StartAsync(options, null, Token));
        Assert.Contains(options.Address.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("Is it running?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_ModelIsGone_IsALostState()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        server.Restart();
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(() => session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token));
        Assert.Equal(("forward_backward", 404), (error.Operation, error.Status));
        await Assert.ThrowsAsync<TrainingStateLostException>(() => session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], null, Token));
    }

    /// <summary>A prompt that a service refuses is that call's fault: it does not end a run.</summary>
    [Fact]
    public async Task Sample_Refused_IsAnErrorOfTheCall()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var model = TinkerLM.Open(TinkerTask.Options(server) with { Tokenizer = new OtherTokenizer() });
        var error = await Assert.ThrowsAsync<LMInvalidRequestException>(() => model.AsChatClient().GetResponseAsync("hello", null, Token));
        Assert.Equal(400, error.Status);
    }

    [Fact]
    public async Task Sample_PromptBeyondTheContext_IsRefusedWithoutARequest()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var model = TinkerLM.Open(TinkerTask.Options(server) with { MaxSequenceLength = 2, Tokenizer = new OtherTokenizer() });
        await Assert.ThrowsAsync<ContextWindowExceededException>(() => model.AsChatClient().GetResponseAsync("hello", null, Token));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Cancellation_StopsPolling()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()), null, Token);
        server.IsEngineDead = true;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = session.ForwardBackwardAsync(Data, TinkerTask.Plain, cancel.Token);
        while (server.Requests.Count(request => request.Operation == "retrieve_future") < 6)
            await Task.Yield();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var asked = server.Requests.Count;
        await session.DisposeAsync();
        Assert.InRange(server.Requests.Count - asked, 0, 1);
    }

    /// <summary>Refused before a single request: nothing is spent, and the option is named.</summary>
    [Theory]
    [MemberData(nameof(Inexpressible))]
    public async Task Compile_WhatTheProtocolCannotExpress_IsRefusedBeforeAnythingIsSent(string option, GrpoOptions options)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var program = new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server)));
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Contains(option, error.Options);
        Assert.Contains(option, error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    public static TheoryData<string, GrpoOptions> Inexpressible => new()
    {
        { "Loss.Beta", ToyTask.Options with { Loss = new() { Beta = 0.1 } } },
        { "Loss.Temperature", ToyTask.Options with { Loss = new() { Temperature = 0.7 }, Sampling = new() { Temperature = 0.7f } } },
        { "Optimizer.MaxGradientNorm", ToyTask.Options with { Optimizer = new() { LearningRate = 0, MaxGradientNorm = 0.5 } } },
        { "Lora.Alpha", ToyTask.Options with { Lora = new() { Alpha = 16 } } },
        { "Lora.Targets", ToyTask.Options with { Lora = new() { Alpha = 32, Targets = ["q_proj"] } } },
    };

    [Fact]
    public async Task ForwardBackward_OutsideARun_IsCheckedToo()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => session.ForwardBackwardAsync(Data, new() { Temperature = 3, Beta = 1 }, Token));
        Assert.Equal(["Loss.Beta", "Loss.Temperature"], error.Options);
        await Assert.ThrowsAsync<TrainingNotSupportedException>(() => session.OptimizerStepAsync(new() { LearningRate = 1, MaxGradientNorm = 7 }, Token));
    }

    [Fact]
    public async Task OptimizerStep_ServiceThatTakesANorm_IsSentIt()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server) with { ServerMaxGradientNorm = null }, null, Token);
        await session.OptimizerStepAsync(new() { LearningRate = 1, MaxGradientNorm = 7 }, Token);
        Assert.Contains(server.Requests, request => request.Operation == "optim_step" && request.Body.Contains("\"grad_clip_norm\":7}", StringComparison.Ordinal));
        await session.OptimizerStepAsync(new() { LearningRate = 1, MaxGradientNorm = double.PositiveInfinity }, Token);
        Assert.DoesNotContain("grad_clip_norm", server.Requests.Last(request => request.Operation == "optim_step").Body, StringComparison.Ordinal);
    }

    private sealed class OtherTokenizer : IPolicyTokenizer
    {
        public IReadOnlyList<int> EncodeAnswer(string text) => [2];

        public IReadOnlyList<int> StopIds => [2];

        public IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages) => [7, 7, 7];

        public string Decode(IReadOnlyList<int> ids) => string.Join(' ', ids);
    }

    // The first requests meet a service that is busy until the year 2000.
    private sealed class Busy(int times) : DelegatingHandler(new SocketsHttpHandler())
    {
        private int left = times;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Interlocked.Decrement(ref left) < 0)
                return base.SendAsync(request, cancellationToken);
            var response = new HttpResponseMessage(System.Net.HttpStatusCode.ServiceUnavailable) { Content = new StringContent("{}") };
            response.Headers.RetryAfter = new(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));
            return Task.FromResult(response);
        }
    }
}
