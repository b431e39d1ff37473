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

    [Fact]
    public void Build_MixedOldLogProbs_IsAnError() =>
        Assert.Throws<HoneException>(() => TinkerLoss.Build([Datum("a", 1, 1), Datum("a", 1, 1) with { OldLogProbs = [-1] }], new(), null));

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
