using CsCheck;
using Hone.Reinforcement;

namespace Hone.Engine.Tests.Training;

public sealed class PolicyLossTests
{
    private static readonly double[][] New = [[-.5, -1, -2], [-.2, -.9, 0]];
    private static readonly double[][] Old = [[-.7, -1, -1.5], [-.6, -.5, 0]];
    private static readonly bool[][] Mask = [[true, true, true], [true, true, false]];
    private static readonly double[] Advantages = [1, -.5];

    [Fact]
    public void Vectors_AllLossesAndSchedules_Agree()
    {
        var folder = VectorsFolder.Find();
        Assert.SkipWhen(folder is null, VectorsFolder.Absent);
        var results = LossVectors.Run(folder).ToList();
        Assert.NotEmpty(results);
        Assert.Equal("", string.Join('\n', results.Where(result => result.Failure is not null).Select(result => $"{result.Id}: {result.Failure}")));
    }

    [Theory]
    [InlineData(PolicyLossType.Grpo, -.184844)]
    [InlineData(PolicyLossType.Bnpo, -.336404)]
    [InlineData(PolicyLossType.DrGrpo, -.210253)]
    [InlineData(PolicyLossType.Dapo, -.336404)]
    [InlineData(PolicyLossType.Gspo, -.202419)]
    public void Loss_WorkedExample_HasTheKnownValue(PolicyLossType type, double expected) =>
        Assert.Equal(expected, Evaluate(new PolicyLossOptions { Type = type, MaxCompletionLength = 4 }).Loss, 1e-6);

    [Fact]
    public void Loss_TwoSidedClip_HasTheKnownValue() =>
        Assert.Equal(-.208822, Evaluate(new PolicyLossOptions { Type = PolicyLossType.Grpo, Delta = 1.3 }).Loss, 1e-6);

    [Fact]
    public void Loss_CispoCap_HasTheKnownValue() =>
        Assert.Equal(.478283, Evaluate(new PolicyLossOptions { Type = PolicyLossType.Cispo, EpsilonHigh = 1.2 }).Loss, 1e-6);

    [Fact]
    public void Loss_WithDivergence_HasTheKnownValue()
    {
        double[][] reference = [[-.6, -1.2, -1.8], [-.3, -.9, 0]];
        var result = Evaluate(new PolicyLossOptions { Type = PolicyLossType.Grpo, Beta = .1 }, reference: reference);
        Assert.Equal(-.183974, result.Loss, 1e-6);
        Assert.Equal((.004837 + .018731 + .021403 + .004837) / 5, result.Metrics.MeanKl, 1e-6);
    }

    /// <summary>What a teacher wrote has no record of the policy's sampler: no correction acts on it, whatever the others need.</summary>
    [Fact]
    public void Loss_SequenceWithoutASamplersRecord_IsNotCorrected()
    {
        foreach (var correction in Enum.GetValues<ImportanceCorrection>())
        {
            var (loss, gradients, _) = Evaluate(new PolicyLossOptions { Correction = correction });
            var (plain, expected, _) = Evaluate(new PolicyLossOptions { Correction = ImportanceCorrection.None });
            Assert.Equal(plain, loss);
            Assert.Equal(expected, gradients);
        }
    }

    [Fact]
    public void Gradient_AnyOptions_EqualsCentralDifferences()
    {
        // Cispo's value is not what its gradient belongs to (a detached weight), and the off-policy mask is a switch on the value.
        RandomStep.Where(step => step.Options.Type != PolicyLossType.Cispo).Sample(random =>
        {
            var step = random with { Options = random.Options with { OffPolicyThreshold = null } };
            var (_, gradients, _) = step.Evaluate();
            for (var i = 0; i < step.New.Length; i++)
            {
                for (var t = 0; t < step.New[i].Length; t++)
                {
                    const double nudge = 1e-6;
                    var (up, _, upMetrics) = step.Nudge(i, t, nudge).Evaluate();
                    var (down, _, downMetrics) = step.Nudge(i, t, -nudge).Evaluate();
                    // Central differences mean nothing across a kink, that is where a token enters or leaves clipping or its ratio passes the cap.
                    if (upMetrics.ClipFraction != downMetrics.ClipFraction) continue;
                    if (step.Nudge(i, t, nudge).IsOverCap(i, t) != step.Nudge(i, t, -nudge).IsOverCap(i, t)) continue;
                    var slope = (up - down) / (2 * nudge);
                    Assert.True(Math.Abs(slope - gradients[i][t]) < 1e-6 * Math.Max(1, Math.Abs(slope)), $"[{i}][{t}]: {slope} vs {gradients[i][t]}");
                }
            }
        }, iter: 300);
    }

