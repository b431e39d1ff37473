namespace Hone.Engine;

/// <summary>
/// Keys and values of past and running requests of one worker, as a tree by token prefix: a new request continues the longest run of tokens that
/// is there. A node keeps its memory while it is used by a request or has children; the rest goes, least recently used first, when the budget is
/// exceeded. Not thread-safe.
/// </summary>
internal sealed class PrefixCache : IDisposable
{
    private readonly KeyValuePool _pool;
    private readonly long _maxBlocks;
    private readonly PrefixNode _root = new(null, null, [], 0);
    private readonly LinkedList<PrefixNode> _idle = new(); // least recently used first
    private long _blocks;

    /// <param name="pool">Where segments take memory from.</param>
    /// <param name="maxBlocks">Blocks of finished requests that may be kept; with none, nothing is reused.</param>
    public PrefixCache(KeyValuePool pool, long maxBlocks) => (_pool, _maxBlocks) = (pool, maxBlocks);

    /// <summary>
    /// Takes a node for a prompt, starting where the longest known prefix ends; the last prompt token is always left to compute, because its
    /// logits are wanted. The node keeps its ancestors alive until <see cref="Release"/>.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="spare">Tokens to have room for beside the prompt's.</param>
    public PrefixNode Acquire(int[] prompt, int spare)
    {
        var (parent, length) = _maxBlocks > 0 ? Longest(_root, 0, prompt) : (_root, 0);
        var node = new PrefixNode(parent, new KeyValueSegment(_pool, parent.Segment, length), prompt.AsSpan(length), spare);
        parent.AddChild(node);
        Use(parent);
        node.Users = 1;
        return node;
    }

    /// <summary>Ends a request's use of its node. What was computed stays for others as long as the budget allows.</summary>
    /// <param name="node">The node of the request.</param>
    /// <param name="keep">False to forget it, as after an error.</param>
    public void Release(PrefixNode node, bool keep)
    {
        node.TrimToComputed();
        _blocks += node.Blocks;
        node.IsForgotten = !keep || node.Length == 0;
        Unuse(node);
        while (_blocks > _maxBlocks && _idle.First is { } oldest) Remove(oldest.Value);
    }

    /// <summary>Forgets everything; no request may be using the tree.</summary>
    public void Clear()
    {
        while (_idle.First is { } oldest) Remove(oldest.Value);
    }

    public void Dispose() => Clear();

    private static (PrefixNode Node, int Length) Longest(PrefixNode node, int matched, int[] prompt)
    {
        // At most all but the last prompt token can be taken over.
        var limit = prompt.Length - 1;
        var own = matched;
        while (own < limit && own < node.End && node.TokenAt(own) == prompt[own]) own++;
        var best = (node, own);
        for (var at = node.Start; at <= own && at < limit; at++)
        {
            foreach (var child in node.ChildrenAt(at, prompt[at]))
            {
                var found = Longest(child, at, prompt);
                if (found.Length > best.own) best = found;
            }
        }
        return best;
    }

    private void Use(PrefixNode node)
    {
        if (node.Users++ == 0 && node.Idle is { } idle)
        {
            _idle.Remove(idle);
            node.Idle = null;
        }
    }

    private void Unuse(PrefixNode node)
    {
        if (--node.Users > 0 || node.Parent is null) return;
        node.Idle = _idle.AddLast(node);
        if (node.IsForgotten) Remove(node);
    }

    private void Remove(PrefixNode node)
    {
        _idle.Remove(node.Idle!);
        node.Idle = null;
        _blocks -= node.Blocks;
        node.Segment!.Dispose();
        node.Parent!.RemoveChild(node);
        Unuse(node.Parent);
    }
}
