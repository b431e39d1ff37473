using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>All candidates of a run that were scored on the whole selection set or, without one, offered as its result; 0 is the program as it came.</summary>
internal sealed class CandidateLedger<TIn, TOut>
{
    private readonly List<(SearchCandidate<TIn, TOut> Candidate, OptimizationCandidate Entry, SearchScore<TIn, TOut>? Score)> entries = [];

    public int Count => entries.Count;

    public ImmutableArray<OptimizationCandidate> Entries => [.. entries.Select(entry => entry.Entry)];

    /// <summary>The highest mean; the earliest of equals. Without scores, the last one offered.</summary>
    public int BestIndex
    {
        get
        {
            var best = 0;
            for (var i = 1; i < entries.Count; i++)
            {
                if (entries[i].Entry.Score is not { } score || score > entries[best].Entry.Score)
                    best = i;
            }

            return best;
        }
    }

    public SearchCandidate<TIn, TOut> this[int index] => entries[index].Candidate;

    /// <summary>Its runs on the selection set; null without one.</summary>
    public SearchScore<TIn, TOut>? ScoreOf(int index) => entries[index].Score;

    /// <summary>The entry of a candidate; null when it has none.</summary>
    public OptimizationCandidate? Find(string key) => entries.Find(entry => entry.Candidate.Key == key).Entry;

    public OptimizationCandidate Add(SearchCandidate<TIn, TOut> candidate, SearchScore<TIn, TOut>? score, long programRuns)
    {
        var entry = new OptimizationCandidate(entries.Count, candidate.State, candidate.Origin)
        {
            Parents = candidate.Parents,
            Notes = candidate.Notes,
            Score = score?.Mean,
            Scores = score is null ? [] : [.. score.Scores],
            Parts = score?.Parts ?? ImmutableSortedDictionary<string, double>.Empty,
            Usage = score?.Usage ?? default,
            ProgramRunsBy = programRuns,
        };
        entries.Add((candidate, entry, score));
        return entry;
    }
}