    [Theory]
    [InlineData(PolicyLossType.Dapo)]
    [InlineData(PolicyLossType.DrGrpo)]
    [InlineData(PolicyLossType.Cispo)]
    public void Gradient_AnySplitOfTheStep_IsTheSame(PolicyLossType type)
    {
        Gen.Select(RandomStep, Gen.Int[0, 3].Array[8]).Sample((step, split) =>
        {
            var options = step.Options with { Type = type, MaxCompletionLength = 16 };
            var whole = (step with { Options = options }).Evaluate();
            var parts = (step with { Options = options, Microbatches = split }).Evaluate();
            for (var i = 0; i < step.New.Length; i++) Assert.Equal(whole.Gradients[i], parts.Gradients[i], (a, b) => Math.Abs(a - b) < 1e-12);
        }, iter: 100);
    }

    [Theory]
    [InlineData(PolicyLossType.Grpo)]
    [InlineData(PolicyLossType.Gspo)]
    public void Gradient_EqualSplitOfTheStep_IsTheSame(PolicyLossType type)
    {
        RandomStep.Sample(step =>
        {
            var options = step.Options with { Type = type };
            var whole = (step with { Options = options }).Evaluate();
            var parts = (step with { Options = options, Microbatches = [0, 1, 0, 1, 1, 0, 1, 0] }).Evaluate();
            for (var i = 0; i < step.New.Length; i++) Assert.Equal(whole.Gradients[i], parts.Gradients[i], (a, b) => Math.Abs(a - b) < 1e-12);
        }, iter: 100);
    }

    [Fact]
    public void Gradient_OneUpdatePerBatch_IsReinforceWithoutClipping()
    {
        foreach (var type in Enum.GetValues<PolicyLossType>())
        {
            if (type == PolicyLossType.Cispo) continue; // a cap under 1 would act on a ratio of 1
            var options = new PolicyLossOptions { Type = type, MaxCompletionLength = 4 };
            var (_, gradients, metrics) = Evaluate(options, old: [[], []]);
            Assert.Equal(0, metrics.ClipFraction);
            Assert.Equal(1, metrics.MeanRatio);
            var normalizer = LossNormalizer.Create(options, [new SequenceCount(3, false), new SequenceCount(2, false)]);
            for (var i = 0; i < 2; i++)
                for (var t = 0; t < 3; t++)
                    Assert.Equal(Mask[i][t] ? -Advantages[i] * normalizer.WeightOf(i) : 0, gradients[i][t], 1e-15);
        }
    }

    [Fact]
    public void Gradient_InactiveTokens_IsExactlyZeroWhateverTheyHold()
    {
        foreach (var type in Enum.GetValues<PolicyLossType>())
        {
            double[] values = [-.5, double.NaN, double.NegativeInfinity];
            var gradient = new double[3];
            var metrics = new PolicyLossMetrics();
            var loss = PolicyLoss.AddSequence(
                new PolicyLossOptions { Type = type }, new TokenLogProbs<double>(values, values, Mask: [true, false, false]), 1, false, 1, gradient,
                ref metrics);
            Assert.True(double.IsFinite(loss));
            Assert.Equal([0, 0], gradient[1..]);
            Assert.Equal(1, metrics.Tokens);
        }
    }

    [Fact]
    public void Normalizer_PerPredictor_GivesEachTheSameShare()
    {
        var counts = new[] { new SequenceCount(100, false), new SequenceCount(2, false, 0, 1), new SequenceCount(3, false, 0, 1) };
        foreach (var type in (PolicyLossType[])[PolicyLossType.Dapo, PolicyLossType.Cispo, PolicyLossType.Bnpo])
        {
            var normalizer = LossNormalizer.Create(new PolicyLossOptions { Type = type, NormalizePerPredictor = true }, counts);
            Assert.Equal(.5, normalizer.WeightOf(0) * 100, 1e-12);
            Assert.Equal(.5, normalizer.WeightOf(1) * 2 + normalizer.WeightOf(2) * 3, 1e-12);
        }
    }

