namespace Hone.Engine;

/// <content>Operands whose parts lie far apart in memory are copied together before many tiles read them. The values stay what they are.</content>
internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    // From here on the tiles win more than the copy costs. Measured on rows of 1.5 to 4.6 kB.
    private const int GatherFromRows = 96;

    // With a depth of 256, a megabyte of panels.
    private const int GatherColumns = 1024;

    [ThreadStatic]
    private static NativeBuffer? _gatheredRows;

    [ThreadStatic]
    private static NativeBuffer? _gatheredPanels;

    // Rows of a matrix as panels touch a page, and in widths of powers of two the same lines of the cache, at every step; bfloat16 is converted by every tile.
    private bool IsWorthGathering(int rows, in PanelView b) =>
        rows >= GatherFromRows && (b.Format != PanelFormat.Single || b.StepStride != PanelWidth * sizeof(float));

    // A left operand read down its columns touches a page per step. A block of it, copied together, is read by every panel.
    private static void GatherRows(ref Tile tile, int rows, nint stepStride)
    {
        var target = (_gatheredRows ??= new NativeBuffer(RowBlock * DepthBlock)).Pointer;
        var source = tile.A;
        (tile.StepA, tile.RowA) = (RowBlock, 1);
        for (var step = 0; step < tile.Depth; step++, source += stepStride)
            new ReadOnlySpan<float>(source, rows).CopyTo(new Span<float>(target + step * RowBlock, rows));
        tile.A = target;
    }

    private byte* GatherPanels<TStored>(ref Tile tile, byte* source, in PanelView stored, int columns)
        where TStored : struct, IPanel<TVector>
    {
        var target = (_gatheredPanels ??= new NativeBuffer(GatherColumns * DepthBlock)).Pointer;
        (int depth, int panelWidth) = (tile.Depth, PanelWidth);
        (tile.StepB, tile.PanelB, tile.Ahead) = (panelWidth * sizeof(float), (nint)panelWidth * depth * sizeof(float), 0);
        var to = target;
        for (var panel = 0; panel < columns; panel += panelWidth, source += stored.PanelStride)
        {
            var from = source;
            for (var step = 0; step < depth; step++, from += stored.StepStride, to += panelWidth)
            {
                TSimd.Store(TStored.First(from), to);
                TSimd.Store(TStored.Second(from), to + TSimd.Count);
            }
        }

        return (byte*)target;
    }
}
