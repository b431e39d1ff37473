using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Every point once, in order; then nothing more.</summary>
/// <param name="space">The space.</param>
public sealed class ExhaustiveSampler(SearchSpace space) : ISearchSampler
{
    private readonly SamplerMemory memory = new(space ?? throw new ArgumentNullException(nameof(space)), folds: true);

    /// <inheritdoc/>
    public IReadOnlyList<ImmutableArray<int>> Suggest(int count)
    {
        ImmutableArray<int>[] points = [.. memory.Space.Points().Where(point => !memory.IsTried(point)).Take(count)];
        foreach (var point in points)
            memory.Suggest(point);
        return points;
    }

    /// <inheritdoc/>
    public void Observe(SearchObservation observation) => memory.Observe(observation);

    /// <inheritdoc/>
    public string Snapshot() => memory.Write();

    /// <inheritdoc/>
    public void Restore(string snapshot) => memory.Read(snapshot);
}
