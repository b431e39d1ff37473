using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.Tests.Optimizers;

/// <summary>Run directories were first written by the serializer that reflects; generated code must write the same bytes, so that they can be resumed.</summary>
public class RunJsonTests
{
    private static readonly JsonSerializerOptions Reflecting = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    [Fact]
    public void Settings_OfDefaultOptions_HaveTheSameJsonAsBefore()
    {
        const string before =
            """
            {"steps":100,"examplesPerStep":1,"rolloutsPerExample":4,"seed":0,"grouping":"truncate","failureScore":0,"formatFailureScore":-1,"validateEvery":5,"useTrainAsValidation":false,"reportTrainScores":false,"validationTemperature":0,"sampling":{"temperature":1},"scaling":"none","loss":{"type":"dapo","epsilonLow":0.2,"epsilonHigh":0.28,"beta":0,"maxCompletionLength":0,"maskTruncated":true,"correction":"automatic","correctionMax":2,"temperature":1,"normalizePerPredictor":false},"updatesPerBatch":1,"effectiveLearningRate":1E-06,"schedule":"constantWithWarmup","warmupSteps":10,"optimizer":{"learningRate":0,"beta1":0.9,"beta2":0.999,"epsilon":1E-08,"weightDecay":0,"maxGradientNorm":1},"hasCredit":false}
            """;

        Assert.Equal(before, JsonSerializer.Serialize(GrpoSettings.Of(new(), 0), RunJson.Default.GrpoSettings));
    }

    [Fact]
    public void Settings_WithEverythingSet_AreWrittenAsByReflection() => AssertSame(
        GrpoSettings.Of(new()
        {
            Grouping = GroupingMode.Fill,
            Fill = FillStrategy.Random,
            Lora = new() { Rank = 4 },
            Loss = new() { Type = PolicyLossType.DrGrpo, Correction = ImportanceCorrection.SequenceMask, MaxCompletionLength = 32, Delta = 2 },
            Sampling = new() { Temperature = 0.5f, MaxOutputTokens = 64, StopSequences = ["\n", "é<"] },
            PartWeights = System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty.Add("quality", 2).Add("Leakage", -1),
            MaxResamples = 2,
            Collapse = new() { MinEntropy = 0.01 },
            ValidationSamples = 4,
        },
        teachers: 1),
        RunJson.Default.GrpoSettings);

    [Fact]
    public void JournalLines_AreWrittenAsByReflection()
    {
        var report = new GrpoStepReport
        {
            Step = 3,
            RewardMean = double.NaN,
            Parts = new Dictionary<string, double> { ["Exact Match"] = 0.1 },
            Groups = new Dictionary<string, int> { ["generate_query"] = 2 },
            Loss = double.PositiveInfinity,
            Seconds = new() { Rollout = 1.5 },
        };
        AssertSame(new GrpoJournalLine(3, report, null), RunJson.Default.GrpoJournalLine);
        AssertSame(new GrpoJournalLine(-1, null, new(-1, 0.25, new(0.1, 0.4), null, 2, true, [0, 0.5])), RunJson.Default.GrpoJournalLine);
    }

    [Fact]
    public void StateAndRollouts_AreWrittenAsByReflection()
    {
        AssertSame(new GrpoState { NextStep = 5, TokensSampled = 12, BestWeights = "best-step-00003" }, RunJson.Default.GrpoState);
        AssertSame(
            new GrpoRolloutLine(
                1, 2, null, long.MaxValue, RolloutOutcome.FormatFailure, null, new Dictionary<string, double> { ["a"] = 1 }, "too “long”", "no <answer>",
                [new("find", 0, "“text”", null, -0.25, 3, [1, 2], null, [-0.5f, float.NegativeInfinity])]),
            RunJson.Default.GrpoRolloutLine);
    }

    [Fact]
    public void Identity_IsWrittenAndReadAsByReflection()
    {
        var identity = new RunIdentity("grpo", "self: a -> b", "0011", "2233");
        var text = JsonSerializer.Serialize(identity, RunJson.Indented.RunIdentity);

        Assert.Equal(JsonSerializer.Serialize(identity, new JsonSerializerOptions(Reflecting) { WriteIndented = true }), text);
        Assert.Equal(identity, JsonSerializer.Deserialize(text, RunJson.Default.RunIdentity));
    }

    private static void AssertSame<T>(T value, JsonTypeInfo<T> type) =>
        Assert.Equal(JsonSerializer.Serialize(value, Reflecting), JsonSerializer.Serialize(value, type));
}
