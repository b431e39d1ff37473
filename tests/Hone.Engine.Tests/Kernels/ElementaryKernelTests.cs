namespace Hone.Engine.Tests.Kernels;

/// <summary>Row kernels against formulas in double precision, at widths with and without a ragged end, for every supported kernel set.</summary>
public sealed unsafe class ElementaryKernelTests
{
    private static readonly int[] Widths = [1, 3, 8, 15, 16, 17, 40, 100];

    public static TheoryData<string, int> Cases =>
        [.. VectorKernels.Supported.SelectMany(kernels => Widths.Select(width => new TheoryDataRow<string, int>(kernels.Name, width)))];

    private static VectorKernels Find(string name) => VectorKernels.Supported.Single(kernels => kernels.Name == name);

    private static NativeBuffer Filled(int length, int seed, float spread = 2f)
    {
        var random = new Random(seed);
        var buffer = new NativeBuffer(length);
        foreach (ref var value in buffer.Span) value = (random.NextSingle() - 0.5f) * spread;
        return buffer;
    }

    private static void AssertClose(Func<int, double> expected, ReadOnlySpan<float> actual, double tolerance = 2e-6)
    {
        for (var i = 0; i < actual.Length; i++)
        {
            var value = expected(i);
            Assert.True(Math.Abs(value - actual[i]) <= tolerance * Math.Max(1, Math.Abs(value)), $"[{i}] {actual[i]} instead of {value}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ExpShifted_WideRange_HasSinglePrecision(string set, int width)
    {
        using var values = Filled(width, 1, 160f);
        var before = values.Span.ToArray();
        Find(set).ExpShifted(values.Pointer, width, 1f, 5f);
        for (var i = 0; i < width; i++)
        {
            var expected = Math.Exp(Math.Max(before[i] - 5, -87));
            Assert.InRange(values.Span[i] / expected, 1 - 4e-7 - 1e-5 * Math.Abs(before[i] - 5) / 87, 1 + 4e-7 + 1e-5 * Math.Abs(before[i] - 5) / 87);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ExpOfScores_AnyLength_GivesSoftmaxPieces(string set, int width)
    {
        using var values = Filled(width, 2, 30f);
        var before = values.Span.ToArray();
        var (maximum, sum) = Find(set).ExpOfScores(values.Pointer, width, 0.5f);
        var top = before.Max() * 0.5;
        AssertClose(i => Math.Exp(before[i] * 0.5 - top), values.Span);
        Assert.Equal(top, maximum, 1e-5);
        Assert.Equal(before.Sum(value => Math.Exp(value * 0.5 - top)), sum, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Statistics_AnyLength_GivesLogSumExpAndEntropy(string set, int width)
    {
        using var logits = Filled(width, 3, 20f);
        var statistics = Find(set).Statistics(logits.Pointer, width, 1.25f);
        var z = logits.Span.ToArray().Select(value => value * 1.25).ToArray();
        var logSum = z.Max() + Math.Log(z.Sum(value => Math.Exp(value - z.Max())));
        Assert.Equal(logSum, statistics.LogSumExp, 1e-5);
        Assert.Equal(z.Sum(value => Math.Exp(value - logSum) * (logSum - value)), statistics.Entropy, 1e-5);
    }

    [Fact]
    public void Statistics_NotANumber_IsNotHidden()
    {
        foreach (var kernels in VectorKernels.Supported)
        {
            using var logits = Filled(100, 4);
            logits.Span[37] = float.NaN;
            Assert.True(float.IsNaN(kernels.Statistics(logits.Pointer, 100, 1f).LogSumExp), kernels.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RmsNorm_AndBackward_MatchFormula(string set, int width)
    {
        using var x = Filled(width, 5);
        using var weight = Filled(width, 6);
        using var dy = Filled(width, 7);
        using var y = new NativeBuffer(width);
        using var dx = Filled(width, 8);
        using var dweight = Filled(width, 9);
        var (dxBefore, dweightBefore) = (dx.Span.ToArray(), dweight.Span.ToArray());
        var inverse = Find(set).RmsNorm(x.Pointer, weight.Pointer, y.Pointer, width, 1e-6f);
        var s = 1 / Math.Sqrt(x.Span.ToArray().Average(value => (double)value * value) + 1e-6);
        Assert.Equal(s, inverse, 1e-5 * s);
        AssertClose(i => x.Span[i] * s * weight.Span[i], y.Span);

        Find(set).RmsNormBackward(dy.Pointer, x.Pointer, weight.Pointer, inverse, dx.Pointer, dweight.Pointer, width, accumulate: true);
        var mean = Enumerable.Range(0, width).Average(i => (double)dy.Span[i] * weight.Span[i] * x.Span[i]);
        AssertClose(i => dxBefore[i] + s * dy.Span[i] * weight.Span[i] - x.Span[i] * s * s * s * mean, dx.Span, 1e-5);
        AssertClose(i => dweightBefore[i] + dy.Span[i] * x.Span[i] * s, dweight.Span, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SwiGlu_AndBackward_MatchFormula(string set, int width)
    {
        using var gate = Filled(width, 10, 8f);
        using var up = Filled(width, 11);
        using var dy = Filled(width, 12);
        using var y = new NativeBuffer(width);
        using var dgate = new NativeBuffer(width);
        using var dup = new NativeBuffer(width);
        double Sigmoid(int i) => 1 / (1 + Math.Exp(-gate.Span[i]));
        Find(set).SwiGlu(gate.Pointer, up.Pointer, y.Pointer, width);
        AssertClose(i => gate.Span[i] * Sigmoid(i) * up.Span[i], y.Span);
        Find(set).SwiGluBackward(gate.Pointer, up.Pointer, dy.Pointer, dgate.Pointer, dup.Pointer, width);
        AssertClose(i => dy.Span[i] * up.Span[i] * Sigmoid(i) * (1 + gate.Span[i] * (1 - Sigmoid(i))), dgate.Span);
        AssertClose(i => dy.Span[i] * gate.Span[i] * Sigmoid(i), dup.Span);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rotate_ThereAndBack_IsIdentity(string set, int half)
    {
        using var head = Filled(2 * half, 13);
        using var table = new RotaryTable([.. Enumerable.Range(0, half).Select(i => Math.Pow(10_000, -(double)i / half))]);
        table.Ensure(8);
        var before = head.Span.ToArray();
        Find(set).Rotate(head.Pointer, table.Cosines(7), table.Sines(7), half, 1f);
        double Angle(int i) => 7 * Math.Pow(10_000, -(double)(i % half) / half);
        double Partner(int i) => i < half ? -before[i + half] : before[i - half];
        AssertClose(i => before[i] * Math.Cos(Angle(i)) + Partner(i) * Math.Sin(Angle(i)), head.Span);
        Find(set).Rotate(head.Pointer, table.Cosines(7), table.Sines(7), half, -1f);
        AssertClose(i => before[i], head.Span);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AdamW_OneStep_MatchesFormula(string set, int width)
    {
        using var weights = Filled(width, 14);
        using var gradients = Filled(width, 15);
        using var first = Filled(width, 16, 0.1f);
        using var second = Filled(width, 17, 0.1f);
        foreach (ref var value in second.Span) value = Math.Abs(value);
        var (w, m, v) = (weights.Span.ToArray(), first.Span.ToArray(), second.Span.ToArray());
        var update = new AdamWUpdate(0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.5f, 2f, 3f);
        Find(set).AdamW(weights.Pointer, gradients.Pointer, first.Pointer, second.Pointer, width, update);
        double G(int i) => gradients.Span[i] * 0.5;
        double M(int i) => 0.9 * m[i] + 0.1 * G(i);
        double V(int i) => 0.95 * v[i] + 0.05 * G(i) * G(i);
        AssertClose(M, first.Span);
        AssertClose(V, second.Span);
        AssertClose(i => w[i] * (1 - 0.001) - 0.01 * M(i) * 2 / (Math.Sqrt(V(i) * 3) + 1e-8), weights.Span);
    }

    [Fact]
    public void SumOfSquares_ManyValues_KeepsDoublePrecision()
    {
        using var values = Filled(100_003, 18);
        var expected = values.Span.ToArray().Sum(value => (double)value * value);
        foreach (var kernels in VectorKernels.Supported) Assert.Equal(expected, kernels.SumOfSquares(values.Pointer, values.Length), expected * 1e-6);
    }
}
