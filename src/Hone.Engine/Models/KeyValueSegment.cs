namespace Hone.Engine;

/// <summary>
/// Keys and values of a run of positions of one sequence. Segments form a tree: <see cref="Parent"/> (with its own parents) holds the positions
/// [0, <see cref="Start"/>), which are read and never copied. A child may begin before its parent's end: it then sees the parent's first positions
/// only.
/// </summary>
internal sealed class KeyValueSegment : IDisposable
{
    private readonly KeyValuePool _pool;
    private readonly List<FloatBuffer> _blocks = [];

    /// <param name="pool">Where the memory comes from.</param>
    /// <param name="parent">The segment with the positions before <paramref name="start"/>, or null for a root.</param>
    /// <param name="start">First position of this segment; by default the parent's end.</param>
    public KeyValueSegment(KeyValuePool pool, KeyValueSegment? parent = null, int? start = null)
    {
        _pool = pool;
        Parent = parent;
        Start = start ?? parent?.End ?? 0;
        if (Start < (parent?.Start ?? 0) || (parent is null && Start != 0))
            throw new ArgumentOutOfRangeException(nameof(start), start,
                $"A segment starts within or right after its parent ({parent?.Start ?? 0} … {parent?.End ?? 0}).");
    }

    public KeyValueSegment? Parent { get; }

    /// <summary>First position that this segment holds.</summary>
    public int Start { get; }

    /// <summary>Number of positions written so far. <see cref="InferenceModel.Forward"/> raises it; lower it to forget the last positions.</summary>
    public int Length { get; set; }

    /// <summary>One past the last position written.</summary>
    public int End => Start + Length;

    /// <summary>Makes room for <paramref name="length"/> positions in this segment; growing takes blocks from the pool and moves nothing.</summary>
    public void Reserve(int length)
    {
        while (_blocks.Count * KeyValuePool.BlockPositions < length) _blocks.Add(_pool.Rent());
    }

    /// <summary>Gives the memory back to the pool; the segment is empty afterwards. No child may use it any more.</summary>
    public void Dispose()
    {
        foreach (var block in _blocks) _pool.Return(block);
        _blocks.Clear();
        Length = 0;
    }

    internal FloatBuffer Block(int index) => _blocks[index];
}