    [Fact]
    public void Normalizer_DrGrpoWithoutLength_NamesTheOption()
    {
        var error = Assert.Throws<ArgumentException>(() => LossNormalizer.Create(new PolicyLossOptions { Type = PolicyLossType.DrGrpo }, []));
        Assert.Contains("MaxCompletionLength", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddSequence_UnequalLengths_SaysWhichAndHowMany()
    {
        var error = Assert.Throws<ArgumentException>(() =>
        {
            var metrics = new PolicyLossMetrics();
            PolicyLoss.AddSequence(new PolicyLossOptions(), new TokenLogProbs<double>([-1, -2], [-1]), 1, false, 1, new double[2], ref metrics);
        });
        Assert.Contains("Old", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_OutOfRange_NameTheProperty()
    {
        Assert.Equal("EpsilonLow", Assert.Throws<ArgumentOutOfRangeException>(() => new PolicyLossOptions { EpsilonLow = -1 }).ParamName);
        Assert.Equal("Temperature", Assert.Throws<ArgumentOutOfRangeException>(() => new PolicyLossOptions { Temperature = 0 }).ParamName);
        Assert.Equal("Beta", Assert.Throws<ArgumentOutOfRangeException>(() => new PolicyLossOptions { Beta = double.NaN }).ParamName);
    }

    private static (double Loss, double[][] Gradients, PolicyLossMetrics Metrics) Evaluate(
        PolicyLossOptions options, double[][]? old = null, double[][]? reference = null) =>
        new LossStep(options, New, old ?? Old, [[], []], reference ?? [[], []], Mask, Advantages, [false, false], [0, 0]).Evaluate();

    private static Gen<LossStep> RandomStep =>
        from options in RandomOptions
        from lengths in Gen.Int[0, 6].Array[8]
        from seed in Gen.Int[0, 1_000_000]
        select LossStep.Random(options, lengths, new Random(seed));

    private static Gen<PolicyLossOptions> RandomOptions =>
        from type in Gen.Enum<PolicyLossType>()
        from correction in Gen.Enum<ImportanceCorrection>()
        from beta in Gen.OneOf(Gen.Const(0.0), Gen.Const(.05))
        from delta in Maybe(1.6)
        from high in Maybe(.28)
        from threshold in Maybe(.1)
        from truncated in Gen.Bool
        select new PolicyLossOptions
        {
            Type = type,
            Correction = correction,
            Beta = beta,
            Delta = delta,
            EpsilonHigh = type == PolicyLossType.Cispo ? 1.25 : high,
            OffPolicyThreshold = threshold,
            MaskTruncated = truncated,
            MaxCompletionLength = 16,
            CorrectionMax = 1.3,
        };

    private static Gen<double?> Maybe(double value) => Gen.OneOf(Gen.Const((double?)null), Gen.Const((double?)value));

    private sealed record LossStep(
        PolicyLossOptions Options, double[][] New, double[][] Old, double[][] Sampler, double[][] Reference, bool[][] Mask, double[] Advantages,
        bool[] Truncated, int[] Microbatches)
    {
        public bool IsOverCap(int sequence, int token)
        {
            var differences = New[sequence].Zip(Old[sequence], (current, old) => current - old).ToArray();
            var ratio = Math.Exp(Options.Type == PolicyLossType.Gspo ? differences.Where((_, t) => Mask[sequence][t]).DefaultIfEmpty().Average() : differences[token]);
            return ratio > Options.Delta;
        }

        public static LossStep Random(PolicyLossOptions options, int[] lengths, Random random)
        {
            double[] Values(int length, double spread) => [.. Enumerable.Range(0, length).Select(_ => (random.NextDouble() - .5) * spread)];
            double[][] Near(double[][] centers, double spread) =>
                [.. centers.Select(center => center.Zip(Values(center.Length, spread), (a, b) => a + b).ToArray())];
            var current = lengths.Select(length => Values(length, 2).Select(value => value - 1.5).ToArray()).ToArray();
            var old = Near(current, 1);
            return new LossStep(
                options, current, old, Near(old, .6), Near(current, .6),
                [.. lengths.Select(length => Values(length, 2).Select(value => value > -.7).ToArray())],
                Values(lengths.Length, 2), [.. lengths.Select(_ => random.Next(4) == 0)], new int[lengths.Length]);
        }

        public LossStep Nudge(int sequence, int token, double by)
        {
            var changed = New.Select(values => values.ToArray()).ToArray();
            changed[sequence][token] += by;
            return this with { New = changed };
        }

        public (double Loss, double[][] Gradients, PolicyLossMetrics Metrics) Evaluate()
        {
            var counts = New.Select((_, i) => new SequenceCount(Mask[i].Count(bit => bit), Truncated[i], Microbatches[i])).ToArray();
            var normalizer = LossNormalizer.Create(Options, counts);
            var gradients = New.Select(values => new double[values.Length]).ToArray();
            var metrics = new PolicyLossMetrics();
            double loss = 0;
            for (var i = 0; i < New.Length; i++)
                loss += PolicyLoss.AddSequence(
                    Options, new TokenLogProbs<double>(New[i], Old[i], Sampler[i], Reference[i], Mask[i]), Advantages[i], Truncated[i],
                    normalizer.WeightOf(i), gradients[i], ref metrics);
            return (loss, gradients, metrics);
        }
    }
}
