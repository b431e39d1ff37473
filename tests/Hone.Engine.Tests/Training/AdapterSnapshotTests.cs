using Hone.Engine.Tests.Generation;
using Hone.Engine.Tests.Tokens;
using Hone.Engine.Tests.Vectors;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

/// <summary>Adapters that were added to the weights of a snapshot are still written as adapters of the base.</summary>
public sealed class AdapterSnapshotTests : IDisposable
{
    private static readonly EngineOptions Options = new() { Workers = 1, MaxBatchRows = 16, PrefixCacheMegabytes = 4 };
    private static readonly TrainingOptions Lora = new() { Lora = new() { Rank = 4 }, Seed = 5 };

    private readonly string directory = Directory.CreateTempSubdirectory("hone-adapter").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Base => Path.Combine(directory, "base");

    private string Adapter => Path.Combine(directory, "adapter");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task SaveAdapter_OfASnapshotInFloat32_GivesItsAnswersOnTheBase()
    {
        using var model = Create();
        model.Save(Base);
        Assert.False(model.HasAdapter);
        var snapshot = await SnapshotAsync(model, Lora);

        // The session is gone, and its memory with it.
        var tuned = snapshot.GetService<EngineModel>()!;
        Assert.True(tuned.HasAdapter);
        Assert.Null(tuned.Frozen);
        tuned.SaveAdapter(Adapter);
        var loaded = EngineLM.Load(Base, Options, Adapter);
        await AssertSameAsync(snapshot, loaded);
        AssertDiffer(tuned, model);

        // And training goes on with it, where the base lies in files.
        await using var next = new EngineTrainingSession(loaded.GetService<EngineModel>()!, Options, Lora with { KeepReference = true });
        var pass = await next.ForwardBackwardAsync(Data(), new() { Beta = 0.01 }, Token);
        Assert.InRange(pass.MeanKl, 0, 1e-6);
        Assert.Equal(Scores(snapshot), (await next.ScoreAsync(Data(), 1, Token)).SelectMany(row => row), new Near(1e-4f));
        snapshot.Client.Dispose();
        loaded.Client.Dispose();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    public async Task SaveAdapter_TrainedInTwoSessions_IsTheSumOfBoth(int secondRank)
    {
        using var model = Create();
        model.Save(Base);
        var first = await SnapshotAsync(model, Lora);
        var second = await SnapshotAsync(
            first.GetService<EngineModel>()!, Lora with { Lora = new() { Rank = secondRank, Alpha = 3, Targets = ["q_proj", "up_proj"] }, Seed = 6 });
        second.GetService<EngineModel>()!.SaveAdapter(Adapter);
        using (var read = PeftAdapter.Load(Adapter, model.Config)) Assert.Equal((4 + secondRank, 1f), (read.Rank, read.Scale));
        var loaded = EngineLM.Load(Base, Options, Adapter);
        AssertDiffer(first.GetService<EngineModel>()!, second.GetService<EngineModel>()!);
        await AssertSameAsync(second, loaded);
        foreach (var lm in new[] { first, second, loaded }) lm.Client.Dispose();
    }

    [Fact]
    public async Task SaveAdapter_OfWeightsThatWereTrainedWhole_NamesNoBase()
    {
        using var model = EngineModel.LoadEmbedded();
        async Task<string?> BaseOf(EngineModel start)
        {
            var lm = await SnapshotAsync(start, Lora);
            lm.GetService<EngineModel>()!.SaveAdapter(Adapter);
            lm.Client.Dispose();
            return (string?)System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(Adapter, "adapter_config.json")))!["base_model_name_or_path"];
        }

