using Hone.Engine.Tests.Models;
using Hone.Engine.Tests.Vectors;

namespace Hone.Engine.Tests.Weights;

public sealed class FrozenWeightsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hone").FullName;

    public static TheoryData<ModelFamily, WeightFormat, int> Variants()
    {
        var data = new TheoryData<ModelFamily, WeightFormat, int>();
        foreach (var family in Enum.GetValues<ModelFamily>())
        {
            // Widths that fill whole panels are read where they lie, others from a copy.
            foreach (var format in Enum.GetValues<WeightFormat>()) data.AddRange((family, format, 24), (family, format, 64));
        }

        return data;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Variants))]
    public void Logits_OfMappedWeights_EqualFloat32BitByBit(ModelFamily family, WeightFormat format, int width)
    {
        using var frozen = Save(family, format, width);
        Assert.Equal(format == WeightFormat.BFloat16 ? PanelFormat.PairedHalves : PanelFormat.Single, frozen.PanelFormat);
        using var expanded = frozen.Expand();
        using var expected = InferenceModel.Create(expanded);
        using var actual = new HostInferenceModel(frozen, null);
        var tokens = TinyModels.Tokens(19, 2);
        Assert.Equal(EngineVectors.Logits(expected, tokens), EngineVectors.Logits(actual, tokens));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Gradients_OfAnAdapterBesideTheWeights_EqualThoseOfOneInThem(ModelFamily family, WeightFormat format, int width)
    {
        using var frozen = Save(family, format, width);
        using var expanded = frozen.Expand();
        foreach (var targets in new string[][] { ["q_proj", "v_proj", "down_proj"], [.. ParameterNames.Projections] })
        {
            using var adapter = Adapter(frozen.Config, targets);
            using var merged = new TrainingModel(expanded, adapter, laneCount: 2);
            using var beside = new TrainingModel(frozen, adapter, laneCount: 2);
            var (expected, expectedGradient) = Evaluate(merged);
            var (actual, gradient) = Evaluate(beside);
            for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-4f);
            Assert.InRange(Distance(gradient, expectedGradient), 0, 1e-4 * Distance(expectedGradient, new float[gradient.Length]));
        }
    }

    [Fact]
    public void Scores_OfTrainerAndSampler_AreTheSame()
    {
        using var frozen = Save(ModelFamily.Qwen3, WeightFormat.BFloat16, 64);
        using var adapter = Adapter(frozen.Config, ParameterNames.Projections);
        using var training = new TrainingModel(frozen, adapter, laneCount: 1);
        using var sampler = new HostInferenceModel(frozen, adapter);
        var tokens = TinyModels.Tokens(23, 4);
        var batch = PackedBatch.Plan([new TrainingSequence(tokens, 1)], 100)[0];
        float[] scores = new float[22], entropies = new float[22];
        void Compare()
        {
            training.ForwardScore(training.Lanes[0], batch, 1, scores, entropies);
            var logits = EngineVectors.Logits(sampler, tokens);
            for (var i = 0; i < scores.Length; i++)
            {
                var sum = Math.Log(logits[i].Sum(value => Math.Exp(value)));
                Assert.Equal(logits[i][tokens[i + 1]] - sum, scores[i], 2e-5);
            }
        }

        Compare();
        foreach (ref var value in adapter.Values) value *= 1.5f;
        training.TakeUpdate();
        sampler.Repack(training);
        Compare();
    }

    [Fact]
    public void Backward_WithoutAdapter_IsRefused()
    {
        using var frozen = Save(ModelFamily.Qwen2, WeightFormat.BFloat16, 64);
        using var model = new TrainingModel(frozen, null, laneCount: 1);
        var batch = PackedBatch.Plan([new TrainingSequence([1, 2, 3], 1)], 100)[0];
        model.ForwardScore(model.Lanes[0], batch, 1, new float[2], new float[2]);
        Assert.Throws<InvalidOperationException>(() => model.Backward(model.Lanes[0], batch, new float[2]));
    }

    [Fact]
    public void Dispose_WhileOthersUseThem_KeepsTheWeights()
    {
        var frozen = Save(ModelFamily.Llama, WeightFormat.BFloat16, 64);
        var model = new HostInferenceModel(frozen, null);
        var tokens = TinyModels.Tokens(5, 2);
        var expected = EngineVectors.Logits(model, tokens);
        frozen.Dispose();
        Assert.Equal(expected, EngineVectors.Logits(model, tokens));
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(frozen.Retain);
    }

    [Fact]
    public void Open_MixedFormats_KeepsEachTensorsOwn()
    {
        var config = TinyModels.Config(ModelFamily.Qwen2) with { HiddenSize = 64 };
        using var weights = TinyModels.Weights(config, 1);
        File.WriteAllText(Path.Combine(_directory, "config.json"), config.ToJson());
        SafetensorsWriter.Write(
            Path.Combine(_directory, "model.safetensors"),
            [
                .. weights.Tensors.Select(tensor => new SafetensorsSource(tensor.Name, tensor.Shape, () => weights.Slice(tensor))
                {
                    Format = tensor.Shape.Length == 1 ? WeightFormat.Float32 : WeightFormat.BFloat16,
                }),
            ],
            WeightFormat.BFloat16);
        using var frozen = Checkpoint.Open(_directory);
        Assert.Equal(PanelFormat.PairedHalves, frozen.PanelFormat);
        using var loaded = frozen.Expand();
        Assert.Equal(weights.Get(ParameterNames.FinalNorm), loaded.Get(ParameterNames.FinalNorm));
    }

    private static LoraAdapter Adapter(ModelConfig config, IReadOnlyList<string> targets)
    {
        var adapter = LoraAdapter.CreateRandom(config, new LoraOptions { Rank = 3, TargetModules = targets }, 4);
        var random = new Random(3);
        foreach (ref var value in adapter.Values) value += (random.NextSingle() - 0.5f) * 0.1f;
        return adapter;
    }

    private static (float[] LogProbs, float[] Gradient) Evaluate(TrainingModel model)
    {
        var batches = PackedBatch.Plan([.. Enumerable.Range(0, 4).Select(i => new TrainingSequence([7, 8, 9, .. TinyModels.Tokens(20 + i, i)], 3))], 50);
        var scores = new List<float>();
        model.ForEachBatch(batches, 1, (lane, index) =>
        {
            var count = batches[index].Targets.Count;
            var logProbs = new float[count];
            model.ForwardScore(lane, batches[index], 0.8f, logProbs, new float[count]);
            model.Backward(lane, batches[index], [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i * 3))]);
            scores.AddRange(logProbs);
        });
        return ([.. scores], model.SumGradients().ToArray());
    }

    private static double Distance(float[] left, float[] right) => Math.Sqrt(left.Zip(right, (a, b) => Math.Pow(a - b, 2)).Sum());

    private FrozenWeights Save(ModelFamily family, WeightFormat format, int width)
    {
        using var weights = TinyModels.Weights(TinyModels.Config(family) with { HiddenSize = width, FeedForwardSize = width == 64 ? 96 : 36, HeadWidth = width == 64 ? 16 : 10 }, 1);
        Checkpoint.Save(_directory, weights.Config, weights, format);
        return Checkpoint.Open(_directory);
    }
}
