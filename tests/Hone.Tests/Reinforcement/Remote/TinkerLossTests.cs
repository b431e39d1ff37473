using Hone.Reinforcement;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>The factors that turn plain sums over tokens into Hone's losses.</summary>
public sealed class TinkerLossTests
{
    private static readonly TrainingDatum[] Data =
    [
        Datum("a", 3, 1),
        Datum("a", 1, -2),
        Datum("b", 4, 1) with { IsTruncated = true },
        Datum("b", 2, 0.5) with { Mask = [1, 0] },
    ];

    /// <summary>Active tokens are 3, 1, 0 (truncated) and 1.</summary>
    [Theory]
    [InlineData(PolicyLossType.Dapo, new[] { 1 / 5.0, 1 / 5.0, 1 / 5.0, 1 / 5.0 })]
    [InlineData(PolicyLossType.Bnpo, new[] { 1 / 5.0, 1 / 5.0, 1 / 5.0, 1 / 5.0 })]
    [InlineData(PolicyLossType.Cispo, new[] { 1 / 5.0, 1 / 5.0, 1 / 5.0, 1 / 5.0 })]
    [InlineData(PolicyLossType.Grpo, new[] { 1 / 12.0, 1 / 4.0, 1 / 4.0, 1 / 4.0 })]
    [InlineData(PolicyLossType.DrGrpo, new[] { 1 / 40.0, 1 / 40.0, 1 / 40.0, 1 / 40.0 })]
    public void SequenceWeights_Type_DividesAsTheLossDoes(PolicyLossType type, double[] expected) =>
        AssertNear(expected, SequenceWeights.Of(Data, new() { Type = type, MaxCompletionLength = 10 }));

    [Fact]
    public void SequenceWeights_PerPredictor_GivesEachTheSameShare() =>
        AssertNear([1 / 8.0, 1 / 8.0, 1 / 2.0, 1 / 2.0], SequenceWeights.Of(Data, new() { NormalizePerPredictor = true }));

    [Fact]
    public void Build_MasksAndTruncation_ReachTheWeights()
    {
        var batch = TinkerLoss.Build(Data, new(), null);
        Assert.Equal("cross_entropy", batch.LossFunction);
        AssertNear([0.2, 0.2, 0.2], batch.Sequences[0].Weights!);
        AssertNear([-0.4], batch.Sequences[1].Weights!);
        AssertNear([0, 0, 0, 0], batch.Sequences[2].Weights!);
        AssertNear([0.1, 0], batch.Sequences[3].Weights!);
        Assert.All(batch.Sequences, sequence => Assert.Null(sequence.LogProbs));
    }

    [Theory]
    [InlineData(ImportanceCorrection.TokenTruncate, new[] { 0.5, 2.0 })]
    [InlineData(ImportanceCorrection.TokenMask, new[] { 0.5, 0.0 })]
    [InlineData(ImportanceCorrection.SequenceTruncate, new[] { 1.5, 1.5 })]
    [InlineData(ImportanceCorrection.SequenceMask, new[] { 1.5, 1.5 })]
    public void Build_Correction_WeighsTheRatioOfTrainerAndSampler(ImportanceCorrection correction, double[] expected)
    {
        // Ratios 0.5 and 3; their product is 1.5.
        var datum = Datum("a", 2, 1) with { SamplerLogProbs = [0, -2] };
        float[][] current = [[(float)Math.Log(0.5), (float)(Math.Log(3) - 2)]];
        var loss = new PolicyLossOptions { Correction = correction, CorrectionMax = 2 };
        Assert.True(TinkerLoss.NeedsCurrentLogProbs([datum], loss));
        AssertNear([.. expected.Select(weight => weight / 2)], TinkerLoss.Build([datum], loss, current).Sequences[0].Weights!, 6);
    }

    [Theory]
    [InlineData(-1.0, true)]
    [InlineData(1.0, false)]
    public void Build_OffPolicyThreshold_DropsOnlyBadSequencesThatHaveDrifted(double advantage, bool isDropped)
    {
        var datum = Datum("a", 2, advantage) with { SamplerLogProbs = [-1, -1] };
        var weights = TinkerLoss.Build([datum], new() { OffPolicyThreshold = 0.5 }, [[-2, -2]]).Sequences[0].Weights!;
        Assert.Equal(isDropped, weights.All(weight => weight == 0));
    }

