using CsCheck;
using Hone.Reinforcement;

namespace Hone.Testing.Tests;

public sealed class ToyPolicyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The session's gradient equals central differences of the mean of -A log p.</summary>
    [Fact]
    public async Task OptimizerStep_AnyBatch_FollowsTheExactGradient()
    {
        const double rate = 1e-3;
        var policy = new ToyPolicy(new ToyChoice("x", "a", "b", "c"));
        await Gen.Select(Gen.Int[0, 2], Gen.Double[-2, 2]).Array[1, 6].SampleAsync(async batch =>
        {
            await using var session = await policy.StartTrainingAsync(new(), Token);
            TrainingDatum[] data = [.. batch.Select(item => new TrainingDatum { PromptIds = [0], CompletionIds = [item.Item1], SamplerLogProbs = [0f], Advantage = item.Item2 })];
            await session.ForwardBackwardAsync(data, new(), Token);
            var step = await session.OptimizerStepAsync(new() { LearningRate = rate }, Token);

            // From uniform logits the gradient of log p(o) is onehot(o) - 1/3.
            var expected = Enumerable.Range(0, 3).Select(token => -batch.Average(item => item.Item2 * ((item.Item1 == token ? 1 : 0) - (1 / 3.0)))).ToArray();
            return Math.Abs(step.GradientNorm - Math.Sqrt(expected.Sum(value => value * value))) < 1e-9;
        }, iter: 50);
    }

    [Fact]
    public async Task TextsOf_SampledTokens_AreTheAnswer()
    {
        var policy = new ToyPolicy(new ToyChoice("x", "a", "b"), new ToyChoice("y", "c", "d", "e"));
        for (var seed = 0; seed < 20; seed++)
        {
            var response = await policy.GetResponseAsync([new(Microsoft.Extensions.AI.ChatRole.User, seed % 2 == 0 ? "x" : "y")], new() { Temperature = 1, Seed = seed }, Token);
            var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
            Assert.Equal(response.Text, Assert.Single(policy.TextsOf(tokens.CompletionIds)));
        }
    }

    [Fact]
    public async Task GetResponseAsync_SameSeed_SameSample_AndFrequenciesFollowTheProbabilities()
    {
        var policy = new ToyPolicy(new ToyChoice("x", "a", "b"));
        async Task<string> Sample(long seed) => (await policy.GetResponseAsync([new(Microsoft.Extensions.AI.ChatRole.User, "x")], new() { Temperature = 1, Seed = seed }, Token)).Text;
        Assert.Equal(await Sample(5), await Sample(5));
        var count = 0;
        for (var seed = 0; seed < 1000; seed++)
            count += await Sample(seed) == "a" ? 1 : 0;
        Assert.InRange(count, 430, 570);
    }
}
