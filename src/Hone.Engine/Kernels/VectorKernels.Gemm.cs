namespace Hone.Engine;

internal abstract unsafe partial class VectorKernels
{
    /// <summary>
    /// C[rows, columns] = initial + A[rows, depth] · B[depth, columns]. The initial value is 0, or <paramref name="initial"/> with its row stride: a
    /// bias (stride 0), C itself (to accumulate), or another matrix (a residual). Every element is summed over depth in ascending order, starting
    /// from it.
    /// </summary>
    public abstract void Multiply(
        int rows, int columns, int depth, MatrixView a, PanelView b, float* c, nint rowStrideC, float* initial = null, nint rowStrideInitial = 0);

    /// <summary>Y [rows, outputs] = initial + X [rows, inputs] · Wᵀ, with W in panels.</summary>
    public void Project(int rows, float* x, PackedMatrix weights, float* y, float* initial = null, nint rowStrideInitial = 0) =>
        Multiply(
            rows, weights.Outputs, weights.Inputs, new MatrixView(x, weights.Inputs), weights.View, y, weights.Outputs, initial, rowStrideInitial);

    /// <summary>
    /// Packs W [columns, depth] (row stride <paramref name="stride"/>) as the right operand of X · Wᵀ. Missing columns of the last panel become 0.
    /// </summary>
    public void PackTransposed(float* weights, nint stride, int columns, int depth, float* panels)
    {
        for (var first = 0; first < columns; first += PanelWidth, panels += (nint)PanelWidth * depth)
        {
            var width = Math.Min(PanelWidth, columns - first);
            if (width < PanelWidth) new Span<float>(panels, PanelWidth * depth).Clear();
            TransposePanel(weights + first * stride, stride, width, depth, panels);
        }
    }

    /// <summary>
    /// The gradients of a low-rank update: dB [outputs, rank] += dYᵀ · inner and dA [rank, inputs] += dInnerᵀ · X, where inner = s X Aᵀ and
    /// dInner = s dY B, both [rows, rank]. Scratch: [rank, outputs].
    /// </summary>
    public void AddLowRankProducts(
        in LowRankUpdate update, int rows, float* dy, nint stride, float* x, float* inner, float* dInner, float* dDown, float* dUp, float* scratch)
    {
        var (rank, inputs, outputs) = (update.Rank, update.Inputs, update.Outputs);
        Multiply(rank, outputs, rows, new MatrixView(inner, 1, rank), RowMajor(dy, stride), scratch, outputs);
        for (var output = 0; output < outputs; output++)
        {
            for (var k = 0; k < rank; k++) dUp[(nint)output * rank + k] += scratch[(nint)k * outputs + output];
        }

        Multiply(rank, inputs, rows, new MatrixView(dInner, 1, rank), RowMajor(x, inputs), dDown, inputs, dDown, inputs);
    }

    private void TransposePanel(float* source, nint stride, int width, int depth, float* panel)
    {
        const int Block = 16; // A cache line of the source at a time.
        nint panelWidth = PanelWidth;
        for (var start = 0; start < depth; start += Block)
        {
            var end = Math.Min(depth, start + Block);
            for (var column = 0; column < width; column++)
            {
                var from = source + column * stride;
                var to = panel + start * panelWidth + column;
                for (var k = start; k < end; k++, to += panelWidth) *to = from[k];
            }
        }
    }
}

internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    private const int MaxTileRows = 12;
    private const int GroupPanels = 4;
    private const int RowBlock = 96;
    private const int DepthBlock = 256;

    private static readonly NativeBuffer Zeros = new(2L * TSimd.Count);

    public override void Multiply(
        int rows, int columns, int depth, MatrixView a, PanelView b, float* c, nint rowStrideC, float* initial = null, nint rowStrideInitial = 0)
    {
        if (b.Format == PanelFormat.Single) Multiply<SinglePanel>(rows, columns, depth, a, b, c, rowStrideC, initial, rowStrideInitial);
        else if (b.Format == PanelFormat.PairedHalves) Multiply<PairedPanel>(rows, columns, depth, a, b, c, rowStrideC, initial, rowStrideInitial);
        else Multiply<HalvesPanel>(rows, columns, depth, a, b, c, rowStrideC, initial, rowStrideInitial);
    }

    private void Multiply<TPanel>(
        int rows, int columns, int depth, MatrixView a, PanelView b, float* c, nint rowStrideC, float* initial, nint rowStrideInitial)
        where TPanel : struct, IPanel<TVector>
    {
        if (!IsWorthGathering(rows, b))
        {
            MultiplyColumns<TPanel, TPanel>(rows, columns, depth, a, b, c, rowStrideC, initial, rowStrideInitial);
            return;
        }

        for (var first = 0; first < columns; first += GatherColumns)
        {
            var count = Math.Min(GatherColumns, columns - first);
            MultiplyColumns<TPanel, SinglePanel>(
                rows, count, depth, a, b.From(first / PanelWidth), c + first, rowStrideC, initial is null ? null : initial + first, rowStrideInitial);
        }
    }

    // Panels are read as they are stored, or as they are gathered, once for all rows.
    private void MultiplyColumns<TStored, TPanel>(
        int rows, int columns, int depth, MatrixView a, PanelView b, float* c, nint rowStrideC, float* initial, nint rowStrideInitial)
        where TStored : struct, IPanel<TVector>
        where TPanel : struct, IPanel<TVector>
    {
        var tile = new Tile { StepB = b.StepStride, PanelB = b.PanelStride, Ahead = b.Ahead, RowC = rowStrideC, PanelC = PanelWidth };
        var isZero = initial is null;
        var isTransposed = a.RowStride == 1 && a.StepStride > RowBlock && columns > PanelWidth;
        if (isZero)
        {
            initial = Zeros.Pointer;
            rowStrideInitial = 0;
        }

        var start = 0;
        do
        {
            tile.Depth = Math.Min(DepthBlock, depth - start);
            tile.InitialRow = rowStrideInitial;
            tile.InitialPanel = isZero ? 0 : PanelWidth;
            var panels = b.Data + start * b.StepStride;
            if (IsWorthGathering(rows, b)) panels = GatherPanels<TStored>(ref tile, panels, b, columns);
            for (var row = 0; row < rows; row += RowBlock)
            {
                tile.StepA = a.StepStride;
                tile.RowA = a.RowStride;
                tile.A = a.Data + row * a.RowStride + start * a.StepStride;
                tile.B = panels;
                tile.C = c + row * rowStrideC;
                tile.Initial = initial + row * rowStrideInitial;
                var count = Math.Min(RowBlock, rows - row);
                if (isTransposed) GatherRows(ref tile, count, a.StepStride);
                MultiplyRowBlock<TPanel>(tile, count, columns);
            }

            start += DepthBlock;
            initial = c;
            rowStrideInitial = rowStrideC;
            isZero = false;
        }
        while (start < depth);
    }

    private void MultiplyRowBlock<TPanel>(Tile tile, int rows, int columns)
        where TPanel : struct, IPanel<TVector>
    {
        var panels = columns / PanelWidth;
        for (var first = 0; first < panels; first += GroupPanels)
        {
            var group = Math.Min(GroupPanels, panels - first);
            MultiplyGroup<TPanel>(tile, rows, group);
            tile.B += group * tile.PanelB;
            tile.C += group * tile.PanelC;
            tile.Initial += group * tile.InitialPanel;
        }

        var tail = columns - panels * PanelWidth;
        if (tail > 0) MultiplyTail<TPanel>(tile, rows, tail);
    }

    // The last, ragged panel goes through a small whole tile, so that nothing outside C is written.
    private void MultiplyTail<TPanel>(Tile tile, int rows, int columns)
        where TPanel : struct, IPanel<TVector>
    {
        var whole = stackalloc float[MaxTileRows * 2 * TSimd.Count];
        for (var row = 0; row < rows; row += MaxTileRows)
        {
            var count = Math.Min(MaxTileRows, rows - row);
            for (var i = 0; i < count; i++)
                new ReadOnlySpan<float>(tile.Initial + (row + i) * tile.InitialRow, columns).CopyTo(new Span<float>(whole + i * PanelWidth, columns));
            var inner = tile;
            inner.A += row * tile.RowA;
            inner.C = inner.Initial = whole;
            inner.RowC = inner.InitialRow = PanelWidth;
            MultiplyGroup<TPanel>(inner, count, 1);
            for (var i = 0; i < count; i++)
                new ReadOnlySpan<float>(whole + i * PanelWidth, columns).CopyTo(new Span<float>(tile.C + (row + i) * tile.RowC, columns));
        }
    }

    // A few panels at a time: they stay in the second-level cache while the block's rows pass over them.
    private static void MultiplyGroup<TPanel>(Tile tile, int rows, int panels)
        where TPanel : struct, IPanel<TVector>
    {
        var full = rows - rows % TSimd.TileRows;
        if (full > 0)
        {
            for (var panel = 0; panel < panels; panel++)
            {
                var at = OfPanel(tile, panel);
                for (var row = 0; row < full; row += TSimd.TileRows)
                {
                    if (TSimd.TileRows == 12) Rows12<TPanel>(at);
                    else Rows6<TPanel>(at);
                    Advance(ref at, TSimd.TileRows);
                }
            }

            Advance(ref tile, full);
        }

        rows -= full;
        if (rows >= 8) rows -= PanelByPanel<TPanel>(ref tile, panels, 8);
        if (rows >= 4) rows -= PanelByPanel<TPanel>(ref tile, panels, 4);
        if (tile.Ahead != 0) FewRows<TPanel, KnownNext>(tile, rows, panels);
        else FewRows<TPanel, UnknownNext>(tile, rows, panels);
    }

    private static int PanelByPanel<TPanel>(ref Tile tile, int panels, int rows)
        where TPanel : struct, IPanel<TVector>
    {
        for (var panel = 0; panel < panels; panel++)
        {
            if (rows == 8) Rows8<TPanel>(OfPanel(tile, panel));
            else Rows4<TPanel>(OfPanel(tile, panel));
        }

        Advance(ref tile, rows);
        return rows;
    }

    // Up to three rows take little longer than their panels take to arrive.
    private static void FewRows<TPanel, TNext>(Tile tile, int rows, int panels)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        if (rows >= 2)
        {
            TwoRows<TPanel, TNext>(tile, panels);
            Advance(ref tile, 2);
        }

        if (rows % 2 > 0) OneRow<TPanel, TNext>(tile, panels);
    }

    private static void TwoRows<TPanel, TNext>(Tile tile, int panels)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var panel = 0;
        for (; panel + 2 <= panels; panel += 2) Rows2Panels2<TPanel, TNext>(OfPanel(tile, panel));
        if (panel < panels) Rows2<TPanel, TNext>(OfPanel(tile, panel));
    }

    private static void OneRow<TPanel, TNext>(Tile tile, int panels)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var panel = 0;
        for (; panel + 4 <= panels; panel += 4) Rows1Panels4<TPanel, TNext>(OfPanel(tile, panel));
        for (; panel < panels; panel++) Rows1<TPanel, TNext>(OfPanel(tile, panel));
    }

    private static Tile OfPanel(Tile tile, int panel)
    {
        tile.B += panel * tile.PanelB;
        tile.C += panel * tile.PanelC;
        tile.Initial += panel * tile.InitialPanel;
        return tile;
    }

    private static void Advance(ref Tile tile, int rows)
    {
        tile.A += rows * tile.RowA;
        tile.C += rows * tile.RowC;
        tile.Initial += rows * tile.InitialRow;
    }
}
