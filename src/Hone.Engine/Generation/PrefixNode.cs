using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>A run of tokens after a parent's prefix, with their keys and values. Children may branch off at any position of it.</summary>
internal sealed class PrefixNode
{
    private readonly Dictionary<(int Position, int Token), List<PrefixNode>> _children = [];
    private int[] _tokens;
    private (int Position, int Token) _key;

    public PrefixNode(PrefixNode? parent, KeyValueSegment? segment, ReadOnlySpan<int> tokens, int spare)
    {
        Parent = parent;
        Segment = segment;
        Start = segment?.Start ?? 0;
        PlannedEnd = Start;
        _tokens = new int[tokens.Length + spare];
        tokens.CopyTo(_tokens);
        Length = tokens.Length;
    }

    public PrefixNode? Parent { get; }

    /// <summary>Keys and values; null for the root, which has no positions.</summary>
    public KeyValueSegment? Segment { get; }

    /// <summary>First position.</summary>
    public int Start { get; }

    /// <summary>Number of known tokens; the last ones may not be computed yet.</summary>
    public int Length { get; private set; }

    /// <summary>One past the last known position.</summary>
    public int End => Start + Length;

    /// <summary>One past the last position that is computed or part of the step being planned.</summary>
    public int PlannedEnd { get; set; }

    /// <summary>The request that owns the node while it runs, and the children.</summary>
    public int Users { get; set; }

    /// <summary>Whether it goes as soon as nothing uses it.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Its place among the unused nodes.</summary>
    public LinkedListNode<PrefixNode>? Idle { get; set; }

    /// <summary>Blocks of memory that the computed positions take.</summary>
    public int Blocks => (Length + KeyValuePool.BlockPositions - 1) / KeyValuePool.BlockPositions;

    public int TokenAt(int position) => _tokens[position - Start];

    public void Append(int token)
    {
        if (Length == _tokens.Length) Array.Resize(ref _tokens, Math.Max(16, Length * 2));
        _tokens[Length++] = token;
    }

    /// <summary>Forgets tokens that were never computed.</summary>
    public void TrimToComputed() => Length = Segment!.Length;

    public ReadOnlySpan<PrefixNode> ChildrenAt(int position, int token) =>
        _children.Count > 0 && _children.TryGetValue((position, token), out var children) ? CollectionsMarshal.AsSpan(children) : default;

    public void AddChild(PrefixNode child)
    {
        var key = (child.Start, child.TokenAt(child.Start));
        if (!_children.TryGetValue(key, out var children)) _children[key] = children = [];
        children.Add(child);
        child._key = key;
    }

    public void RemoveChild(PrefixNode child)
    {
        var children = _children[child._key];
        children.Remove(child);
        if (children.Count == 0) _children.Remove(child._key);
    }
}
