using CsCheck;

namespace Hone.Engine.Tests.Generation;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [1, 3, 2, 3, -1, 0.5f];

    [Fact]
    public void Sample_TemperatureZero_TakesTheFirstMaximumAtTemperatureOne()
    {
        var random = new RandomStream(1);
        var token = new Sampler(6).Sample([.. Logits], new SamplingOptions(Temperature: 0), ref random);
        Assert.Equal(1, token.Id);
        Assert.Equal(LogSoftmax(Logits, 1)[1], token.LogProb, 1e-6);
    }

    [Fact]
    public void Sample_AnyLogits_RecordsTheFullVocabularyLogProb()
    {
        var draw = from width in Gen.Int[1, 700]
                   from logits in Gen.Float[-8, 8].Array[width]
                   from temperature in Gen.Float[0.3f, 2f]
                   from topP in Gen.Float[0.1f, 1f]
                   from topK in Gen.Int[0, 20]
                   from seed in Gen.ULong
                   select (logits, options: new SamplingOptions(temperature, topP, topK, seed));
        draw.Sample(test =>
        {
            var random = new RandomStream(test.options.Seed);
            var token = new Sampler(test.logits.Length).Sample([.. test.logits], test.options, ref random);
            Assert.Equal(LogSoftmax(test.logits, test.options.Temperature)[token.Id], token.LogProb, 1e-4);
        }, iter: 500);
    }

    [Fact]
    public void Sample_ManyDraws_FollowTheDistribution()
    {
        SamplingOptions[] all = [new(0.8f), new(1, TopP: 0.9f), new(1, TopK: 3), new(1, TopP: 0.8f, TopK: 3), new(1.5f, TopP: 0.99f)];
        foreach (var options in all)
        {
            var expected = Truncate(LogSoftmax(Logits, options.Temperature).Select(Math.Exp).ToArray(), options);
            var sampler = new Sampler(6);
            var random = new RandomStream(99);
            var counts = new double[6];
            const int draws = 40_000;
            for (var i = 0; i < draws; i++) counts[sampler.Sample([.. Logits], options, ref random).Id]++;
            for (var id = 0; id < 6; id++)
                Assert.True(Math.Abs(counts[id] / draws - expected[id]) < 0.01, $"{options}: token {id} {counts[id] / draws} vs {expected[id]}");
        }
    }

    [Fact]
    public void Sample_TopPOfALargeVocabulary_NeverLeavesTheNucleus()
    {
        var random = new Random(3);
        var logits = Enumerable.Range(0, 5000).Select(_ => (float)random.NextDouble() * 12).ToArray();
        var options = new SamplingOptions(1, TopP: 0.5f);
        var allowed = Truncate(LogSoftmax(logits, 1).Select(Math.Exp).ToArray(), options);
        var sampler = new Sampler(logits.Length);
        var stream = new RandomStream(7);
        for (var i = 0; i < 2000; i++) Assert.True(allowed[sampler.Sample([.. logits], options, ref stream).Id] > 0);
    }

    [Theory]
    [InlineData(-1f, 1f, 0, "Temperature")]
    [InlineData(1f, 0f, 0, "TopP")]
    [InlineData(1f, 1f, -1, "TopK")]
    public void Validated_OutOfRange_NamesTheOption(float temperature, float topP, int topK, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => new SamplingOptions(temperature, topP, topK).Validated()).ParamName);

    private static double[] LogSoftmax(float[] logits, double temperature)
    {
        var max = logits.Max() / temperature;
        var sum = Math.Log(logits.Sum(logit => Math.Exp(logit / temperature - max)));
        return [.. logits.Select(logit => logit / temperature - max - sum)];
    }

    private static double[] Truncate(double[] probabilities, SamplingOptions options)
    {
        var order = Enumerable.Range(0, probabilities.Length).OrderByDescending(id => probabilities[id]).ThenBy(id => id).ToList();
        if (options.TopK > 0) order = [.. order.Take(options.TopK)];
        var total = order.Sum(id => probabilities[id]);
        var kept = new double[probabilities.Length];
        double reached = 0;
        foreach (var id in order)
        {
            if (reached >= options.TopP * total - 1e-7) break;
            kept[id] = probabilities[id];
            reached += probabilities[id];
        }
        return [.. kept.Select(value => value / reached)];
    }
}
