using Hone.Engine.Cuda;
using Hone.Kernels.Conformance;

namespace Hone.Engine.Tests.Cuda;

/// <summary>The GPU beside plain double-precision code and beside the processor. Skipped where there is none.</summary>
public sealed class CudaKernelTests(CudaFixture gpu) : IClassFixture<CudaFixture>
{
    public static TheoryData<ModelFamily, bool> Variants => Models.TrainingModelTests.Variants;

    [Theory]
    [InlineData(CudaPrecision.Float32, 1e-5)]
    [InlineData(CudaPrecision.TensorFloat32, 4e-3)]
    [InlineData(CudaPrecision.BFloat16, 3e-2)]
    public void CudaKernels_EveryOperation_EqualsDoublePrecision(CudaPrecision precision, double productTolerance)
    {
        var kernels = gpu.Open(precision).Kernels;
        var output = TestContext.Current.TestOutputHelper;
        foreach (var group in KernelConformance.Cases.GroupBy(item => item.Name.Split(' ')[0]))
            output?.WriteLine($"{precision} {group.Key}: worst error {group.Max(item => KernelConformance.Measure(kernels, item)):E2}");
        Assert.Empty(KernelConformance.Failures(kernels, tolerance: 1e-5, productTolerance));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Gradients_EveryFamily_EqualTheProcessors(ModelFamily family, bool lora)
    {
        var device = gpu.Open();
        using var weights = Models.TinyModels.Weights(family);
        using var adapter = lora ? Models.TrainingModelTests.Adapter(weights.Config) : null;
        using var here = new TrainingModel(weights, adapter, laneCount: 1);
        using var there = new TrainingModel(weights, adapter, 1, device.Kernels);
        var expected = Models.TrainingModelTests.Evaluate(here, Models.TrainingModelTests.Sequences());
        var actual = Models.TrainingModelTests.Evaluate(there, Models.TrainingModelTests.Sequences());
        Assert.All(expected.LogProbs, pair => Assert.Equal(pair.Value, actual.LogProbs[pair.Key], 2e-5f));
        var norm = Math.Sqrt(expected.Gradient.Sum(value => (double)value * value));
        var difference = Math.Sqrt(expected.Gradient.Zip(actual.Gradient, (a, b) => Math.Pow(a - b, 2)).Sum());
        Assert.InRange(difference / norm, 0, 1e-5);
        Assert.Equal(actual.Gradient, Models.TrainingModelTests.Evaluate(there, Models.TrainingModelTests.Sequences()).Gradient);
    }

    [Theory]
    [InlineData(ModelFamily.Qwen2)]
    [InlineData(ModelFamily.Qwen3)]
    [InlineData(ModelFamily.Llama)]
    public void Generation_TreeOfSegments_EqualsTheProcessors(ModelFamily family) =>
        Models.DeviceInferenceTests.Compare(family, gpu.Open().Kernels, 2e-4f);

    [Theory]
    [InlineData(CudaPrecision.Float32, 1e-4)]
    [InlineData(CudaPrecision.TensorFloat32, 3e-2)]
    [InlineData(CudaPrecision.BFloat16, 2e-1)]
    public void SupervisedSteps_LossCurve_FollowsTheProcessors(CudaPrecision precision, double tolerance)
    {
        var device = gpu.Open(precision);
        var sequences = Enumerable.Range(0, 12).Select(i => new SupervisedSequence(Models.TinyModels.Tokens(20 + 9 * i, i, 512), 1)).ToArray();
        double[] Train(IKernels kernels)
        {
            using var weights = ParameterSet.CreateRandom(Generation.SmallModel.Config, 1);
            using var model = new TrainingModel(weights, null, 1, kernels);
            using var optimizer = new AdamW(model, new());
            return [.. Enumerable.Range(0, 10).Select(_ =>
            {
                model.ZeroGradients();
                var loss = SupervisedPass.Run(model, sequences, 1, kernels.MicrobatchRows, TestContext.Current.CancellationToken);
                optimizer.Update(model.GradientSum(), 2e-3);
                model.TakeUpdate();
                return loss;
            })];
        }

        var (expected, actual) = (Train(CpuKernels.Best), Train(device.Kernels));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{precision}: loss {expected[0]:F4} to {expected[^1]:F4} on the processor, {actual[^1]:F4} on the GPU; " +
            $"largest difference {expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max():E2}");
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