        Assert.Equal("hone-embedded", await BaseOf(model));
        var whole = await SnapshotAsync(model, Lora with { Lora = null });
        Assert.Null(await BaseOf(whole.GetService<EngineModel>()!));
        whole.Client.Dispose();
    }

    /// <summary>An adapter of another shape is added to the weights of the files, and the new one beside it.</summary>
    [Fact]
    public async Task SaveAdapter_AfterOneOfAnotherRankOnAMappedBase_IsTheSumOfBoth()
    {
        using (var small = Create()) small.Save(Base, WeightFormat.BFloat16);
        using var model = EngineModel.Load(Base);
        var first = await SnapshotAsync(model, Lora);
        Assert.NotNull(first.GetService<EngineModel>()!.Lora);
        var second = await SnapshotAsync(first.GetService<EngineModel>()!, Lora with { Lora = new() { Rank = 2 } });
        Assert.Null(second.GetService<EngineModel>()!.Frozen);
        second.GetService<EngineModel>()!.SaveAdapter(Adapter);
        var loaded = EngineLM.Load(Base, Options, Adapter);
        await AssertSameAsync(second, loaded);
        foreach (var lm in new[] { first, second, loaded }) lm.Client.Dispose();
    }

    [Fact]
    public async Task LoadSnapshotAsync_OfSavedWeights_KeepsTheAdapter()
    {
        using var model = Create();
        await using var session = await TrainedAsync(model, Lora);
        var snapshot = await session.SnapshotAsync("tuned", Token);
        var weights = Path.Combine(directory, "weights");
        await snapshot.GetService<IWeightStore>()!.SaveWeightsAsync(weights, Token);
        var again = await session.LoadSnapshotAsync(weights, "again", Token);
        Assert.Equal(DigestOf(snapshot.GetService<EngineModel>()!), DigestOf(again.GetService<EngineModel>()!));
        again.GetService<EngineModel>()!.SaveAdapter(Adapter);
        using var expected = PeftAdapter.Load(Path.Combine(weights, "adapter"), model.Config);
        using var actual = PeftAdapter.Load(Adapter, model.Config);
        Assert.Equal(expected.Values, actual.Values);
        snapshot.Client.Dispose();
        again.Client.Dispose();
    }

    [Fact]
    public async Task SnapshotAsync_TrainedWhole_HasNoAdapterAndSaysSo()
    {
        using var model = Create();
        var adapted = await SnapshotAsync(model, Lora);
        foreach (var start in new[] { model, adapted.GetService<EngineModel>()! })
        {
            var whole = await SnapshotAsync(start, new());
            Assert.False(whole.GetService<EngineModel>()!.HasAdapter);
            var error = Assert.Throws<InvalidOperationException>(() => whole.GetService<EngineModel>()!.SaveAdapter(Adapter));
            Assert.Contains("'tuned' has no adapter", error.Message, StringComparison.Ordinal);
            Assert.Contains("written with Save", error.Message, StringComparison.Ordinal);
            whole.Client.Dispose();
        }

        adapted.Client.Dispose();
    }

    /// <summary>The digest is that of the sum, as it was before snapshots kept their adapters: runs are resumed by it.</summary>
    [Fact]
    public async Task Embedded_WithTheAdapterOfASnapshot_HasItsWeightsToTheLastBit()
    {
        using var model = EngineModel.LoadEmbedded();
        var snapshot = await SnapshotAsync(model, Lora);
        var tuned = snapshot.GetService<EngineModel>()!;
        tuned.SaveAdapter(Adapter);
        var loaded = EngineLM.Embedded(Options, Adapter);
        Assert.Equal(tuned.Weights.Values, loaded.GetService<EngineModel>()!.Weights.Values);
        Assert.Equal(DigestOf(tuned), DigestOf(loaded.GetService<EngineModel>()!));
        using (var bare = new EngineModel("bare", tuned.Weights.Clone(), tuned.Tokenizer, tuned.Template)) Assert.Equal(DigestOf(bare), DigestOf(tuned));
        Assert.NotEqual(DigestOf(model), DigestOf(tuned));
        Assert.True(loaded.GetService<EngineModel>()!.HasAdapter);
        Assert.Equal((await AnswerAsync(snapshot)).LogProbs, (await AnswerAsync(loaded)).LogProbs);
        snapshot.Client.Dispose();
        loaded.Client.Dispose();
        Assert.Contains(
            "adapter_config.json", Assert.Throws<FileNotFoundException>(() => EngineModel.LoadEmbedded(Base)).Message, StringComparison.Ordinal);
    }

    // Log-probabilities near those of chance: sums rounded otherwise than the adapter beside the weights then stay within a few millionths.
    private static EngineModel Create() =>
        new("small", ParameterSet.CreateRandom(SmallModel.Config, 1), SmallTokenizer.Instance, ChatTemplate.ForName("chatml"));

    private static async Task<EngineTrainingSession> TrainedAsync(EngineModel model, TrainingOptions options)
    {
        var session = new EngineTrainingSession(model, Options, options);
        for (var step = 0; step < 2; step++)
        {
            await session.ForwardBackwardAsync(Data(), new(), Token);
            await session.OptimizerStepAsync(new() { LearningRate = 1e-2 }, Token);
        }

        return session;
    }

    private static async Task<LM> SnapshotAsync(EngineModel model, TrainingOptions options)
    {
        await using var session = await TrainedAsync(model, options);
        return await session.SnapshotAsync("tuned", Token);
    }

    private static TrainingDatum[] Data() => [.. Enumerable.Range(0, 4).Select(i => new TrainingDatum
    {
        PromptIds = Models.TinyModels.Tokens(12, i, 500),
        CompletionIds = Models.TinyModels.Tokens(6 + i, 100 + i, 500),
        Advantage = i - 1.4,
        Predictor = "p",
    })];

    private static string DigestOf(EngineModel model) => WeightsDigest.Of(model);

    private static async Task AssertSameAsync(LM expected, LM actual)
    {
        var (first, second) = (await AnswerAsync(expected), await AnswerAsync(actual));
        Assert.Equal(first.CompletionIds, second.CompletionIds);
        Assert.Equal(first.LogProbs, second.LogProbs, new Near(1e-5f));
        Assert.Equal(Scores(expected), Scores(actual), new Near(1e-5f));
    }

    private static void AssertDiffer(EngineModel first, EngineModel second) => Assert.True(
        Logits(first).Zip(Logits(second), (a, b) => Math.Abs(a - b)).Max() > 1e-3, "Training changed nothing.");

    private static float[] Logits(EngineModel model) => EngineVectors.Logits(model.Inference, Models.TinyModels.Tokens(40, 3, 500))[^1];

    // Log-probabilities of the completions that were learned.
    private static IEnumerable<float> Scores(LM lm) => Data().SelectMany(datum =>
    {
        var rows = EngineVectors.Logits(lm.GetService<EngineModel>()!.Inference, [.. datum.PromptIds, .. datum.CompletionIds]);
        return datum.CompletionIds.Select((token, i) => rows[datum.PromptIds.Count + i - 1])
            .Zip(datum.CompletionIds, (row, token) => (float)(row[token] - row.Max() - Math.Log(row.Sum(value => Math.Exp(value - row.Max())))));
    });

    private static async Task<SampledTokens> AnswerAsync(LM lm)
    {
        var response = await lm.Client.GetResponseAsync([new(ChatRole.User, "hello")], new() { Temperature = 0, MaxOutputTokens = 20 }, Token);
        return (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
    }

    private sealed class Near(float tolerance) : IEqualityComparer<float>
    {
        public bool Equals(float x, float y) => Math.Abs(x - y) <= tolerance;

        public int GetHashCode(float value) => 0;
    }
}
