using System.Runtime.CompilerServices;

namespace Hone.Engine;

/// <content>
/// Microkernels for few rows: the smaller the tile, the more panels at once, so that enough sums run side by side. Each keeps a tile of C in
/// registers and adds a[row, k] · b[k, column] for k ascending with fused multiply-add, from the initial value on: the same sum for every tile shape,
/// so a row's result does not depend on the rows computed with it.
/// </content>
internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TPanel>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, next = tile.ToFetch;
        nint row = tile.RowA, row2 = 2 * row, initialRow = tile.InitialRow, rowC = tile.RowC;
        float* a3 = a + 3 * row;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c1_0 = TSimd.Load(initial + initialRow), c1_1 = TSimd.Load(initial + initialRow + width);
        TVector c2_0 = TSimd.Load(initial + 2 * initialRow), c2_1 = TSimd.Load(initial + 2 * initialRow + width);
        TVector c3_0 = TSimd.Load(initial + 3 * initialRow), c3_1 = TSimd.Load(initial + 3 * initialRow + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            x = TSimd.Broadcast(a[row]); c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            x = TSimd.Broadcast(a[row2]); c2_0 = TSimd.MultiplyAdd(x, v0, c2_0); c2_1 = TSimd.MultiplyAdd(x, v1, c2_1);
            x = TSimd.Broadcast(*a3); c3_0 = TSimd.MultiplyAdd(x, v0, c3_0); c3_1 = TSimd.MultiplyAdd(x, v1, c3_1);
            TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step; a3 += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
        TSimd.Store(c2_0, c + 2 * rowC); TSimd.Store(c2_1, c + 2 * rowC + width);
        TSimd.Store(c3_0, c + 3 * rowC); TSimd.Store(c3_1, c + 3 * rowC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels2<TPanel, TNext>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, panelB = tile.PanelB, initialPanel = tile.InitialPanel, panelC = tile.PanelC, next = tile.Ahead;
        nint row = tile.RowA, initialRow = tile.InitialRow, rowC = tile.RowC;
        byte* b1 = b + panelB;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c0_2 = TSimd.Load(initial + initialPanel), c0_3 = TSimd.Load(initial + initialPanel + width);
        TVector c1_0 = TSimd.Load(initial + initialRow), c1_1 = TSimd.Load(initial + initialRow + width);
        TVector c1_2 = TSimd.Load(initial + initialRow + initialPanel), c1_3 = TSimd.Load(initial + initialRow + initialPanel + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            TVector v2 = TPanel.First(b1), v3 = TPanel.Second(b1);
            var x = TSimd.Broadcast(*a);
            c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            c0_2 = TSimd.MultiplyAdd(x, v2, c0_2); c0_3 = TSimd.MultiplyAdd(x, v3, c0_3);
            x = TSimd.Broadcast(a[row]);
            c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            c1_2 = TSimd.MultiplyAdd(x, v2, c1_2); c1_3 = TSimd.MultiplyAdd(x, v3, c1_3);
            if (TNext.IsKnown)
            {
                TSimd.PrefetchPanel((float*)(b + next)); TSimd.PrefetchPanel((float*)(b1 + next));
            }

            b += stepB; b1 += stepB;
            a += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c0_2, c + panelC); TSimd.Store(c0_3, c + panelC + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
        TSimd.Store(c1_2, c + rowC + panelC); TSimd.Store(c1_3, c + rowC + panelC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TPanel, TNext>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, next = tile.Ahead;
        nint row = tile.RowA, initialRow = tile.InitialRow, rowC = tile.RowC;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c1_0 = TSimd.Load(initial + initialRow), c1_1 = TSimd.Load(initial + initialRow + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            x = TSimd.Broadcast(a[row]); c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            if (TNext.IsKnown) TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels4<TPanel, TNext>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, panelB = tile.PanelB, initialPanel = tile.InitialPanel, panelC = tile.PanelC, next = tile.Ahead;
        byte* b1 = b + panelB, b2 = b + 2 * panelB, b3 = b + 3 * panelB;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c0_2 = TSimd.Load(initial + initialPanel), c0_3 = TSimd.Load(initial + initialPanel + width);
        TVector c0_4 = TSimd.Load(initial + 2 * initialPanel), c0_5 = TSimd.Load(initial + 2 * initialPanel + width);
        TVector c0_6 = TSimd.Load(initial + 3 * initialPanel), c0_7 = TSimd.Load(initial + 3 * initialPanel + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            TVector v2 = TPanel.First(b1), v3 = TPanel.Second(b1);
            TVector v4 = TPanel.First(b2), v5 = TPanel.Second(b2);
            TVector v6 = TPanel.First(b3), v7 = TPanel.Second(b3);
            var x = TSimd.Broadcast(*a);
            c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            c0_2 = TSimd.MultiplyAdd(x, v2, c0_2); c0_3 = TSimd.MultiplyAdd(x, v3, c0_3);
            c0_4 = TSimd.MultiplyAdd(x, v4, c0_4); c0_5 = TSimd.MultiplyAdd(x, v5, c0_5);
            c0_6 = TSimd.MultiplyAdd(x, v6, c0_6); c0_7 = TSimd.MultiplyAdd(x, v7, c0_7);
            if (TNext.IsKnown)
            {
                TSimd.PrefetchPanel((float*)(b + next)); TSimd.PrefetchPanel((float*)(b1 + next));
                TSimd.PrefetchPanel((float*)(b2 + next)); TSimd.PrefetchPanel((float*)(b3 + next));
            }

            b += stepB; b1 += stepB; b2 += stepB; b3 += stepB;
            a += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c0_2, c + panelC); TSimd.Store(c0_3, c + panelC + width);
        TSimd.Store(c0_4, c + 2 * panelC); TSimd.Store(c0_5, c + 2 * panelC + width);
        TSimd.Store(c0_6, c + 3 * panelC); TSimd.Store(c0_7, c + 3 * panelC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TPanel, TNext>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
        where TNext : struct, INext
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, next = tile.Ahead;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            if (TNext.IsKnown) TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
    }
}
