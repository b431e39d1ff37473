using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Chooses which points of a discrete space a search tries next. Deterministic: the same seed and observations give the same points.</summary>
public interface ISearchSampler
{
    /// <summary>Points to try, side by side; fewer when the sampler has nothing left to try.</summary>
    /// <param name="count">How many.</param>
    IReadOnlyList<ImmutableArray<int>> Suggest(int count);

    /// <summary>Tells what a point was worth, suggested or not.</summary>
    void Observe(SearchObservation observation);

    /// <summary>All that the sampler knows, as text.</summary>
    string Snapshot();

    /// <summary>Goes on from a snapshot of a sampler with the same settings.</summary>
    /// <exception cref="HoneException">The text is no snapshot of this space.</exception>
    void Restore(string snapshot);
}

/// <summary>What a point was worth.</summary>
/// <param name="Choices">The point: a choice for every variable.</param>
/// <param name="Mean">Its mean score; higher is better.</param>
/// <param name="Examples">Examples that the mean is over.</param>
public sealed record SearchObservation(ImmutableArray<int> Choices, double Mean, int Examples)
{
    /// <summary>True when nothing more can be learned of the point: it was scored on the whole set.</summary>
    public bool IsFull { get; init; }
}

/// <summary>A space of categorical variables.</summary>
public sealed class SearchSpace
{
    /// <summary>Creates a space.</summary>
    /// <param name="choices">How many choices each variable has.</param>
    public SearchSpace(params ImmutableArray<int> choices)
    {
        foreach (var count in choices)
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(choices));
        Choices = choices;
        long size = 1;
        foreach (var count in choices)
            size = size > long.MaxValue / count ? long.MaxValue : size * count;
        Size = size;
    }

    /// <summary>How many choices each variable has.</summary>
    public ImmutableArray<int> Choices { get; }

    /// <summary>Points in the space; <see cref="long.MaxValue"/> stands for more than can be counted.</summary>
    public long Size { get; }

    /// <summary>All points; the last variable changes fastest.</summary>
    public IEnumerable<ImmutableArray<int>> Points()
    {
        var point = new int[Choices.Length];
        while (true)
        {
            yield return [.. point];
            var i = point.Length - 1;
            while (i >= 0 && ++point[i] == Choices[i])
                point[i--] = 0;
            if (i < 0)
                yield break;
        }
    }

    internal ImmutableArray<int> Draw(Random random) => [.. Choices.Select(count => count == 1 ? 0 : random.Next(count))];

    internal bool Has(ImmutableArray<int> point) => point.Length == Choices.Length && point.Zip(Choices).All(pair => pair.First >= 0 && pair.First < pair.Second);
}
