using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Chooses the candidate that is changed.</summary>
public interface IParentSelector
{
    /// <summary>Name with all settings: part of a run's identity.</summary>
    string Name { get; }

    /// <summary>The number of the candidate.</summary>
    /// <param name="pool">What was found so far.</param>
    /// <param name="random">The only source of chance: then a resumed run chooses alike.</param>
    int Select(GepaPool pool, Random random);
}

/// <summary>Ways to choose the candidate that is changed.</summary>
public static class ParentSelectors
{
    /// <summary>By chance among candidates that are best at something, the more things the more likely; those that none of the fronts needs are left out.</summary>
    public static IParentSelector Pareto { get; } = new ParetoSelector();

    /// <summary>The candidate with the highest mean.</summary>
    public static IParentSelector CurrentBest { get; } = new BestSelector();

    /// <summary>Any candidate with a certain probability, else the best.</summary>
    public static IParentSelector EpsilonGreedy(double epsilon = 0.1) => epsilon is >= 0 and <= 1
        ? new EpsilonSelector(epsilon)
        : throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "From 0 to 1.");

    /// <summary>As <see cref="Pareto"/>, among the candidates with the highest means.</summary>
    public static IParentSelector TopPareto(int count = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new TopSelector(count);
    }

    private static int Draw(GepaPool pool, IReadOnlyList<ImmutableArray<int>> fronts, Random random)
    {
        int[] listed = [.. ParetoFronts.Prune(fronts, [.. pool.Candidates.Select(candidate => pool.Mean(candidate.Index))]).SelectMany(front => front).Order()];
        return listed.Length == 0 ? pool.Best : listed[random.Next(listed.Length)];
    }

    private sealed class ParetoSelector : IParentSelector
    {
        public string Name => "pareto";

        public int Select(GepaPool pool, Random random) => Draw(pool, pool.Fronts, random);
    }

    private sealed class BestSelector : IParentSelector
    {
        public string Name => "best";

        public int Select(GepaPool pool, Random random) => pool.Best;
    }

    private sealed class EpsilonSelector(double epsilon) : IParentSelector
    {
        public string Name => FormattableString.Invariant($"epsilon {epsilon}");

        public int Select(GepaPool pool, Random random) => random.NextDouble() < epsilon ? random.Next(pool.Candidates.Count) : pool.Best;
    }

    private sealed class TopSelector(int count) : IParentSelector
    {
        public string Name => FormattableString.Invariant($"top {count} pareto");

        public int Select(GepaPool pool, Random random)
        {
            var top = Enumerable.Range(0, pool.Candidates.Count).OrderByDescending(pool.Mean).Take(count).ToHashSet();
            return Draw(pool, [.. pool.Fronts.Select(front => front.Where(top.Contains).ToImmutableArray())], random);
        }
    }
}
