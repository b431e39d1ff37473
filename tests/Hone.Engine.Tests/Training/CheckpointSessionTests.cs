using Hone.Engine.Tests.Generation;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

/// <summary>An adapter trained beside the weights of a directory, which stay in its files.</summary>
public sealed class CheckpointSessionTests : IDisposable
{
    private static readonly EngineOptions Options = new() { Workers = 2, MaxBatchRows = 32, PrefixCacheMegabytes = 8 };
    private static readonly TrainingOptions Lora = new() { Lora = new() { Rank = 4 }, KeepReference = true, Seed = 5 };

    private readonly string directory = Directory.CreateTempSubdirectory("hone-session").FullName;

    public CheckpointSessionTests()
    {
        using var model = SmallModel.Create();
        model.Save(Base, WeightFormat.BFloat16);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Base => Path.Combine(directory, "base");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Training_OfABFloat16Directory_SamplerAndTrainerAgree_AndKlGrowsFromZero()
    {
        using var model = EngineModel.Load(Base);
        await using var session = new EngineTrainingSession(model, Options, Lora);
        for (var update = 0; update < 3; update++)
        {
            var data = await SampleAsync(session.Policy, update);
            var pass = await session.ForwardBackwardAsync(data, new() { Beta = 0.01 }, Token);
            Assert.InRange(pass.SamplerDifferenceMax, 0, 1e-4);
            Assert.True(update == 0 ? pass.MeanKl <= 1e-6 : pass.MeanKl > 1e-6);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-2 }, Token);
        }
    }

    [Fact]
    public async Task SaveThenLoad_State_GoesOnExactlyAsItWould()
    {
        using var model = EngineModel.Load(Base);
        await using var session = new EngineTrainingSession(model, Options, Lora);
        var data = await SampleAsync(session.Policy, 0);
        await TrainAsync(session, data, 2);
        await session.SaveStateAsync(Path.Combine(directory, "state"), Token);
        await TrainAsync(session, data, 2);
        await using var resumed = new EngineTrainingSession(model, Options, Lora with { Seed = 9 });
        await resumed.LoadStateAsync(Path.Combine(directory, "state"), Token);
        await TrainAsync(resumed, data, 2);
        Assert.Equal(await session.ScoreAsync(data, 1, Token), await resumed.ScoreAsync(data, 1, Token));
        Assert.Equal(await GreedyAsync(session.Policy), await GreedyAsync(resumed.Policy));
    }

    [Fact]
    public async Task Snapshot_SavedAndLoadedEveryWay_AnswersTheSame()
    {
        using var model = EngineModel.Load(Base);
        await using var session = new EngineTrainingSession(model, Options, Lora);
        await TrainAsync(session, await SampleAsync(session.Policy, 0), 3);
        var snapshot = await session.SnapshotAsync("tuned", Token);
        var expected = await GreedyAsync(snapshot.Client);
        await TrainAsync(session, await SampleAsync(session.Policy, 1), 2);
        Assert.Equal(expected, await GreedyAsync(snapshot.Client));

        var weights = Path.Combine(directory, "weights");
        await snapshot.GetService<IWeightStore>()!.SaveWeightsAsync(weights, Token);
        var again = await session.LoadSnapshotAsync(weights, "again", Token);
        Assert.True(again.GetService<EngineModel>()!.HasAdapter);
        Assert.Equal(snapshot.GetService<EngineModel>()!.Lora!.Values, again.GetService<EngineModel>()!.Lora!.Values);
        var whole = EngineLM.Load(weights, Options);
        var adapter = Path.Combine(directory, "adapter");
        snapshot.GetService<EngineModel>()!.SaveAdapter(adapter);
        var withAdapter = EngineLM.Load(Base, Options, adapter);
        foreach (var lm in new[] { again, whole, withAdapter })
        {
            Assert.Equal(expected, await GreedyAsync(lm.Client));
            lm.Client.Dispose();
        }

        snapshot.Client.Dispose();
    }

    [Fact]
    public async Task Training_OfASnapshot_GoesOnWithItsAdapter_OrAddsItToTheWeights()
    {
        using var model = EngineModel.Load(Base);
        LM snapshot;
        await using (var session = new EngineTrainingSession(model, Options, Lora))
        {
            await TrainAsync(session, await SampleAsync(session.Policy, 0), 3);
            snapshot = await session.SnapshotAsync("tuned", Token);
        }

        var tuned = snapshot.GetService<EngineModel>()!;
        var expected = await GreedyAsync(snapshot.Client);
        foreach (var rank in new[] { 4, 2 })
        {
            await using var next = new EngineTrainingSession(tuned, Options, Lora with { Lora = new() { Rank = rank } });
            Assert.Equal(expected, await GreedyAsync(next.Policy));
            var data = await SampleAsync(next.Policy, 0);
            var pass = await next.ForwardBackwardAsync(data, new() { Beta = 0.01 }, Token);
            Assert.InRange(pass.MeanKl, 0, 1e-6);
            Assert.InRange(pass.SamplerDifferenceMax, 0, 1e-4);
            await next.OptimizerStepAsync(new() { LearningRate = 1e-2 }, Token);
            Assert.Equal(expected, await GreedyAsync(snapshot.Client));
        }

        snapshot.Client.Dispose();
    }

    [Fact]
    public async Task Training_Whole_LeavesTheFilesAlone()
    {
        using var model = EngineModel.Load(Base);
        var before = await File.ReadAllBytesAsync(Path.Combine(Base, "model.safetensors"), Token);
        await using var session = new EngineTrainingSession(model, Options, new() { KeepReference = true });
        Assert.True(session.Capabilities.IsFullFineTuning);
        await TrainAsync(session, await SampleAsync(session.Policy, 0), 2);
        var pass = await session.ForwardBackwardAsync(await SampleAsync(session.Policy, 1), new() { Beta = 0.01 }, Token);
        Assert.True(pass.MeanKl > 1e-6);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(Base, "model.safetensors"), Token));
    }

    private static async Task TrainAsync(EngineTrainingSession session, TrainingDatum[] data, int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            await session.ForwardBackwardAsync(data, new(), Token);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-3 }, Token);
        }
    }

    private static async Task<TrainingDatum[]> SampleAsync(IChatClient policy, int seed)
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => policy.GetResponseAsync(
            [new(ChatRole.System, "A beginning that all of them share, long enough."), new(ChatRole.User, $"question {i % 3}")],
            new() { Temperature = 1, MaxOutputTokens = 12, Seed = (seed * 1000) + i },
            Token)));
        return [.. responses.Select((response, i) =>
        {
            var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
            return new TrainingDatum
            {
                PromptIds = tokens.PromptIds,
                CompletionIds = tokens.CompletionIds,
                SamplerLogProbs = tokens.LogProbs,
                Advantage = (i % 3) - 1,
                Predictor = "p",
            };
        })];
    }

    private static async Task<string> GreedyAsync(IChatClient client) =>
        (await client.GetResponseAsync([new(ChatRole.User, "hello")], new() { Temperature = 0, MaxOutputTokens = 20 }, Token)).Text;
}
