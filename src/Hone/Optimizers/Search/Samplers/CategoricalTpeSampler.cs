using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="CategoricalTpeSampler"/>.</summary>
public sealed record TpeOptions
{
    /// <summary>The sampler as it is commonly implemented, without the improvements that are on by default.</summary>
    public static TpeOptions Plain { get; } = new() { DistinctFirst = false, WeighsEvidence = false, PendingCountAsBad = false };

    /// <summary>Observations before the model is used; points are drawn at random until then.</summary>
    /// <value>10 by default.</value>
    public int StartupObservations
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(StartupObservations)); field = value; }
    } = 10;

    /// <summary>Points drawn from the good ones' model, of which the most promising is suggested.</summary>
    /// <value>24 by default.</value>
    public int Draws
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Draws)); field = value; }
    } = 24;

    /// <summary>Tries no point twice while others are untried, and all of them when the trials suffice.</summary>
    /// <value>True by default.</value>
    public bool DistinctFirst { get; init; } = true;

    /// <summary>
    /// Makes one observation of several of the same point, weighs it by the root of the examples seen and draws means over few examples to the mean of all.
    /// </summary>
    /// <value>True by default.</value>
    public bool WeighsEvidence { get; init; } = true;

    /// <summary>Points under way count as bad ones, so that suggestions made side by side differ.</summary>
    /// <value>True by default.</value>
    public bool PendingCountAsBad { get; init; } = true;
}

/// <summary>
/// A tree-structured Parzen estimator over categorical variables that are chosen jointly (Bergstra et al., 2011): it models the good points and the
/// bad ones, and suggests what is likely among the former and unlikely among the latter.
/// </summary>
public sealed class CategoricalTpeSampler : ISearchSampler
{
    private const int RecentCount = 25;
    private const int MostGood = 25;
    private const int Retries = 8;

    // Examples of the overall mean that a mean over few examples is mixed with.
    private const double PriorExamples = 4;

    private readonly SamplerMemory memory;
    private readonly SeedStream seed;
    private readonly int trials;
    private readonly TpeOptions options;

    /// <summary>Creates a sampler.</summary>
    /// <param name="space">The space.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="trials">How many points will be tried in all: a space that is no larger is tried as a whole.</param>
    /// <param name="options">Settings.</param>
    public CategoricalTpeSampler(SearchSpace space, long seed, int trials, TpeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentOutOfRangeException.ThrowIfNegative(trials);
        this.options = options ?? new();
        (memory, this.seed, this.trials) = (new(space, this.options.WeighsEvidence), new(seed), trials);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ImmutableArray<int>> Suggest(int count)
    {
        var points = new List<ImmutableArray<int>>();
        while (points.Count < count)
        {
            points.Add(Next(seed.Derive("suggestion", memory.Suggested).CreateRandom()));
            memory.Suggest(points[^1]);
        }

        return points;
    }

    /// <inheritdoc/>
    public void Observe(SearchObservation observation) => memory.Observe(observation);

    /// <inheritdoc/>
    public string Snapshot() => memory.Write();

    /// <inheritdoc/>
    public void Restore(string snapshot) => memory.Read(snapshot);

    private ImmutableArray<int> Next(Random random)
    {
        var mustDiffer = options.DistinctFirst && memory.UntriedCount > 0;
        if (memory.Observations.Count < options.StartupObservations)
            return (mustDiffer ? memory.DrawUntried(random) : null) ?? memory.Space.Draw(random);
        var (good, bad) = Split();
        if (mustDiffer && memory.UntriedCount <= trials - memory.Suggested && memory.Untried() is { Count: > 0 } left)
            return left.MaxBy(Promise);
        for (var attempt = 0; attempt < Retries; attempt++)
        {
            var drawn = Enumerable.Range(0, options.Draws).Select(_ => good.Draw(random)).ToList();
            if (mustDiffer)
                drawn.RemoveAll(memory.IsTried);
            if (drawn.Count > 0)
                return drawn.MaxBy(Promise);
        }

        return memory.DrawUntried(random) ?? good.Draw(random);

        double Promise(ImmutableArray<int> point) => good.LogDensity(point) - bad.LogDensity(point);
    }

    private (Mixture Good, Mixture Bad) Split()
    {
        var seen = memory.Observations;
        var values = Values(seen);
        var most = seen.Max(observation => observation.Examples);
        var goodCount = Math.Min((int)Math.Ceiling(0.1 * seen.Count), MostGood);
        var isGood = new bool[seen.Count];
        foreach (var i in Enumerable.Range(0, seen.Count).OrderByDescending(i => values[i]).Take(goodCount))
            isGood[i] = true;
        var good = new List<(ImmutableArray<int> Point, double Weight)>();
        var bad = new List<(ImmutableArray<int> Point, double Weight)>();
        for (var i = 0; i < seen.Count; i++)
            (isGood[i] ? good : bad).Add((seen[i].Choices, options.WeighsEvidence ? Math.Sqrt((double)seen[i].Examples / most) : 1));
        if (options.PendingCountAsBad)
            bad.AddRange(memory.Pending.Select(point => (point, 1.0)));
        return (new(memory.Space, good), new(memory.Space, bad));
    }

    private double[] Values(IReadOnlyList<SearchObservation> seen)
    {
        if (!options.WeighsEvidence)
            return [.. seen.Select(observation => observation.Mean)];
        var overall = seen.Sum(observation => observation.Mean * observation.Examples) / seen.Sum(observation => (double)observation.Examples);
        return
        [
            .. seen.Select(observation => observation.IsFull
                ? observation.Mean
                : ((observation.Mean * observation.Examples) + (overall * PriorExamples)) / (observation.Examples + PriorExamples)),
        ];
    }

    /// <summary>A kernel around every point, and a uniform one; older points of a long history weigh less.</summary>
    private sealed class Mixture
    {
        private readonly SearchSpace space;
        private readonly List<(ImmutableArray<int> Point, double Weight)> kernels;
        private readonly double total;

        public Mixture(SearchSpace space, List<(ImmutableArray<int> Point, double Weight)> points)
        {
            this.space = space;
            kernels = [.. points.Select((entry, i) => (entry.Point, entry.Weight * AgeWeight(i, points.Count)))];
            total = kernels.Sum(kernel => kernel.Weight) + 1;
        }

        public ImmutableArray<int> Draw(Random random)
        {
            var target = random.NextDouble() * total;
            foreach (var (point, weight) in kernels)
            {
                if (target < weight)
                    return [.. point.Select((choice, i) => Near(choice, space.Choices[i], random))];
                target -= weight;
            }

            return space.Draw(random);
        }

        public double LogDensity(ImmutableArray<int> point)
        {
            var density = 1.0;
            foreach (var count in space.Choices)
                density /= count;
            foreach (var (center, weight) in kernels)
            {
                var product = weight;
                for (var i = 0; i < point.Length; i++)
                {
                    var count = space.Choices[i];
                    product *= (Prior + (point[i] == center[i] ? 1 : 0)) / ((count * Prior) + 1);
                }

                density += product;
            }

            return Math.Log(density / total);
        }

        private double Prior => 1.0 / (kernels.Count + 1);

        // The center with the mass of its own, any choice with the mass of the prior.
        private int Near(int center, int count, Random random) =>
            count == 1 || random.NextDouble() * ((count * Prior) + 1) < 1 ? center : random.Next(count);

        private static double AgeWeight(int index, int count)
        {
            var old = count - RecentCount;
            if (index >= old)
                return 1;
            return old == 1 ? 1.0 / count : (1.0 / count) + ((1 - (1.0 / count)) * index / (old - 1));
        }
    }
}
