namespace Hone.Engine;

/// <summary>Builds the rows of a <see cref="PackedBatch"/> from sequences sorted by their tokens.</summary>
internal sealed class PrefixTree
{
    private readonly IReadOnlyList<TrainingSequence> _sequences;
    private readonly int[] _order;
    private readonly List<int> _tokens = [];
    private readonly List<int> _positions = [];
    private readonly List<PackedNode> _nodes = [];

    // For each sequence of the batch the nodes on its way from the root.
    private readonly List<int>[] _paths;

    private PrefixTree(IReadOnlyList<TrainingSequence> sequences, int[] order)
    {
        (_sequences, _order) = (sequences, order);
        _paths = [.. order.Select(_ => new List<int>())];
    }

    public static PackedBatch Build(IReadOnlyList<TrainingSequence> sequences, int[] order, bool sharePrefixes)
    {
        var tree = new PrefixTree(sequences, order);
        if (sharePrefixes) tree.AddRange(0, order.Length, 0, -1);
        else for (var i = 0; i < order.Length; i++) tree.AddNode(i, i + 1, 0, tree.InputLength(i), -1);
        return new PackedBatch([.. tree._tokens], [.. tree._positions], [.. tree._nodes], [.. tree.Targets()], order);
    }

    /// <summary>Number of leading input rows that two sequences have in common (their last tokens are not inputs).</summary>
    public static int SharedPrefix(int[] left, int[] right) =>
        left.AsSpan(0, left.Length - 1).CommonPrefixLength(right.AsSpan(0, right.Length - 1));

    private int InputLength(int index) => _sequences[_order[index]].Tokens.Length - 1;

    // Sequences [from, to) have the inputs before depth in common, which are the nodes up to parent.
    private void AddRange(int from, int to, int depth, int parent)
    {
        while (from < to)
        {
            // Inputs of sorted sequences: neighbours that share enough form a group that shares enough.
            var (end, common) = (from + 1, InputLength(from));
            while (end < to)
            {
                var shared = SharedPrefix(_sequences[_order[end - 1]].Tokens, _sequences[_order[end]].Tokens);
                if (shared < depth + PackedBatch.MinimumSharedPrefix) break;
                common = Math.Min(common, shared);
                end++;
            }

            var node = AddNode(from, end, depth, common, parent);
            if (end - from > 1) AddRange(from, end, common, node);
            from = end;
        }
    }

    private int AddNode(int from, int to, int depth, int end, int parent)
    {
        if (end <= depth) return parent;
        var tokens = _sequences[_order[from]].Tokens;
        _nodes.Add(new PackedNode(_tokens.Count, end - depth, parent, depth));
        for (var position = depth; position < end; position++)
        {
            _tokens.Add(tokens[position]);
            _positions.Add(position);
        }

        for (var i = from; i < to; i++) _paths[i].Add(_nodes.Count - 1);
        return _nodes.Count - 1;
    }

    private IEnumerable<PackedTarget> Targets()
    {
        for (var i = 0; i < _order.Length; i++)
        {
            var sequence = _sequences[_order[i]];
            var step = 0;
            for (var position = sequence.CompletionStart; position < sequence.Tokens.Length; position++)
            {
                while (_nodes[_paths[i][step]] is var passed && passed.FirstPosition + passed.Length < position) step++;
                var node = _nodes[_paths[i][step]];
                var row = node.Start + (position - 1 - node.FirstPosition);
                yield return new PackedTarget(row, sequence.Tokens[position], _order[i], position - sequence.CompletionStart);
            }
        }
    }
}
