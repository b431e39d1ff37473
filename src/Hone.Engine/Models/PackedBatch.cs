namespace Hone.Engine;

/// <summary>A training text. Positions t ≥ <paramref name="CompletionStart"/> (at least 1) are predicted from t − 1.</summary>
internal readonly record struct TrainingSequence(int[] Tokens, int CompletionStart);

/// <summary>
/// A run of rows whose context is the chain of its parents; <paramref name="Parent"/> is −1 for a root and comes earlier otherwise.
/// </summary>
internal readonly record struct PackedNode(int Start, int Length, int Parent, int FirstPosition);

/// <summary>One token to predict: from which row, and which completion token of which sequence (index into the planned list) it is.</summary>
internal readonly record struct PackedTarget(int Row, int Token, int Sequence, int CompletionIndex);

/// <summary>
/// A microbatch as a prefix tree: token prefixes that sequences share are computed once, and gradients flow into them from every sequence. The last
/// token of a sequence is only predicted, so it has no row.
/// </summary>
internal sealed class PackedBatch
{
    /// <summary>Shortest prefix worth sharing, in tokens.</summary>
    public const int MinimumSharedPrefix = 16;

    internal PackedBatch(int[] tokens, int[] positions, PackedNode[] nodes, PackedTarget[] targets, int[] sequences)
    {
        (Tokens, Positions, Nodes, Targets, Sequences) = (tokens, positions, nodes, targets, sequences);
        var rows = new SortedSet<int>();
        foreach (var target in targets) rows.Add(target.Row);
        TargetRows = [.. rows];
        var slots = new Dictionary<int, int>(TargetRows.Length);
        for (var slot = 0; slot < TargetRows.Length; slot++) slots[TargetRows[slot]] = slot;
        TargetSlots = Array.ConvertAll(targets, target => slots[target.Row]);
        TargetOrder = [.. Enumerable.Range(0, targets.Length)];
        Array.Sort(TargetOrder, (left, right) => (TargetSlots[left], left).CompareTo((TargetSlots[right], right)));
    }

    /// <summary>Token of every row.</summary>
    public int[] Tokens { get; }

    /// <summary>Position of every row in its sequence.</summary>
    public int[] Positions { get; }

    /// <summary>The tree; parents before children, rows in node order.</summary>
    public IReadOnlyList<PackedNode> Nodes { get; }

    /// <summary>What is predicted, sequence by sequence in the order of <see cref="Sequences"/>, completion tokens ascending.</summary>
    public IReadOnlyList<PackedTarget> Targets { get; }

    /// <summary>Indices of the sequences in this batch, into the list given to <see cref="Plan"/>.</summary>
    public IReadOnlyList<int> Sequences { get; }

    public int RowCount => Tokens.Length;

    /// <summary>Rows that predict something, ascending, each once.</summary>
    internal int[] TargetRows { get; }

    /// <summary>For each target the index of its row in <see cref="TargetRows"/>.</summary>
    internal int[] TargetSlots { get; }

    /// <summary>Indices of the targets, ordered by the row that predicts them.</summary>
    internal int[] TargetOrder { get; }

    /// <summary>
    /// Splits sequences into batches of about <paramref name="rowBudget"/> rows (a longer sequence gets its own). Sequences are sorted by their
    /// tokens, so that those with common prefixes meet; one that shares more than it adds may overfill its batch by <paramref name="overflow"/> rows. The
    /// result depends on the arguments only; every sequence is in exactly one batch.
    /// </summary>
    public static IReadOnlyList<PackedBatch> Plan(IReadOnlyList<TrainingSequence> sequences, int rowBudget, bool sharePrefixes = true, int overflow = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowBudget);
        for (var i = 0; i < sequences.Count; i++)
        {
            if (sequences[i].CompletionStart < 1 || sequences[i].Tokens.Length < 1)
            {
                throw new ArgumentException(
                    $"Sequence {i} has {sequences[i].Tokens.Length} tokens and a completion from position {sequences[i].CompletionStart}; " +
                    "expected at least one prompt token, because nothing predicts the first.",
                    nameof(sequences));
            }
        }

        var order = Enumerable.Range(0, sequences.Count).ToArray();
        Array.Sort(order, (left, right) =>
        {
            var byTokens = sequences[left].Tokens.AsSpan().SequenceCompareTo(sequences[right].Tokens);
            return byTokens != 0 ? byTokens : left.CompareTo(right);
        });

        var batches = new List<PackedBatch>();
        var (first, rows) = (0, 0);
        for (var i = 0; i < order.Length; i++)
        {
            var length = sequences[order[i]].Tokens.Length - 1;
            var shared = i == first || !sharePrefixes ? 0 : PrefixTree.SharedPrefix(sequences[order[i - 1]].Tokens, sequences[order[i]].Tokens);
            var added = length - (shared >= MinimumSharedPrefix ? shared : 0);
            var limit = added < length - added ? rowBudget + overflow : rowBudget;
            if (i > first && rows + added > limit)
            {
                batches.Add(PrefixTree.Build(sequences, order[first..i], sharePrefixes));
                (first, rows, added) = (i, 0, length);
            }

            rows += added;
        }

        if (first < order.Length) batches.Add(PrefixTree.Build(sequences, order[first..], sharePrefixes));
        return batches;
    }
}
