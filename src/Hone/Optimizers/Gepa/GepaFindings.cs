using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Adds to a result what its candidates are best at.</summary>
internal static class GepaFindings
{
    public static GepaResult<TIn, TOut> Of<TIn, TOut>(
        OptimizationResult<TIn, TOut> result, SearchRun<TIn, TOut> search, GepaSpending spending, bool tracksOutputs)
    {
        var runs = Enumerable.Range(0, search.Ledger.Count).Select(search.Ledger.ScoreOf).OfType<SearchScore<TIn, TOut>>().Select(score => score.Runs).ToArray();
        var examples = runs.Length == 0 ? 0 : runs[0].Count;
        ImmutableArray<double> highest = [.. Enumerable.Range(0, examples).Select(i => runs.Max(run => run[i].Score.Value))];
        ImmutableArray<ImmutableArray<int>> best =
            [.. Enumerable.Range(0, examples).Select(i => Where(runs.Length, candidate => runs[candidate][i].Score.Value == highest[i]))];
        var objectives = result.Candidates.SelectMany(candidate => candidate.Parts.Keys).Distinct(StringComparer.Ordinal)
            .ToImmutableSortedDictionary(name => name, name => result.Candidates.Max(candidate => candidate.Parts.GetValueOrDefault(name, double.NegativeInfinity)), StringComparer.Ordinal);
        return new(result)
        {
            MetricCalls = spending.Used,
            Iterations = spending.Iterations,
            Proposals = spending.Proposals,
            DiscoveredAt = [.. spending.DiscoveredAt.Take(result.Candidates.Length)],
            HighestScores = highest,
            BestByExample = best,
            ObjectiveFront = objectives,
            BestByObjective = objectives.ToImmutableSortedDictionary(
                objective => objective.Key,
                objective => Where(result.Candidates.Length, i => result.Candidates[i].Parts.TryGetValue(objective.Key, out var mean) && mean == objective.Value),
                StringComparer.Ordinal),
            BestOutputs = tracksOutputs
                ? [.. best.Select((candidates, i) => candidates.Select(candidate => new BestOutput(candidate, highest[i], runs[candidate][i].Output)).ToImmutableArray())]
                : [],
        };
    }

    private static ImmutableArray<int> Where(int count, Func<int, bool> matches) => [.. Enumerable.Range(0, count).Where(matches)];
}

/// <summary>What a search has asked for. Evaluations are reserved before they are made: the limit is never exceeded.</summary>
internal sealed class GepaSpending(long limit)
{
    public long Limit => limit;

    public long Used { get; private set; }

    public long Remaining => limit - Used;

    public int Iterations { get; set; }

    public int Proposals { get; set; }

    public Usage Reflection { get; set; }

    /// <summary>By candidate: evaluations asked for before its own.</summary>
    public List<long> DiscoveredAt { get; } = [];

    /// <exception cref="InvalidOperationException">They were not there to be reserved.</exception>
    public void Reserve(long evaluations)
    {
        if (evaluations > Remaining)
            throw new InvalidOperationException($"{evaluations} evaluations are needed and {Remaining} are left.");
        Used += evaluations;
    }
}
