using Hone.Engine.Tests.Generation;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

[Collection(MemoryTests.Name)]
public sealed class EngineTrainingSessionTests : IDisposable
{
    private static readonly EngineOptions Options = new() { Workers = 2, MaxBatchRows = 32, PrefixCacheMegabytes = 8 };
    private static readonly OptimizerStepOptions Step = new() { LearningRate = 1e-3 };

    private readonly string directory = Directory.CreateTempSubdirectory("hone-session").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    /// <summary>The exact tokens: scoring a recorded call again gives the log-probabilities that were sampled.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ScoreAsync_RecordedCalls_ReproducesTheSampledLogProbs(bool useLora)
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new() { Lora = useLora ? new() { Rank = 4 } : null });
        for (var update = 0; update < 3; update++)
        {
            var data = await SampleAsync(session, 12, update);
            var scores = await session.ScoreAsync(data, 1, Token);
            for (var i = 0; i < data.Length; i++)
                Assert.All(scores[i].Zip(data[i].SamplerLogProbs), pair => Assert.Equal(pair.Second, pair.First, 1e-4f));
            var pass = await session.ForwardBackwardAsync(data, new(), Token);
            Assert.InRange(pass.SamplerDifferenceMax, 0, 1e-4);
            Assert.Equal(1, pass.MeanRatio, 1e-9);
            Assert.Equal(0, pass.ClipFractionLow + pass.ClipFractionHigh);
            await session.OptimizerStepAsync(Step, Token);
            Assert.Equal(update + 1, session.PolicyVersion);
        }
    }

    /// <summary>The estimate grows with what is held: moments and gradients of all weights, a reference, room for cached prefixes.</summary>
    [Fact]
    public async Task Capabilities_Memory_CountsWhatTheSessionHolds()
    {
        using var model = SmallModel.Create();
        var weights = 4L * model.Weights.Values.Length;
        var whole = await MemoryOfAsync(model, Options, new());
        Assert.InRange(whole - await MemoryOfAsync(model, Options with { PrefixCacheMegabytes = 0 }, new()), 8L << 20, 8L << 20);

        // Four copies, the gradients of four lanes, two moments.
        Assert.True(whole > (10 * weights) + (8L << 20));
        Assert.InRange(await MemoryOfAsync(model, Options, new() { KeepReference = true }) - whole, weights, whole);
        Assert.InRange(await MemoryOfAsync(model, Options, new() { Lora = new() { Rank = 1 } }), weights, whole);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(32)]
    public async Task Capabilities_Length_IsWhatASampleCanHave(int? asked)
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options with { MaxContext = asked }, new());
        Assert.Equal(asked ?? model.Config.MaxPositions, session.Capabilities.MaxSequenceLength);
    }

    /// <summary>Tokens of another vocabulary would be read from beyond the embedding.</summary>
    [Theory]
    [InlineData(512, 3)]
    [InlineData(3, 512)]
    [InlineData(3, -1)]
    public async Task ForwardBackwardAsync_TokenOfAnotherVocabulary_IsRefused(int prompt, int completion)
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        TrainingDatum[] data = [new() { PromptIds = [1, prompt], CompletionIds = [completion], Predictor = "answer" }];
        foreach (var ask in (Func<Task>[])[() => session.ForwardBackwardAsync(data, new(), Token), () => session.ScoreAsync(data, 1, Token)])
            Assert.Contains("another vocabulary", (await Assert.ThrowsAsync<HoneException>(ask)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SaveThenLoad_TrainingGoesOnExactlyAsItWould(bool useLora)
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new() { Lora = useLora ? new() { Rank = 4 } : null, Seed = 5 });
        var data = await SampleAsync(session, 8, 0);
        await TrainAsync(session, data, 2);
        await session.SaveStateAsync(Path.Combine(directory, "state"), Token);
        await TrainAsync(session, data, 3);
        var expected = await session.ScoreAsync(data, 1, Token);

        await using var resumed = new EngineTrainingSession(model, Options, new() { Lora = useLora ? new() { Rank = 4 } : null, Seed = 99 });
        await resumed.LoadStateAsync(Path.Combine(directory, "state"), Token);
        Assert.Equal(2, resumed.PolicyVersion);
        await TrainAsync(resumed, data, 3);
        Assert.Equal(expected, await resumed.ScoreAsync(data, 1, Token));
    }

    [Fact]
    public async Task ForwardBackwardAsync_AnyNumberOfWorkers_GivesTheSameWeights()
    {
        using var model = SmallModel.Create();
        var results = new List<IReadOnlyList<float[]>>();
        foreach (var workers in new[] { 1, 2, 5 })
        {
            await using var session = new EngineTrainingSession(model, Options with { Workers = workers }, new());
            var data = await SampleAsync(session, 16, 0);
            await TrainAsync(session, data, 3);
            results.Add(await session.ScoreAsync(data, 1, Token));
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public async Task SnapshotAsync_LaterSteps_DoNotChangeIt_AndItOutlivesTheSession()
    {
        using var model = SmallModel.Create();
        LM snapshot;
        string before;
        await using (var session = new EngineTrainingSession(model, Options, new()))
        {
            var data = await SampleAsync(session, 8, 0);
            await TrainAsync(session, data, 2);
            snapshot = await session.SnapshotAsync("frozen", Token);
            before = await GreedyAsync(snapshot.Client);
            Assert.Equal(await GreedyAsync(session.Policy), before);
            await TrainAsync(session, data, 4);
        }

        Assert.Equal(before, await GreedyAsync(snapshot.Client));
        snapshot.Client.Dispose();
    }

    [Fact]
    public async Task SnapshotAsync_SavedAndLoaded_AnswersTheSame()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new() { Lora = new() { Rank = 4 } });
        await TrainAsync(session, await SampleAsync(session, 8, 0), 3);
        var snapshot = await session.SnapshotAsync("tuned", Token);
        await snapshot.GetService<IWeightStore>()!.SaveWeightsAsync(Path.Combine(directory, "weights"), Token);
        var loaded = await session.LoadSnapshotAsync(Path.Combine(directory, "weights"), "again", Token);
        var reopened = EngineLM.Load(Path.Combine(directory, "weights"), Options);
        var expected = await GreedyAsync(snapshot.Client);
        Assert.Equal(expected, await GreedyAsync(loaded.Client));
        Assert.Equal(expected, await GreedyAsync(reopened.Client));
        Array.ForEach([snapshot, loaded, reopened], each => each.Client.Dispose());
    }

    [Fact]
    public async Task ForwardBackwardAsync_KlWithoutReference_SaysWhatToDo()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        var data = await SampleAsync(session, 2, 0);
        var error = await Assert.ThrowsAsync<HoneException>(() => session.ForwardBackwardAsync(data, new() { Beta = 0.1 }, Token));
        Assert.Contains("KeepReference", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardBackwardAsync_KlAtTheStart_IsZeroAndGrowsWithTraining()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new() { KeepReference = true });
        var data = await SampleAsync(session, 8, 0);
        var first = await session.ForwardBackwardAsync(data, new() { Beta = 0.01 }, Token);
        Assert.InRange(first.MeanKl, 0, 1e-6);
        await session.OptimizerStepAsync(Step, Token);
        Assert.True((await session.ForwardBackwardAsync(data, new() { Beta = 0.01 }, Token)).MeanKl > 1e-5);
    }

    /// <summary>A thousand steps of sampling, learning and repacking leave the process as large as a hundred did.</summary>
    [Fact]
    public async Task Training_ThousandSteps_KeepsMemoryFlat()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        long Size()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.WorkingSet64;
        }

        var early = 0L;
        for (var step = 0; step < 1000; step++)
        {
            if (step == 100)
                early = Size();
            await TrainAsync(session, await SampleAsync(session, 2, step), 1);
        }

        // Other tests share the process, so some megabytes come and go; a leak of one step's buffers would be hundreds.
        Assert.InRange(Size() - early, long.MinValue, 64L << 20);
        Assert.Equal(1000, session.PolicyVersion);
    }

    [Fact]
    public async Task SaveStateAsync_ExistingDirectory_IsRefused()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        await Assert.ThrowsAsync<HoneException>(() => session.SaveStateAsync(directory, Token));
        await Assert.ThrowsAsync<HoneException>(() => session.LoadStateAsync(directory, Token));
    }

    /// <summary>The parts of a pass are added to the gradient at any time: a state put beneath them would be trained by what is not its own.</summary>
    [Fact]
    public async Task LoadStateAsync_BeneathAnOpenPass_IsRefused()
    {
        using var model = SmallModel.Create();
        await using var session = new EngineTrainingSession(model, Options, new());
        var state = Path.Combine(directory, "state");
        await session.SaveStateAsync(state, Token);
        await using (session.BeginPass(new()))
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => session.LoadStateAsync(state, Token));
            Assert.Contains("dispose", error.Message, StringComparison.Ordinal);
        }

        await session.LoadStateAsync(state, Token);
        await session.BeginPass(new()).DisposeAsync();
    }

    private static async Task<long> MemoryOfAsync(EngineModel model, EngineOptions options, TrainingOptions training)
    {
        await using var session = new EngineTrainingSession(model, options, training);
        return session.Capabilities.MemoryBytes!.Value;
    }

    private static async Task TrainAsync(EngineTrainingSession session, TrainingDatum[] data, int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            await session.ForwardBackwardAsync(data, new(), Token);
            await session.OptimizerStepAsync(Step, Token);
        }
    }

    private static async Task<TrainingDatum[]> SampleAsync(EngineTrainingSession session, int count, int seed)
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, count).Select(i => session.Policy.GetResponseAsync(
            [new(ChatRole.System, "You are a shared beginning that is long enough to be worth sharing."), new(ChatRole.User, $"question {i % 3}")],
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
