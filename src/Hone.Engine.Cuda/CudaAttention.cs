using System.Runtime.InteropServices;

namespace Hone.Engine.Cuda;

/// <summary>Attention over packed prefix trees by the kernels of <c>attention.cu</c>.</summary>
internal sealed unsafe class CudaAttention(
    CudaContext context, IKernels kernels, AttentionFunctions functions, int headCount, int keyValueHeadCount, int headWidth) : IBlockAttention
{
    private const int Threads = 256, Warp = 32;

    private readonly float _scale = 1f / MathF.Sqrt(headWidth);
    private CudaBuffer? _numbers, _means;
    private int _rows;

    // A tile's root and its largest end follow the ends of the rows.
    private int Tiles => (_rows + functions.Tile - 1) / functions.Tile;

    private int* Ends => (int*)_numbers!.Pointer;

    private int* Roots => Ends + _rows;

    private int* TileEnds => Roots + Tiles;

    public void Bind(ReadOnlySpan<RowNode> nodes)
    {
        _rows = nodes.IsEmpty ? 0 : nodes[^1].Start + nodes[^1].Length;
        if (_rows == 0) return;
        var all = new int[_rows + 2 * Tiles];
        Describe(nodes, functions.Tile, all.AsSpan(0, _rows), all.AsSpan(_rows, Tiles), all.AsSpan(_rows + Tiles));
        Ensure(ref _numbers, all.Length);
        Ensure(ref _means, (long)_rows * headCount);
        kernels.CopyIn(MemoryMarshal.Cast<int, float>(all), _numbers!.Pointer);
    }

    public void Forward(AttentionView view) => context.Launch(
        functions.Forward, new Grid(Tiles, Threads, headCount, SharedBytes: functions.ForwardBytes), view.Fused, view.Output, view.LogSumExp, Ends,
        Roots, TileEnds, _rows, headCount, keyValueHeadCount, _scale);

    public void Backward(AttentionView view, float* outputGradient, float* fusedGradient)
    {
        var vectors = (long)_rows * headCount;
        context.Launch(
            functions.Means, new Grid((vectors + Threads / Warp - 1) / (Threads / Warp), Threads), checked((int)vectors), view.Output, outputGradient,
            _means!.Pointer);
        context.Launch(
            functions.BackwardQueries, new Grid(Tiles, Threads, headCount, SharedBytes: functions.BackwardBytes), view.Fused, outputGradient,
            view.LogSumExp, _means.Pointer, fusedGradient, Ends, Roots, TileEnds, _rows, headCount, keyValueHeadCount, _scale);
        context.Launch(
            functions.BackwardKeys, new Grid(Tiles, Threads, keyValueHeadCount, SharedBytes: functions.BackwardBytes), view.Fused, outputGradient,
            view.LogSumExp, _means.Pointer, fusedGradient, Ends, TileEnds, _rows, headCount, keyValueHeadCount, _scale);
    }

    public void Dispose()
    {
        _numbers?.Dispose();
        _means?.Dispose();
    }

    /// <summary>
    /// For every row the end of its node's subtree, for every tile of rows the first row of the text that its first row belongs to and the largest end
    /// in it. A row is seen by the rows from itself up to its end, because subtrees lie in one piece.
    /// </summary>
    internal static void Describe(ReadOnlySpan<RowNode> nodes, int tile, Span<int> ends, Span<int> roots, Span<int> tileEnds)
    {
        var (nodeEnds, nodeRoots) = (new int[nodes.Length], new int[nodes.Length]);
        for (var i = 0; i < nodes.Length; i++)
        {
            var (start, length, parent) = nodes[i];
            if (start != (i == 0 ? 0 : nodes[i - 1].Start + nodes[i - 1].Length))
                throw new ArgumentException($"Node {i} begins at row {start}; nodes must follow one another without gaps.", nameof(nodes));
            if (parent >= 0 && nodeEnds[parent] != start)
                throw new ArgumentException($"Node {i} is apart from the other descendants of node {parent}; nodes must be in preorder.", nameof(nodes));
            (nodeEnds[i], nodeRoots[i]) = (start + length, parent < 0 ? start : nodeRoots[parent]);
            for (var above = parent; above >= 0; above = nodes[above].Parent) nodeEnds[above] = start + length;
        }

        for (var i = 0; i < nodes.Length; i++)
        {
            for (var row = nodes[i].Start; row < nodes[i].Start + nodes[i].Length; row++)
            {
                ends[row] = nodeEnds[i];
                if (row % tile == 0) roots[row / tile] = nodeRoots[i];
                tileEnds[row / tile] = Math.Max(tileEnds[row / tile], nodeEnds[i]);
            }
        }
    }

    private void Ensure(ref CudaBuffer? buffer, long length)
    {
        if (buffer is not null && buffer.Capacity >= length) return;
        buffer?.Dispose();
        buffer = new CudaBuffer(context, length);
    }
}
