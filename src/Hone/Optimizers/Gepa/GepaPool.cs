using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What a search has found so far, for those who choose parents, texts and when to stop.</summary>
public sealed class GepaPool
{
    private readonly ParetoFronts fronts;
    private readonly List<OptimizationCandidate> candidates = [];
    private readonly List<ImmutableArray<string>> texts = [];
    private readonly List<int> nextComponents = [];

    internal GepaPool(ImmutableArray<string> components, FrontType front) => (Components, fronts) = (components, new(front));

    /// <summary>Names of the texts that are changed, in order.</summary>
    public ImmutableArray<string> Components { get; }

    /// <summary>All candidates; 0 is the program as it came.</summary>
    public IReadOnlyList<OptimizationCandidate> Candidates => candidates;

    /// <summary>Candidates by what they are best at: an example, an objective.</summary>
    public ImmutableArray<ImmutableArray<int>> Fronts => fronts.Members;

    /// <summary>The candidate with the highest mean, the earliest of equals.</summary>
    public int Best
    {
        get
        {
            var best = 0;
            for (var i = 1; i < candidates.Count; i++)
                best = Mean(i) > Mean(best) ? i : best;
            return best;
        }
    }

    /// <summary>A candidate's mean on the validation set.</summary>
    public double Mean(int candidate) => candidates[candidate].Score ?? double.NegativeInfinity;

    /// <summary>A candidate's texts, in the order of <see cref="Components"/>.</summary>
    public ImmutableArray<string> Texts(int candidate) => texts[candidate];

    /// <summary>The fronts without candidates that none of them needs.</summary>
    public ImmutableArray<ImmutableArray<int>> PrunedFronts() => ParetoFronts.Prune(Fronts, [.. candidates.Select(candidate => Mean(candidate.Index))]);

    internal ImmutableSortedDictionary<string, ImmutableArray<int>> FrontsByKey => fronts.ByKey;

    /// <summary>True when a candidate has these texts.</summary>
    internal bool Contains(IReadOnlyList<string> known) => texts.Exists(candidate => candidate.AsSpan().SequenceEqual(known.ToArray()));

    /// <summary>Enters a candidate; true when a front has changed.</summary>
    internal bool Add(OptimizationCandidate candidate, ImmutableArray<string> itsTexts, IReadOnlyList<Score> scores)
    {
        candidates.Add(candidate);
        texts.Add(itsTexts);
        nextComponents.Add(candidate.Parents.Length == 0 ? 0 : candidate.Parents.Max(parent => nextComponents[parent]));
        return fronts.Add(candidate.Index, scores);
    }

    /// <summary>The component whose turn it is for a parent; the next one's turn comes before its children inherit it.</summary>
    internal string TakeTurn(int parent)
    {
        var turn = nextComponents[parent];
        nextComponents[parent] = (turn + 1) % Components.Length;
        return Components[turn];
    }

    /// <summary>Candidates that one was made from, directly or not.</summary>
    internal HashSet<int> AncestorsOf(int candidate)
    {
        var found = new HashSet<int>();
        var open = new Stack<int>(candidates[candidate].Parents);
        while (open.TryPop(out var parent))
        {
            if (!found.Add(parent))
                continue;
            foreach (var further in candidates[parent].Parents)
                open.Push(further);
        }

        return found;
    }
}
