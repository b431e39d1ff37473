using Hone.Reinforcement;

namespace Hone.Engine.Tests.Cuda;

/// <summary>A whole training session on the GPU beside one on the processor. Skipped where there is no GPU.</summary>
[Collection(MemoryTests.Name)]
public sealed class CudaSessionTests(CudaFixture gpu) : IClassFixture<CudaFixture>, IDisposable
{
    private static readonly EngineOptions Options = new() { Workers = 1, MaxBatchRows = 32, PrefixCacheMegabytes = 8 };
    private static readonly OptimizerStepOptions Step = new() { LearningRate = 1e-4 };

    private readonly string directory = Directory.CreateTempSubdirectory("hone-cuda").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PolicySteps_WeightsAndSamples_FollowTheProcessors(bool useLora)
    {
        var device = gpu.Open();
        var training = new TrainingOptions { Lora = useLora ? new() { Rank = 4 } : null, KeepReference = true, Seed = 5 };
        using var model = Generation.SmallModel.Create();
        await using var here = new EngineTrainingSession(model, Options, training);
        await using var there = new EngineTrainingSession(model, Options with { Device = device }, training);
        var data = Data(await here.ScoreAsync(Data(null), 1, Token));
        for (var update = 0; update < 3; update++)
        {
            var expected = await here.ForwardBackwardAsync(data, new() { Beta = 0.05 }, Token);
            var actual = await there.ForwardBackwardAsync(data, new() { Beta = 0.05 }, Token);
            Assert.Equal(expected.Loss, actual.Loss, 1e-4);
            Assert.Equal(expected.MeanEntropy, actual.MeanEntropy, 1e-4);
            var (norm, other) = (await here.OptimizerStepAsync(Step, Token), await there.OptimizerStepAsync(Step, Token));
            Assert.Equal(1, other.GradientNorm / norm.GradientNorm, 1e-2);
        }

        // The policy samples on the GPU, from the weights that were trained there.
        var scores = await there.ScoreAsync(data, 1, Token);
        Assert.All((await here.ScoreAsync(data, 1, Token)).Zip(scores), pair => Assert.All(pair.First.Zip(pair.Second), x => Assert.Equal(x.First, x.Second, 5e-3f)));
        Assert.Equal(await SampleAsync(here), await SampleAsync(there));
    }

    [Fact]
    public async Task SaveThenLoad_TrainingGoesOnExactlyAsItWould()
    {
        var options = Options with { Device = gpu.Open() };
        using var model = Generation.SmallModel.Create();
        await using var session = new EngineTrainingSession(model, options, new());
        await TrainAsync(session, 2);
        await session.SaveStateAsync(Path.Combine(directory, "state"), Token);
        await TrainAsync(session, 2);
        await using var resumed = new EngineTrainingSession(model, options, new());
        await resumed.LoadStateAsync(Path.Combine(directory, "state"), Token);
        await TrainAsync(resumed, 2);
        Assert.Equal(await session.ScoreAsync(Data(null), 1, Token), await resumed.ScoreAsync(Data(null), 1, Token));
    }

    /// <summary>What a GPU trains is added to the weights, of a checkpoint in files too; it is still written as an adapter of the base.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SaveAdapter_OfASnapshot_GivesItsAnswersOnTheBase(bool isMapped)
    {
        var options = Options with { Device = gpu.Open() };
        var (path, adapter) = (Path.Combine(directory, "base"), Path.Combine(directory, "adapter"));
        using (var small = Generation.SmallModel.Create()) small.Save(path);
        using var model = isMapped ? EngineModel.Load(path) : Generation.SmallModel.Create();
        LM snapshot;
        await using (var session = new EngineTrainingSession(model, options, new() { Lora = new() { Rank = 4 } }))
        {
            await TrainAsync(session, 2);
            snapshot = await session.SnapshotAsync("tuned", Token);
        }

        var tuned = snapshot.GetService<EngineModel>()!;
        tuned.SaveAdapter(adapter);
        using var loaded = EngineModel.Load(path, adapter: adapter);
        var tokens = Models.TinyModels.Tokens(40, 3, 500);
        var (expected, actual) = (Vectors.EngineVectors.Logits(tuned.Inference, tokens)[^1], Vectors.EngineVectors.Logits(loaded.Inference, tokens)[^1]);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
        Assert.True(expected.Zip(Vectors.EngineVectors.Logits(model.Inference, tokens)[^1], (a, b) => Math.Abs(a - b)).Max() > 1e-3, "Training changed nothing.");
        snapshot.Client.Dispose();
    }

    private static async Task TrainAsync(EngineTrainingSession session, int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            await session.ForwardBackwardAsync(Data(null), new(), Token);
            await session.OptimizerStepAsync(Step, Token);
        }
    }

    private static async Task<IReadOnlyList<int>> SampleAsync(EngineTrainingSession session)
    {
        var response = await session.Policy.GetResponseAsync([new(Microsoft.Extensions.AI.ChatRole.User, "hello")], new() { Temperature = 0, MaxOutputTokens = 8 }, Token);
        return ((SampledTokens)response.AdditionalProperties![SampledTokens.Key]!).CompletionIds;
    }

    // Four groups of four completions; calls of a group share their prompt.
    private static TrainingDatum[] Data(IReadOnlyList<float[]>? sampled) => [.. Enumerable.Range(0, 16).Select(i => new TrainingDatum
    {
        PromptIds = Models.TinyModels.Tokens(30 + i / 4, i / 4, 500),
        CompletionIds = Models.TinyModels.Tokens(5 + 3 * i, 100 + i, 500),
        SamplerLogProbs = sampled is null ? [] : sampled[i],
        Advantage = i % 4 - 1.5,
        Predictor = "p",
    })];
}
