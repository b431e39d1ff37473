namespace Hone.Engine;

/// <summary>Words as lists of token ids, with how often each adjacent pair occurs; kept up to date while pairs are merged.</summary>
internal sealed class PairCounts
{
    private readonly List<(List<int> Symbols, long Count)> _words = [];
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _wordsOfPair = [];

    // Most frequent first, then lower ids. Entries may be stale: a pair is queued anew whenever its count changes.
    private readonly PriorityQueue<(int Left, int Right, long Count), (long NegativeCount, int Left, int Right)> _queue = new();

    /// <summary>Adds a word.</summary>
    public void Add(List<int> symbols, long count)
    {
        var word = _words.Count;
        _words.Add((symbols, count));
        for (var i = 0; i + 1 < symbols.Count; i++) Change((symbols[i], symbols[i + 1]), word, count);
    }

    /// <summary>Takes the pair to merge next off the list; false when none is frequent enough.</summary>
    public bool TryTakeBest(int minimumFrequency, out (int Left, int Right) pair)
    {
        while (_queue.TryDequeue(out var entry, out _))
        {
            pair = (entry.Left, entry.Right);
            if (_counts.GetValueOrDefault(pair) != entry.Count || entry.Count < minimumFrequency) continue;
            return true;
        }
        pair = default;
        return false;
    }

    /// <summary>Replaces every occurrence of a pair by a new id.</summary>
    public void Merge(int left, int right, int merged)
    {
        var pair = (left, right);
        if (!_wordsOfPair.Remove(pair, out var words)) return;
        foreach (var word in words.Order())
        {
            var (symbols, count) = _words[word];
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                if (symbols[i] != left || symbols[i + 1] != right) continue;
                if (i > 0) Change((symbols[i - 1], left), word, -count);
                if (i + 2 < symbols.Count) Change((right, symbols[i + 2]), word, -count);
                symbols[i] = merged;
                symbols.RemoveAt(i + 1);
                if (i > 0) Change((symbols[i - 1], merged), word, count);
                if (i + 1 < symbols.Count) Change((merged, symbols[i + 1]), word, count);
            }
        }
        _counts.Remove(pair);
    }

    private void Change((int Left, int Right) pair, int word, long count)
    {
        var total = _counts.GetValueOrDefault(pair) + count;
        _counts[pair] = total;
        if (count > 0)
        {
            if (!_wordsOfPair.TryGetValue(pair, out var words)) _wordsOfPair[pair] = words = [];
            words.Add(word);
        }
        if (total > 0) _queue.Enqueue((pair.Left, pair.Right, total), (-total, pair.Left, pair.Right));
    }
}
