using Hone.Engine.Tests.Generation;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

/// <summary>A pass in parts is the pass over all of them, whatever happens beside it.</summary>
public sealed class GradualPolicyPassTests
{
    private static readonly EngineOptions Options = new() { Workers = 2, MaxBatchRows = 32, PrefixCacheMegabytes = 8 };

    // Short steps: random weights are steep, and what was rounding before a long one is a difference after it.
    private static readonly OptimizerStepOptions Step = new() { LearningRate = 1e-5, MaxGradientNorm = 0.5 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<PolicyLossOptions, bool> Losses
    {
        get
        {
            var data = new TheoryData<PolicyLossOptions, bool>();
            foreach (var type in Enum.GetValues<PolicyLossType>())
                data.Add(new() { Type = type, MaxCompletionLength = 12, EpsilonHigh = type == PolicyLossType.Cispo ? 5 : 0.28 }, type == PolicyLossType.Dapo);
            data.Add(new() { Beta = 0.05 }, false);
            data.Add(new() { Type = PolicyLossType.Grpo, MaskTruncated = false, Beta = 0.05 }, true);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task CompleteAsync_AnyLoss_FindsAndMovesWhatOnePassDoes(PolicyLossOptions loss, bool useLora)
    {
        using var model = SmallModel.Create();
        var training = new TrainingOptions { KeepReference = loss.Beta > 0, Lora = useLora ? new() { Rank = 4 } : null, Seed = 2 };
        await using var whole = new EngineTrainingSession(model, Options, training);
        await using var parted = new EngineTrainingSession(model, Options, training);
        var data = Samples();
        for (var update = 0; update < 3; update++)
        {
            var expected = await whole.ForwardBackwardAsync(data, loss, Token);
            await using var pass = parted.BeginPass(loss);
            foreach (var part in new Range[] { ..5, 5..6, 6.. })
                pass.Add(data[part]);
            var actual = await pass.CompleteAsync(Token);
            Assert.Equal(expected.Loss, actual.Loss, 1e-6);
            Assert.Equal(expected.ActiveTokens, actual.ActiveTokens);
            Assert.Equal(expected.MeanEntropy, actual.MeanEntropy, 1e-5);
            Assert.Equal(expected.MeanKl, actual.MeanKl, 1e-6);
            AssertClose(expected.LogProbs, actual.LogProbs);
            var (expectedStep, actualStep) = (await whole.OptimizerStepAsync(Step, Token), await parted.OptimizerStepAsync(Step, Token));
            Assert.Equal(1, actualStep.GradientNorm / expectedStep.GradientNorm, 1e-5);
        }

        AssertClose(await whole.ScoreAsync(data, 1, Token), await parted.ScoreAsync(data, 1, Token));
        Assert.Equal(3, parted.PolicyVersion);
    }

    /// <summary>To the bit, while the policy samples, on one thread or on several.</summary>
    [Fact]
    public async Task CompleteAsync_SamplingAlongside_ChangesNothing()
    {
        using var model = SmallModel.Create();
        var data = Samples();
        var scores = new List<IReadOnlyList<float[]>>();
        var answers = new List<string>();
        foreach (var (workers, samples) in new[] { (1, 0), (2, 12), (3, 12) })
        {
            await using var session = new EngineTrainingSession(model, Options with { Workers = workers }, new());
            for (var update = 0; update < 2; update++)
            {
                await using var pass = session.BeginPass(new());
                var sampled = Enumerable.Range(0, samples).Select(i => session.Policy.GetResponseAsync(
                    [new(ChatRole.User, $"question {i}")], new() { Temperature = 1, MaxOutputTokens = 16, Seed = i }, Token)).ToArray();
                for (var i = 0; i < data.Length; i += 4)
                    pass.Add(data[i..(i + 4)]);
                await pass.CompleteAsync(Token);
                answers.Add(string.Join('|', (await Task.WhenAll(sampled)).Select(response => response.Text)));
                await session.OptimizerStepAsync(Step, Token);
            }

            scores.Add(await session.ScoreAsync(data, 1, Token));
        }

        Assert.Equal(scores[0], scores[1]);
        Assert.Equal(scores[0], scores[2]);
        Assert.Equal(answers[2..4], answers[4..6]);
    }

    [Fact]
    public async Task DisposeAsync_BeforeCompletion_DropsWhatWasComputed()
    {
        using var model = SmallModel.Create();
        await using var dropped = new EngineTrainingSession(model, Options, new());
        await using var plain = new EngineTrainingSession(model, Options, new());
        var data = Samples();
        await using (var pass = dropped.BeginPass(new()))
            pass.Add(data[..8]);
        foreach (var session in (EngineTrainingSession[])[dropped, plain])
        {
            await session.ForwardBackwardAsync(data, new(), Token);
            await session.OptimizerStepAsync(Step, Token);
        }

        Assert.Equal(await plain.ScoreAsync(data, 1, Token), await dropped.ScoreAsync(data, 1, Token));
    }

    [Fact]
    public async Task BeginPass_BesideOtherGradients_IsRefused()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        var data = Samples();
        var pass = session.BeginPass(new());
        pass.Add(data);
        Assert.Throws<InvalidOperationException>(() => session.BeginPass(new()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.OptimizerStepAsync(Step, Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.ForwardBackwardAsync(data, new(), Token));
        await pass.CompleteAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.ForwardBackwardAsync(data, new(), Token));
        Assert.Throws<ObjectDisposedException>(() => pass.Add(data));
        await session.OptimizerStepAsync(Step, Token);
        await pass.DisposeAsync();

        await session.ForwardBackwardAsync(data, new(), Token);
        Assert.Throws<InvalidOperationException>(() => session.BeginPass(new()));
        await session.OptimizerStepAsync(Step, Token);
        await session.BeginPass(new()).DisposeAsync();
    }

    [Fact]
    public async Task BeginPass_WhatCannotBeLearnedInParts_IsRefusedAtOnce()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        Assert.Contains("NormalizePerPredictor", Assert.Throws<HoneException>(() => session.BeginPass(new() { NormalizePerPredictor = true })).Message, StringComparison.Ordinal);
        await using var pass = session.BeginPass(new());
        Assert.Contains(
            "another vocabulary",
            Assert.Throws<HoneException>(() => pass.Add([new() { PromptIds = [1], CompletionIds = [512], Predictor = "answer" }])).Message,
            StringComparison.Ordinal);
    }

    /// <summary>What goes wrong in a part is told at the end, and the session goes on as if the pass had never been.</summary>
    [Fact]
    public async Task CompleteAsync_PartThatFails_ThrowsItsError()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        var data = Samples();
        await using (var pass = session.BeginPass(new() { Beta = 0.1 }))
        {
            pass.Add(data[..4]);
            pass.Add(data[4..]);
            Assert.Contains("KeepReference", (await Assert.ThrowsAsync<HoneException>(() => pass.CompleteAsync(Token))).Message, StringComparison.Ordinal);
        }

        await session.ForwardBackwardAsync(data, new(), Token);
        await session.OptimizerStepAsync(Step, Token);
        Assert.Equal(1, session.PolicyVersion);
    }

    private static TrainingDatum[] Samples()
    {
        var random = new Random(11);
        int[] shared = [.. Enumerable.Range(0, 24).Select(_ => random.Next(3, 400))];
        return [.. Enumerable.Range(0, 16).Select(i => new TrainingDatum
        {
            PromptIds = [.. shared, 7 + (i / 4), .. Enumerable.Range(0, i % 5).Select(_ => random.Next(3, 400))],
            CompletionIds = [.. Enumerable.Range(0, 3 + (i % 9)).Select(_ => random.Next(3, 400))],
            Advantage = (i % 4) - 1.5,
            IsTruncated = i % 7 == 6,
            Predictor = i % 2 == 0 ? "plan" : "answer",
        })];
    }

    private static void AssertClose(IReadOnlyList<float[]> expected, IReadOnlyList<float[]> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert.All(expected[i].Zip(actual[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }
}
