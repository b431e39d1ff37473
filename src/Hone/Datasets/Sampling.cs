using System.Collections.Immutable;

namespace Hone;

/// <summary>A set in three parts without overlap.</summary>
/// <param name="Train">To learn from.</param>
/// <param name="Validation">To choose by.</param>
/// <param name="Test">To report.</param>
public sealed record DataSplit<T>(ImmutableArray<T> Train, ImmutableArray<T> Validation, ImmutableArray<T> Test);

/// <summary>Seeded shuffles, samples and splits. The same seed gives the same parts on every machine; no global generator is touched.</summary>
public static class Sampling
{
    /// <summary>The items in an order that the seed decides.</summary>
    public static ImmutableArray<T> Shuffle<T>(IEnumerable<T> items, long seed)
    {
        ArgumentNullException.ThrowIfNull(items);
        var order = items.ToArray();
        new SeedStream(seed).Derive("shuffle").CreateRandom().Shuffle(order);
        return [.. order];
    }

    /// <summary>So many different items, in an order that the seed decides.</summary>
    /// <exception cref="HoneException">There are fewer items.</exception>
    public static ImmutableArray<T> Sample<T>(IEnumerable<T> items, int count, long seed)
    {
        var order = Shuffle(items, seed);
        return count >= 0 && count <= order.Length
            ? order[..count]
            : throw new HoneException($"A sample of {count} was asked for, and there are {order.Length} items.");
    }

    /// <summary>Cuts a shuffled copy into three parts by counts; what is left over is in none.</summary>
    /// <exception cref="HoneException">The counts are negative or more than there is.</exception>
    public static DataSplit<T> Split<T>(IEnumerable<T> items, int train, int validation, int test, long seed)
    {
        var order = Shuffle(items, seed);
        if (train < 0 || validation < 0 || test < 0 || (long)train + validation + test > order.Length)
            throw new HoneException($"Parts of {train}, {validation} and {test} were asked for, and there are {order.Length} items.");
        return new(order[..train], order[train..(train + validation)], order[(train + validation)..(train + validation + test)]);
    }

    /// <summary>Cuts a shuffled copy into three parts by fractions; the last part takes the rest when they sum up to 1.</summary>
    /// <exception cref="HoneException">A fraction is outside of 0 to 1, or their sum is above 1.</exception>
    public static DataSplit<T> Split<T>(IEnumerable<T> items, double train, double validation, double test, long seed)
    {
        ArgumentNullException.ThrowIfNull(items);
        var sum = train + validation + test;
        if (!(train >= 0 && validation >= 0 && test >= 0 && sum is > 0 and <= 1 + 1e-9))
            throw new HoneException($"The fractions {train}, {validation} and {test} should each be at least 0 and sum up to at most 1.");
        var all = items as IReadOnlyCollection<T> ?? [.. items];
        var (first, second) = ((int)Math.Round(train * all.Count), (int)Math.Round(validation * all.Count));
        second = Math.Min(second, all.Count - first);
        var left = all.Count - first - second;
        return Split(all, first, second, sum > 1 - 1e-9 ? left : Math.Min(left, (int)Math.Round(test * all.Count)), seed);
    }

    /// <summary>
    /// Cuts by a hash of each item's key: an item stays in its part when others come or go, and items with one key stay together. Parts have about the
    /// sizes asked for.
    /// </summary>
    /// <param name="items">The items; their order is kept.</param>
    /// <param name="key">What decides, e.g. an id or a question.</param>
    /// <param name="train">Fraction of the first part.</param>
    /// <param name="validation">Fraction of the second; the rest is the third.</param>
    /// <param name="seed">Another seed, other parts.</param>
    /// <exception cref="HoneException">A fraction is outside of 0 to 1, or their sum is above 1.</exception>
    public static DataSplit<T> SplitByKey<T>(IEnumerable<T> items, Func<T, string> key, double train, double validation, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(key);
        if (!(train >= 0 && validation >= 0 && train + validation <= 1 + 1e-9))
            throw new HoneException($"The fractions {train} and {validation} should each be at least 0 and sum up to at most 1.");
        var parts = new[] { ImmutableArray.CreateBuilder<T>(), ImmutableArray.CreateBuilder<T>(), ImmutableArray.CreateBuilder<T>() };
        var stream = new SeedStream(seed);
        foreach (var item in items)
        {
            var place = stream.Derive(key(item)).Seed / (double)long.MaxValue;
            parts[place < train ? 0 : place < train + validation ? 1 : 2].Add(item);
        }

        return new(parts[0].ToImmutable(), parts[1].ToImmutable(), parts[2].ToImmutable());
    }
}
