using System.Collections.Immutable;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Search;

/// <summary>Scenarios TPE-1 to TPE-3, and what the samplers promise besides.</summary>
public sealed class SamplerTests
{
    private const int Seeds = 200;

    public static TheoryData<string> Kinds => ["tpe", "plain", "random", "all"];

    [Theory]
    [InlineData("random", 30, 0.103)]
    [InlineData("plain", 30, 0.045)]
    [InlineData("distinct", 30, 0.034)]
    [InlineData("random", 60, 0.073)]
    [InlineData("plain", 60, 0.014)]
    [InlineData("distinct", 60, 0.012)]
    public void Regret_FourVariablesOfSixChoices_IsAsExpected(string kind, int trials, double expected)
    {
        var regrets = Enumerable.Range(0, Seeds).Select(seed => Search([6, 6, 6, 6], kind, trials, seed)).ToArray();
        Assert.InRange(regrets.Average(), expected - 0.015, expected + 0.015);
    }

    [Theory]
    [InlineData("random", 0.68)]
    [InlineData("plain", 0.94)]
    [InlineData("distinct", 1.00)]
    [InlineData("tpe", 1.00)]
    public void Optimum_OfASmallSpace_IsFoundAsOftenAsExpected(string kind, double expected)
    {
        var hits = Enumerable.Range(0, Seeds).Count(seed => Search([3, 6], kind, 20, seed) < 1e-12);
        Assert.InRange((double)hits / Seeds, expected - 0.06, expected + 0.06);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Restore_OfASnapshot_GoesOnWithTheSameSuggestions(string kind)
    {
        SearchSpace space = new(5, 1, 4, 3);
        var first = Sampler(space, kind, 60, 7);
        var value = Utilities(space, 7);
        Walk(first, value, 15);
        var pending = first.Suggest(3);
        var second = Sampler(space, kind, 60, 7);
        second.Restore(first.Snapshot());
        Assert.Equal(first.Snapshot(), second.Snapshot());
        foreach (var sampler in new[] { first, second })
            sampler.Observe(new(pending[1], value(pending[1]), 1));
        Assert.Equal(Walk(first, value, 20), Walk(second, value, 20));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(40)]
    public void Suggest_Eight_AreDistinctWhileUntriedPointsRemain(int before)
    {
        SearchSpace space = new(4, 4, 3);
        var sampler = new CategoricalTpeSampler(space, 1, 1000);
        Walk(sampler, Utilities(space, 1), before);
        var points = sampler.Suggest(8).Select(point => string.Join(',', point)).ToArray();
        Assert.Equal(8, points.Distinct().Count());
    }

    [Fact]
    public void Suggest_InALargeSpace_IsDistinctToo()
    {
        SearchSpace space = new([.. Enumerable.Repeat(8, 30)]);
        Assert.Equal(long.MaxValue, space.Size);
        var sampler = new CategoricalTpeSampler(space, 1, 100);
        var points = Walk(sampler, Utilities(space, 1), 100);
        Assert.Equal(100, points.Distinct().Count());
    }

    [Fact]
    public void Suggest_WithTrialsForAll_TriesAll()
    {
        SearchSpace space = new(3, 4);
        var sampler = new CategoricalTpeSampler(space, 3, 12);
        Assert.Equal(12, Walk(sampler, Utilities(space, 3), 12).Distinct().Count());
        Assert.Single(sampler.Suggest(1));
        var all = new ExhaustiveSampler(space);
        Assert.Equal(12, all.Suggest(20).Count);
        Assert.Empty(all.Suggest(1));
    }

    [Fact]
    public void Observe_AWholeSetAfterParts_ReplacesThem()
    {
        SearchSpace space = new(2, 2);
        var sampler = new CategoricalTpeSampler(space, 0, 10);
        sampler.Observe(new([0, 0], 1, 5));
        sampler.Observe(new([0, 0], 0.5, 15));
        Assert.Contains("\"mean\":0.625,\"examples\":20", sampler.Snapshot(), StringComparison.Ordinal);
        sampler.Observe(new([0, 0], 0.25, 40) { IsFull = true });
        sampler.Observe(new([0, 0], 1, 5));
        Assert.Contains("\"mean\":0.25,\"examples\":40", sampler.Snapshot(), StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => sampler.Observe(new([0, 2], 1, 1)));
        Assert.Throws<HoneException>(() => new RandomSampler(new(3), 0).Restore(sampler.Snapshot()));
        Assert.Throws<HoneException>(() => sampler.Restore("no JSON"));
    }

    [Fact]
    public void Regret_OfNoisyMinibatches_IsLowerWhenEvidenceIsWeighed()
    {
        var (weighed, plain) = (Noisy(new()), Noisy(new() { WeighsEvidence = false }));
        Assert.True(weighed < plain - 0.005, $"{weighed} against {plain}");

        static double Noisy(TpeOptions options) => Enumerable.Range(0, Seeds).Average(seed => NoisySearch(options, seed));
    }

    [Fact]
    public void Regret_OfFourTrialsAtOnce_IsLittleHigher()
    {
        var regret = Enumerable.Range(0, Seeds).Average(seed => Search([6, 6, 6, 6], "tpe", 60, seed, atOnce: 4));
        Assert.InRange(regret, 0, 0.015);
    }

    private static ISearchSampler Sampler(SearchSpace space, string kind, int trials, long seed) => kind switch
    {
        "random" => new RandomSampler(space, seed, isDistinct: false),
        "all" => new ExhaustiveSampler(space),
        "plain" => new CategoricalTpeSampler(space, seed, trials, TpeOptions.Plain),
        "distinct" => new CategoricalTpeSampler(space, seed, trials, TpeOptions.Plain with { DistinctFirst = true }),
        _ => new CategoricalTpeSampler(space, seed, trials),
    };

    // The mean of a random utility for every choice.
    private static Func<ImmutableArray<int>, double> Utilities(SearchSpace space, int seed)
    {
        var random = new Random(seed);
        double[][] utilities = [.. space.Choices.Select(count => Enumerable.Range(0, count).Select(_ => random.NextDouble()).ToArray())];
        return point => point.Select((choice, i) => utilities[i][choice]).Average();
    }

    private static List<string> Walk(ISearchSampler sampler, Func<ImmutableArray<int>, double> value, int trials)
    {
        var points = new List<string>();
        for (var i = 0; i < trials; i++)
        {
            foreach (var point in sampler.Suggest(1))
            {
                points.Add(string.Join(',', point));
                sampler.Observe(new(point, value(point), 1) { IsFull = true });
            }
        }

        return points;
    }

    private static double Search(ImmutableArray<int> choices, string kind, int trials, int seed, int atOnce = 1)
    {
        SearchSpace space = new(choices);
        var value = Utilities(space, seed);
        var sampler = Sampler(space, kind, trials, seed);
        var best = double.MinValue;
        for (var i = 0; i < trials; i += atOnce)
        {
            foreach (var point in sampler.Suggest(atOnce))
            {
                best = Math.Max(best, value(point));
                sampler.Observe(new(point, value(point), 1) { IsFull = true });
            }
        }

        return space.Points().Max(value) - best;
    }

    // Means over ten examples that are right or wrong by chance; every fifth trial the most promising point is looked at exactly.
    private static double NoisySearch(TpeOptions options, int seed)
    {
        SearchSpace space = new(6, 6, 6, 6);
        var value = Utilities(space, seed);
        var sampler = new CategoricalTpeSampler(space, seed, 60, options);
        var random = new Random(seed);
        var seen = new List<(ImmutableArray<int> Point, double Mean)>();
        var best = double.MinValue;
        for (var i = 1; i <= 60; i++)
        {
            var point = sampler.Suggest(1)[0];
            seen.Add((point, Enumerable.Range(0, 10).Average(_ => random.NextDouble() < value(point) ? 1.0 : 0)));
            sampler.Observe(new(point, seen[^1].Mean, 10));
            if (i % 5 != 0)
                continue;
            var promising = seen.MaxBy(entry => entry.Mean);
            seen.Remove(promising);
            best = Math.Max(best, value(promising.Point));
            sampler.Observe(new(promising.Point, value(promising.Point), 100) { IsFull = true });
        }

        return space.Points().Max(value) - best;
    }
}
