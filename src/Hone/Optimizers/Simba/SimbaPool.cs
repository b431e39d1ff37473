namespace Hone.Optimizers;

/// <summary>
/// The programs that SIMBA draws from. Batches differ in difficulty, so a program counts by how much better it was than the program as it came on the
/// same examples: what was measured on different batches can then be compared. Draws depend on differences alone.
/// </summary>
internal sealed class SimbaPool<TIn, TOut>(SearchCandidate<TIn, TOut> baseline)
{
    private readonly List<(SearchCandidate<TIn, TOut> Candidate, double Gain)> entries = [(baseline, 0)];

    public void Add(SearchCandidate<TIn, TOut> candidate, double gain) => entries.Add((candidate, gain));

    /// <summary>The best programs with their gains, best first, the earliest of equals; the baseline is always among them.</summary>
    public IReadOnlyList<(SearchCandidate<TIn, TOut> Candidate, double Score)> Top(int count)
    {
        var best = entries.Select((entry, index) => (entry.Candidate, entry.Gain, index))
            .OrderByDescending(entry => entry.Gain).ThenBy(entry => entry.index).Take(count).ToList();
        if (best.All(entry => entry.index != 0))
            best[^1] = (entries[0].Candidate, entries[0].Gain, 0);
        return [.. best.Select(entry => (entry.Candidate, entry.Gain))];
    }
}
