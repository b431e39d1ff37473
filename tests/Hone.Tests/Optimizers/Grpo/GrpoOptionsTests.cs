using System.Collections.Immutable;
using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.Tests.Optimizers;

public sealed class GrpoOptionsTests
{
    public static TheoryData<GrpoOptions, string> Contradictions => new()
    {
        { new() { FailureScore = -1, FormatFailureScore = -1 }, nameof(GrpoOptions.FormatFailureScore) },
        { new() { UseTrainAsValidation = true, ReportTrainScores = true }, nameof(GrpoOptions.ReportTrainScores) },
        { new() { Grouping = GroupingMode.Fill }, nameof(GrpoOptions.Fill) },
        { new() { Sampling = new() { Temperature = 1, TopP = .9f } }, nameof(CallOptions.TopP) },
        { new() { Sampling = new() { Temperature = 0 } }, nameof(CallOptions.Temperature) },
        { new() { Sampling = new() { Temperature = .7f } }, nameof(PolicyLossOptions.Temperature) },
        { new() { FailureScore = double.NaN }, nameof(GrpoOptions.FailureScore) },
        { new() { FormatFailureScore = double.NegativeInfinity }, nameof(GrpoOptions.FormatFailureScore) },
        { new() { Loss = new() { Type = PolicyLossType.DrGrpo } }, nameof(PolicyLossOptions.MaxCompletionLength) },
        { new() { LearningRate = -1 }, nameof(GrpoOptions.LearningRate) },
        { new() { LearningRate = double.NaN }, nameof(GrpoOptions.LearningRate) },
        { new() { Resume = true }, nameof(GrpoOptions.RunDirectory) },
        { new() { StepDeadline = TimeSpan.FromSeconds(1), RunTimeout = TimeSpan.FromSeconds(2) }, nameof(GrpoOptions.StepDeadline) },
        { new() { OverlapLearning = true, Scaling = AdvantageScaling.Batch }, nameof(GrpoOptions.Scaling) },
        { new() { OverlapLearning = true, PartWeights = ImmutableSortedDictionary<string, double>.Empty.Add("part", 1) }, nameof(GrpoOptions.PartWeights) },
        { new() { OverlapLearning = true, Loss = new() { NormalizePerPredictor = true } }, nameof(PolicyLossOptions.NormalizePerPredictor) },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Constructor_ContradictingOptions_NamesTheOption(GrpoOptions options, string name)
    {
        var error = Assert.Throws<HoneException>(() => Grpo.Create(ToyTask.Metric, options));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Init_ValueOutOfRange_NamesTheProperty()
    {
        Assert.Equal(nameof(GrpoOptions.StepDeadline), Assert.Throws<ArgumentOutOfRangeException>(() => new GrpoOptions { StepDeadline = TimeSpan.Zero }).ParamName);
        Assert.Equal(nameof(GrpoOptions.RolloutsPerExample), Assert.Throws<ArgumentOutOfRangeException>(() => new GrpoOptions { RolloutsPerExample = 1 }).ParamName);
        Assert.Equal(nameof(GrpoOptions.ValidateEvery), Assert.Throws<ArgumentOutOfRangeException>(() => new GrpoOptions { ValidateEvery = 0 }).ParamName);
        Assert.Equal(nameof(GrpoOptions.Steps), Assert.Throws<ArgumentOutOfRangeException>(() => new GrpoOptions { Steps = 0 }).ParamName);
    }

    [Fact]
    public async Task CompileAsync_BadSets_AreRefusedBeforeAnythingRuns()
    {
        var program = ToyTask.Program(ToyTask.Policy());
        var token = TestContext.Current.CancellationToken;
        await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric).CompileAsync(program, [], null, token));
        await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric).CompileAsync(program, ToyTask.Train, [], token));
        await Assert.ThrowsAsync<HoneException>(() =>
            Grpo.Create(ToyTask.Metric, new() { UseTrainAsValidation = true }).CompileAsync(program, ToyTask.Train, ToyTask.Validation, token));
        await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric, new() { ReportTrainScores = true }).CompileAsync(program, ToyTask.Train, null, token));
        await Assert.ThrowsAsync<HoneException>(() => Grpo.Create(ToyTask.Metric, new() { Collapse = new() }).CompileAsync(program, ToyTask.Train, null, token));
    }
}
