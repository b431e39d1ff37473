using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>Supervised tuning on a service that speaks tokens: its options hold the tokenizer.</summary>
public sealed class TinkerSupervisedTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CompileAsync_Demonstrations_AreImitated()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var program = new ToyProgram().WithModel(TinkerLM.Open(TinkerTask.Options(server)));
        Demonstration[] demonstrations =
        [
            new("plan", FieldMap.Of(("question", "q1")), ToyTask.Completion("plan", "good")),
            new("answer", FieldMap.Of(("question", "q1"), ("plan", "good")), ToyTask.Completion("answer", "right")),
        ];
        var result = await new SupervisedTuning<ToyQuestion, ToyAnswer>(new() { Epochs = 40, BatchSize = 2, LearningRate = 1 }).CompileAsync(program, demonstrations, Token);
        Assert.True(result.Losses[^1] < result.Losses[0] / 4, $"{result.Losses[0]:0.00} to {result.Losses[^1]:0.00}");
        Assert.True(server.Probability(0, 1) > 0.8 && server.Probability(1, 1) > 0.8, $"{server.Probability(0, 1):0.00} {server.Probability(1, 1):0.00}");
        Assert.DoesNotContain(server.Requests, request => request.Operation == "forward"); // nothing was sampled, so nothing is to be corrected
        var evaluator = new Evaluator<ToyQuestion, ToyAnswer>(ToyTask.Metric, new() { Options = new() { Temperature = 0 } });
        Assert.Equal(1.0, (await evaluator.EvaluateAsync(result.Program, ToyTask.Validation, Token)).Mean);
    }
}
