using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Points at random.</summary>
/// <param name="space">The space.</param>
/// <param name="seed">Seed of the draws.</param>
/// <param name="isDistinct">True does not repeat a point while others are untried.</param>
public sealed class RandomSampler(SearchSpace space, long seed, bool isDistinct = true) : ISearchSampler
{
    private readonly SamplerMemory memory = new(space ?? throw new ArgumentNullException(nameof(space)), folds: true);

    /// <inheritdoc/>
    public IReadOnlyList<ImmutableArray<int>> Suggest(int count)
    {
        var points = new List<ImmutableArray<int>>();
        while (points.Count < count)
        {
            var random = new SeedStream(seed).Derive("suggestion", memory.Suggested).CreateRandom();
            points.Add((isDistinct ? memory.DrawUntried(random) : null) ?? memory.Space.Draw(random));
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
}
