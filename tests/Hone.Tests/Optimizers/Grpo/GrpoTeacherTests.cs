using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Reinforcement.Remote;

namespace Hone.Tests.Optimizers;

/// <summary>Teachers: what they write is off-policy, with whatever loss and on whatever session.</summary>
public sealed class GrpoTeacherTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A service that knows tokens takes both in one batch.</summary>
    [Fact]
    public async Task CompileAsync_TeacherOverTinker_IsLearnedFrom()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var other = FakeTinkerServer.Start(ToyTask.Policy());
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 40 })
        {
            Teachers = [new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(other)))],
        };
        var result = await optimizer.CompileAsync(new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server))), ToyTask.Train, ToyTask.Validation, Token);
        Assert.All(result.Steps, step => Assert.Equal((8, 0), (step.OffPolicyRollouts, step.OpaqueRollouts)));
        Assert.True(server.Probability(0, 1) > 0.6 && server.Probability(1, 1) > 0.6, $"{server.Probability(0, 1):0.00} {server.Probability(1, 1):0.00}");
    }

    /// <summary>The numbers of another vocabulary mean other texts: learned from as they are, they would teach nonsense without a word.</summary>
    [Fact]
    public async Task CompileAsync_TeacherOfAnotherVocabulary_IsRefused()
    {
        var reversed = new ToyPolicy([.. ToyTask.Policy().Choices.Reverse()]);
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var other = FakeTinkerServer.Start(reversed);
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 2 })
        {
            Teachers = [new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(other) with { Tokenizer = new ToyTokenizer(reversed.Choices) }))],
        };
        var error = await Assert.ThrowsAsync<HoneException>(
            () => optimizer.CompileAsync(new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server))), ToyTask.Train, null, Token));
        Assert.Contains("Teacher 0", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Requests, request => request.Operation == "forward_backward");
    }

    /// <summary>What a model that nobody trains says has no tokens, and needs none: the rollout is still learned from.</summary>
    [Fact]
    public async Task CompileAsync_FrozenPredictorWithoutTokens_DoesNotMakeATeacherOpaque()
    {
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ToyTask.Options with { Steps = 2 }) { Teachers = [Mixed(new(ToyTask.ReadablePolicy(), "teacher"))] };
        var result = await optimizer.CompileAsync(Mixed(new(ToyTask.ReadablePolicy(), "toy")), ToyTask.Train, null, Token);
        Assert.All(result.Steps, step => Assert.Equal((0, 8), (step.OpaqueRollouts, step.OffPolicyRollouts)));
    }

    /// <summary>A cache would give a teacher one answer for all rollouts of an example that repeat a seed, and give it again in the next run.</summary>
    [Fact]
    public async Task CompileAsync_TeacherWithACache_IsAskedEachTime()
    {
        using var cache = new ResponseCache();
        var teacher = ToyTask.Program(ToyTask.ReadablePolicy()).WithModel(new LM(ToyTask.ReadablePolicy(), "teacher") { Cache = cache });
        var events = new List<Rollout>();
        var options = ToyTask.Options with { Steps = 2, Preflight = PreflightMode.Off, Progress = new GrpoTests.Recorder(happened => events.AddRange(happened is GrpoStepCompleted step ? step.Rollouts : [])) };
        for (var run = 0; run < 2; run++)
            await new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, options) { Teachers = [teacher] }.CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, null, Token);
        Assert.Contains(events, rollout => rollout.Teacher == 0);
        Assert.All(events.SelectMany(rollout => rollout.Trace.Calls), call => Assert.False(call.IsCacheHit));
    }

    private static Program<ToyQuestion, ToyAnswer> Mixed(LM model) => new ToyProgram().WithModel(model)
        .WithNamedModel("planner", new LM(ScriptedChatClient.By((_, _) => ToyTask.Completion("plan", "good")), "planner"))
        .With(ProgramState.Default.With("plan", new() { Model = "planner" }));
}
