using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>A candidate made of the texts of two others.</summary>
/// <param name="First">One of them.</param>
/// <param name="Second">The other.</param>
/// <param name="Ancestor">What both descend from.</param>
/// <param name="Texts">The texts, in the order of the components.</param>
internal sealed record MergePlan(int First, int Second, int Ancestor, ImmutableArray<string> Texts);

/// <summary>
/// Joins candidates that improved different texts of the same ancestor: where one of them left a text as it was, the other's change is taken. What was
/// tried once is not tried again.
/// </summary>
/// <param name="examples">Examples that both must have been scored on, and that the merge is tried on first.</param>
internal sealed class MergePlanner(int examples)
{
    private const int Attempts = 10;
    private readonly HashSet<(int First, int Second, int Ancestor)> tried = [];
    private readonly HashSet<string> made = new(StringComparer.Ordinal);

    /// <summary>A merge; null when there is none.</summary>
    public MergePlan? Plan(GepaPool pool, Random random)
    {
        if (pool.Candidates.Count < 3 || pool.Candidates[0].Scores.Length < examples)
            return null;
        int[] members = [.. pool.PrunedFronts().SelectMany(front => front).Distinct().Order()];
        for (var attempt = 0; attempt < Attempts && members.Length >= 2; attempt++)
        {
            if (Triple(pool, members, random) is not { } triple)
                return null;
            var (texts, sources) = Join(pool, triple, random);
            if (pool.Contains(texts) || !made.Add($"{triple.First}|{triple.Second}|{string.Join(',', sources)}"))
                continue;
            tried.Add(triple);
            return new(triple.First, triple.Second, triple.Ancestor, texts);
        }

        return null;
    }

    /// <summary>The examples that a merge is tried on: as many where one parent is better as where the other is, and as many ties.</summary>
    public ImmutableArray<int> Sample(GepaPool pool, MergePlan plan, Random random)
    {
        var (first, second) = (pool.Candidates[plan.First].Scores, pool.Candidates[plan.Second].Scores);
        int[][] buckets =
        [
            [.. Enumerable.Range(0, first.Length).Where(i => first[i] > second[i])],
            [.. Enumerable.Range(0, first.Length).Where(i => first[i] < second[i])],
            [.. Enumerable.Range(0, first.Length).Where(i => first[i] == second[i])],
        ];
        var chosen = new List<int>();
        foreach (var bucket in buckets)
        {
            random.Shuffle(bucket);
            chosen.AddRange(bucket.Take(Math.Min((examples + 2) / 3, examples - chosen.Count)));
        }

        int[] unused = [.. Enumerable.Range(0, first.Length).Except(chosen)];
        random.Shuffle(unused);
        return [.. chosen, .. unused.Take(examples - chosen.Count)];
    }

    private (int First, int Second, int Ancestor)? Triple(GepaPool pool, int[] members, Random random)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var one = random.Next(members.Length);
            var other = random.Next(members.Length - 1);
            other += other >= one ? 1 : 0;
            var (first, second) = (Math.Min(members[one], members[other]), Math.Max(members[one], members[other]));
            var (firsts, seconds) = (pool.AncestorsOf(first), pool.AncestorsOf(second));
            if (firsts.Contains(second) || seconds.Contains(first))
                continue;
            int[] ancestors = [.. firsts.Intersect(seconds).Order().Where(ancestor => IsUseful(pool, first, second, ancestor))];
            if (ancestors.Length > 0)
                return (first, second, ancestors[Weighted([.. ancestors.Select(pool.Mean)], random)]);
        }

        return null;
    }

    private bool IsUseful(GepaPool pool, int first, int second, int ancestor) => !tried.Contains((first, second, ancestor))
        && pool.Mean(ancestor) <= pool.Mean(first)
        && pool.Mean(ancestor) <= pool.Mean(second)
        && Enumerable.Range(0, pool.Components.Length).Any(i => pool.Texts(first)[i] != pool.Texts(second)[i]
            && (pool.Texts(first)[i] == pool.Texts(ancestor)[i] || pool.Texts(second)[i] == pool.Texts(ancestor)[i]));

    // The higher the mean the likelier. Means may be zero or negative: they are shifted so that each has a chance.
    private static int Weighted(double[] means, Random random)
    {
        var lowest = means.Min();
        var shift = lowest > 0 ? 0 : Math.Max(means.Max() - lowest, 1) / means.Length - lowest;
        var drawn = random.NextDouble() * means.Sum(mean => mean + shift);
        for (var i = 0; i < means.Length - 1; i++)
        {
            drawn -= means[i] + shift;
            if (drawn < 0)
                return i;
        }

        return means.Length - 1;
    }

    private static (ImmutableArray<string> Texts, IReadOnlyList<int> Sources) Join(GepaPool pool, (int First, int Second, int Ancestor) triple, Random random)
    {
        var sources = new List<int>();
        for (var i = 0; i < pool.Components.Length; i++)
        {
            var (first, second, ancestor) = (pool.Texts(triple.First)[i], pool.Texts(triple.Second)[i], pool.Texts(triple.Ancestor)[i]);
            sources.Add(
                first == second ? triple.First
                : first == ancestor ? triple.Second
                : second == ancestor ? triple.First
                : pool.Mean(triple.First) > pool.Mean(triple.Second) ? triple.First
                : pool.Mean(triple.First) < pool.Mean(triple.Second) ? triple.Second
                : random.Next(2) == 0 ? triple.First : triple.Second);
        }

        return ([.. sources.Select((source, i) => pool.Texts(source)[i])], sources);
    }
}
