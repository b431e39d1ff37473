using Hone.Reinforcement;

namespace Hone.Engine.Tests.Training;

/// <summary>Weights are told apart by their values, and by nothing else.</summary>
public sealed class WeightsDigestTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-digest").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task WeightsDigest_SavedAndLoadedElsewhere_IsTheSame()
    {
        using var model = Generation.SmallModel.Create();
        var embedded = EngineLM.Owning(model, new());
        var path = Path.Combine(directory, "another-name");
        await embedded.GetService<IWeightStore>()!.SaveWeightsAsync(path, Token);
        using var client = EngineLM.Load(path).Client;
        var loaded = new LM(client, "loaded");
        Assert.Equal(DigestOf(embedded), DigestOf(loaded));
        Assert.Equal(16, DigestOf(loaded)!.Length);
    }

    [Fact]
    public async Task WeightsDigest_OneStepOfTraining_ChangesIt()
    {
        using var model = Generation.SmallModel.Create();
        var before = DigestOf(EngineLM.Owning(model, new()));
        foreach (var lora in (LoraOptions?[])[null, new() { Rank = 2 }])
        {
            await using var session = new EngineTrainingSession(model, new(), new() { Lora = lora is null ? null : new Reinforcement.LoraOptions { Rank = lora.Rank } });
            await session.ForwardBackwardAsync([new() { PromptIds = [1, 2, 3], CompletionIds = [4, 5], Advantage = 1, Predictor = "p" }], new(), Token);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-2 }, Token);
            await session.ForwardBackwardAsync([new() { PromptIds = [1, 2, 3], CompletionIds = [4, 5], Advantage = 1, Predictor = "p" }], new(), Token);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-2 }, Token);
            var snapshot = await session.SnapshotAsync("trained", Token);
            using var client = snapshot.Client;
            Assert.NotEqual(before, DigestOf(snapshot));
            Assert.Equal(DigestOf(snapshot), DigestOf(snapshot));
        }

        Assert.Equal(before, DigestOf(EngineLM.Owning(model, new())));
    }

    private static string? DigestOf(LM model) => model.GetService<ITrainableModel>()!.WeightsDigest;
}
