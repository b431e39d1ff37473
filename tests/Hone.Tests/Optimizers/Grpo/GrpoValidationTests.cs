using System.Collections.Concurrent;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

/// <summary>What is validated on, and at what temperature.</summary>
public sealed class GrpoValidationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>One unit everywhere: the scores of both sets are means of the metric, each over its own examples.</summary>
    [Fact]
    public async Task CompileAsync_ReportTrainScores_ScoresBothSetsApart()
    {
        // Every answer to a training question earns 0.25, to a validation question 0.75.
        var metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((example, _) => example.Input.Question.Length > 2 ? 0.75 : 0.25);
        var options = ToyTask.Options with { Steps = 4, ValidateEvery = 2, ReportTrainScores = true, Preflight = PreflightMode.Off };
        var result = await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal([-1, 1, 3], result.Validations.Select(validation => validation.Step));
        Assert.All(result.Validations, validation => Assert.Equal((0.75, 0.25, 6), (validation.Score, validation.TrainScore, validation.Scores.Count)));
    }

    /// <summary>A set that a step must repeat is validated on as it is.</summary>
    [Fact]
    public async Task CompileAsync_UseTrainAsValidation_ValidatesOnTheExamplesAsGiven()
    {
        var options = ToyTask.Options with { Steps = 4, ValidateEvery = 2, ExamplesPerStep = 5, UseTrainAsValidation = true, Preflight = PreflightMode.Off };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train[..3], null, Token);
        Assert.Equal([-1, 1, 3], result.Validations.Select(validation => validation.Step));
        Assert.All(result.Validations, validation => Assert.Equal((3, (double?)null), (validation.Scores.Count, validation.TrainScore)));
        Assert.NotNull(result.Comparison);
    }

    /// <summary>Greedy unless it is said otherwise; null samples as in training. Rollouts are sampled whatever validations do.</summary>
    [Theory]
    [InlineData(null, 1)]
    [InlineData(0f, 0)]
    [InlineData(0.5f, 0.5)]
    public async Task CompileAsync_ValidationTemperature_IsThatOfValidationsOnly(float? given, double expected)
    {
        var (validated, learned) = (new ConcurrentBag<double>(), new ConcurrentBag<double>());
        Metric<ToyQuestion, ToyAnswer> metric = (example, prediction, cancellationToken) =>
        {
            foreach (var call in prediction.Trace.Calls)
                (example.Input.Question.Length > 2 ? validated : learned).Add(call.Tokens!.Temperature);
            return ToyTask.Metric(example, prediction, cancellationToken);
        };
        var options = ToyTask.Options with { Steps = 2, ValidationTemperature = given, Preflight = PreflightMode.Off };
        await Grpo.Create(metric, options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal([expected], validated.Distinct());
        Assert.Equal([1.0], learned.Distinct());
        Assert.Equal(0f, new GrpoOptions().ValidationTemperature);
    }

    /// <summary>Weights that stay as they are score the same each time, sampled or not: the difference of two validations is one of weights.</summary>
    [Fact]
    public async Task CompileAsync_Validations_AreMadeWithTheSameSeedsEachTime()
    {
        var options = ToyTask.Options with { Steps = 4, ValidateEvery = 1, LearningRate = 0, ValidationTemperature = 1, ValidationSamples = 3, Preflight = PreflightMode.Off };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.ReadablePolicy()), ToyTask.Train, ToyTask.Validation, Token);
        var first = result.Validations[0];
        Assert.Equal(5, result.Validations.Count);
        Assert.All(result.Validations, validation =>
        {
            Assert.Equal(first.Scores, validation.Scores);
            Assert.Equal((first.SampledScore, first.BestOfSamples), (validation.SampledScore, validation.BestOfSamples));
        });
        Assert.True(first.BestOfSamples > first.SampledScore);
    }
}
