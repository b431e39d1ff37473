using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>Which candidates are best at each thing that they are compared at.</summary>
internal sealed class ParetoFronts(FrontType type)
{
    private readonly List<Front> fronts = [];
    private readonly Dictionary<string, Front> byKey = new(StringComparer.Ordinal);

    /// <summary>Candidates by what they are best at, in the order in which the things were met.</summary>
    public ImmutableArray<ImmutableArray<int>> Members => [.. fronts.Select(front => front.Best.ToImmutableArray())];

    public ImmutableSortedDictionary<string, ImmutableArray<int>> ByKey =>
        fronts.ToImmutableSortedDictionary(front => front.Key, front => front.Best.ToImmutableArray(), StringComparer.Ordinal);

    /// <summary>Enters a candidate; true when a front has changed.</summary>
    /// <param name="candidate">Its number.</param>
    /// <param name="scores">Its scores on the selection set.</param>
    /// <exception cref="HoneException">Objectives are compared and the scores name none.</exception>
    public bool Add(int candidate, IReadOnlyList<Score> scores)
    {
        if (type != FrontType.Instance && scores.All(score => score.Parts.IsEmpty))
            throw new HoneException(
                $"{nameof(GepaOptions.Front)} is {type}, which compares objectives, but the metric names none. Give them as {nameof(Score)}.{nameof(Score.Parts)}, or compare by {FrontType.Instance}.");
        var hasChanged = false;
        if (type is FrontType.Instance or FrontType.Hybrid)
        {
            for (var i = 0; i < scores.Count; i++)
                hasChanged |= Enter(FormattableString.Invariant($"example {i}"), candidate, scores[i].Value);
        }

        if (type is FrontType.Objective or FrontType.Hybrid)
        {
            foreach (var (name, mean) in Objectives(scores))
                hasChanged |= Enter(name, candidate, mean);
        }

        if (type is FrontType.Cartesian)
        {
            for (var i = 0; i < scores.Count; i++)
            {
                foreach (var (name, value) in scores[i].Parts.OrderBy(part => part.Key, StringComparer.Ordinal))
                    hasChanged |= Enter(FormattableString.Invariant($"example {i}, {name}"), candidate, value);
            }
        }

        return hasChanged;
    }

    /// <summary>Means by objective over the examples that report it.</summary>
    public static IEnumerable<(string Name, double Mean)> Objectives(IReadOnlyList<Score> scores) => scores.SelectMany(score => score.Parts)
        .GroupBy(part => part.Key, StringComparer.Ordinal)
        .OrderBy(part => part.Key, StringComparer.Ordinal)
        .Select(part => (part.Key, part.Average(entry => entry.Value)));

    /// <summary>
    /// Drops candidates that are not needed: from the lowest mean up, the first whose every front also holds another one, again and again.
    /// </summary>
    /// <param name="fronts">Candidates by what they are best at.</param>
    /// <param name="means">Mean by candidate.</param>
    /// <returns>The fronts with the candidates that are left.</returns>
    public static ImmutableArray<ImmutableArray<int>> Prune(IReadOnlyList<ImmutableArray<int>> fronts, IReadOnlyList<double> means)
    {
        var left = fronts.SelectMany(front => front).Distinct().OrderBy(candidate => means[candidate]).ThenBy(candidate => candidate).ToList();
        for (var i = 0; i < left.Count;)
        {
            if (fronts.All(front => !front.Contains(left[i]) || front.Any(other => other != left[i] && left.Contains(other))))
            {
                left.RemoveAt(i);
                i = 0;
            }
            else
            {
                i++;
            }
        }

        return [.. fronts.Select(front => front.Where(left.Contains).ToImmutableArray())];
    }

    private bool Enter(string key, int candidate, double score)
    {
        if (!byKey.TryGetValue(key, out var front))
        {
            byKey.Add(key, front = new(key));
            fronts.Add(front);
        }

        if (front.Best.Count > 0 && score < front.Score)
            return false;
        if (front.Best.Count > 0 && score > front.Score)
            front.Best.Clear();
        front.Score = score;
        front.Best.Add(candidate);
        return true;
    }

    private sealed class Front(string key)
    {
        public string Key { get; } = key;

        public double Score { get; set; }

        public List<int> Best { get; } = [];
    }
}