    /// <summary>Every loss, with and without old log-probabilities, corrected and masked: the weights are minus the loss's derivative, by central differences.</summary>
    [Theory]
    [MemberData(nameof(Losses))]
    public void Build_AnyLoss_IsItsGradient(string name, PolicyLossOptions loss)
    {
        TrainingDatum[] data =
        [
            Datum("a", 3, 1) with { OldLogProbs = [-.7f, -1, -1.5f], SamplerLogProbs = [-.75f, -.9f, -1.6f] },
            Datum("b", 2, -.5) with { OldLogProbs = [-.6f, -.5f], SamplerLogProbs = [-.6f, -.7f], Mask = [1, 1] },
            Datum("b", 2, -1) with { OldLogProbs = [-.6f, -.9f], SamplerLogProbs = [-.6f, -.7f], Mask = [0, 1] },
        ];
        float[][] current = [[-.65f, -1.02f, -2], [-.2f, -.55f], [-.5f, -.8f]];
        var batch = TinkerLoss.Build(data, loss, current);
        Assert.Equal("cross_entropy", batch.LossFunction);
        const float step = 1f / 4096;
        for (var i = 0; i < data.Length; i++)
        {
            for (var t = 0; t < current[i].Length; t++)
            {
                double At(float by)
                {
                    // Corrections and masks are constants: they are taken at the current values.
                    float[][] moved = [.. current.Select(row => row.ToArray())];
                    moved[i][t] += by;
                    return Loss(data, loss, current, moved);
                }

                var slope = (At(step) - At(-step)) / (2 * step);
                Assert.True(Math.Abs(-slope - batch.Sequences[i].Weights![t]) < 2e-3, $"{name}, datum {i}, token {t}: {-slope} and {batch.Sequences[i].Weights![t]}");
            }
        }
    }

    public static TheoryData<string, PolicyLossOptions> Losses => new()
    {
        { "gspo", new() { Type = PolicyLossType.Gspo } },
        { "gspo, corrected", new() { Type = PolicyLossType.Gspo, Correction = ImportanceCorrection.TokenTruncate, CorrectionMax = 1.1 } },
        { "two-sided dapo", new() { Delta = 1.3 } },
        { "two-sided grpo, corrected and masked", new() { Type = PolicyLossType.Grpo, Delta = 1.05, Correction = ImportanceCorrection.SequenceTruncate, OffPolicyThreshold = 0.01 } },
        { "two-sided, by predictor", new() { Delta = 1.2, NormalizePerPredictor = true } },
    };

    private static double Loss(TrainingDatum[] data, PolicyLossOptions loss, float[][] constants, float[][] current)
    {
        var weights = SequenceWeights.Of(data, loss);
        var sum = 0.0;
        for (var i = 0; i < data.Length; i++)
        {
            var (ratios, factors) = (TinkerLoss.Ratios(data[i], loss, current[i]), TinkerLoss.Factors(data[i], loss, constants[i]));
            for (var t = 0; t < ratios.Length; t++)
                sum += (data[i].Mask?[t] ?? 1) * weights[i] * factors[t] * TinkerLoss.Token(loss, ratios[t], data[i].Advantage, current[i][t]).Loss;
        }

        return sum;
    }

    /// <summary>A teacher's completion beside one of the policy: the policy's is compared with the current weights, ratio 1.</summary>
    [Fact]
    public void Build_MixedOldLogProbs_TakesTheCurrentOnesForTheOthers()
    {
        TrainingDatum[] data = [Datum("a", 1, 1), Datum("a", 1, 1) with { OldLogProbs = [-1] }];
        Assert.True(TinkerLoss.NeedsCurrentLogProbs(data, new() { Correction = ImportanceCorrection.None }));
        var batch = TinkerLoss.Build(data, new() { Correction = ImportanceCorrection.None }, [[-0.25f], [-0.5f]]);
        Assert.Equal("ppo", batch.LossFunction);
        Assert.Equal([-0.25f, -1f], batch.Sequences.Select(sequence => sequence.LogProbs![0]));
    }

    /// <summary>T3 of the published vectors: clipped losses and ratios, averaged over the batch's tokens.</summary>
    [Fact]
    public void Metrics_KnownLogProbs_GiveTheKnownLoss()
    {
        TrainingDatum[] data =
        [
            Datum("a", 3, 1) with { OldLogProbs = [-.7f, -1, -1.5f] },
            Datum("a", 2, -.5) with { OldLogProbs = [-.6f, -.5f] },
        ];
        float[][] current = [[-.5f, -1, -2], [-.2f, -.9f]];
        Assert.Equal(-.336404, TinkerMetrics.Of(data, new(), current, 0).Loss, 5);
        Assert.Equal(-.184844, TinkerMetrics.Of(data, new() { Type = PolicyLossType.Grpo }, current, 0).Loss, 5);
        var result = TinkerMetrics.Of(data, new(), current, 0);
        Assert.Equal((1.221403 + 1 + .606531 + 1.491825 + .67032) / 5, result.MeanRatio, 5);
        Assert.Equal((0.2, 0.0), (result.ClipFractionLow, result.ClipFractionHigh));
        Assert.Equal(5, result.ActiveTokens);
    }

    private static TrainingDatum Datum(string predictor, int length, double advantage) =>
        new() { PromptIds = [1], CompletionIds = [.. Enumerable.Range(2, length)], Advantage = advantage, Predictor = predictor };

    private static void AssertNear(double[] expected, double[] actual, int digits = 12)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, digits));
    }
}
