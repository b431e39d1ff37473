using System.Runtime.CompilerServices;

namespace Hone.Engine;

/// <content>
/// Microkernels. Each keeps a tile of C in registers and adds a[row, k] · b[k, column] for k ascending with fused multiply-add, from the initial
/// value on: the same sum for every tile shape, so a row's result does not depend on the rows computed with it.
/// </content>
internal sealed unsafe partial class VectorKernels<TSimd, TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows12<TPanel>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, next = tile.ToFetch;
        nint row = tile.RowA, row2 = 2 * row, initialRow = tile.InitialRow, rowC = tile.RowC;
        float* a3 = a + 3 * row, a6 = a + 6 * row, a9 = a + 9 * row;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c1_0 = TSimd.Load(initial + initialRow), c1_1 = TSimd.Load(initial + initialRow + width);
        TVector c2_0 = TSimd.Load(initial + 2 * initialRow), c2_1 = TSimd.Load(initial + 2 * initialRow + width);
        TVector c3_0 = TSimd.Load(initial + 3 * initialRow), c3_1 = TSimd.Load(initial + 3 * initialRow + width);
        TVector c4_0 = TSimd.Load(initial + 4 * initialRow), c4_1 = TSimd.Load(initial + 4 * initialRow + width);
        TVector c5_0 = TSimd.Load(initial + 5 * initialRow), c5_1 = TSimd.Load(initial + 5 * initialRow + width);
        TVector c6_0 = TSimd.Load(initial + 6 * initialRow), c6_1 = TSimd.Load(initial + 6 * initialRow + width);
        TVector c7_0 = TSimd.Load(initial + 7 * initialRow), c7_1 = TSimd.Load(initial + 7 * initialRow + width);
        TVector c8_0 = TSimd.Load(initial + 8 * initialRow), c8_1 = TSimd.Load(initial + 8 * initialRow + width);
        TVector c9_0 = TSimd.Load(initial + 9 * initialRow), c9_1 = TSimd.Load(initial + 9 * initialRow + width);
        TVector c10_0 = TSimd.Load(initial + 10 * initialRow), c10_1 = TSimd.Load(initial + 10 * initialRow + width);
        TVector c11_0 = TSimd.Load(initial + 11 * initialRow), c11_1 = TSimd.Load(initial + 11 * initialRow + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            x = TSimd.Broadcast(a[row]); c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            x = TSimd.Broadcast(a[row2]); c2_0 = TSimd.MultiplyAdd(x, v0, c2_0); c2_1 = TSimd.MultiplyAdd(x, v1, c2_1);
            x = TSimd.Broadcast(*a3); c3_0 = TSimd.MultiplyAdd(x, v0, c3_0); c3_1 = TSimd.MultiplyAdd(x, v1, c3_1);
            x = TSimd.Broadcast(a3[row]); c4_0 = TSimd.MultiplyAdd(x, v0, c4_0); c4_1 = TSimd.MultiplyAdd(x, v1, c4_1);
            x = TSimd.Broadcast(a3[row2]); c5_0 = TSimd.MultiplyAdd(x, v0, c5_0); c5_1 = TSimd.MultiplyAdd(x, v1, c5_1);
            x = TSimd.Broadcast(*a6); c6_0 = TSimd.MultiplyAdd(x, v0, c6_0); c6_1 = TSimd.MultiplyAdd(x, v1, c6_1);
            x = TSimd.Broadcast(a6[row]); c7_0 = TSimd.MultiplyAdd(x, v0, c7_0); c7_1 = TSimd.MultiplyAdd(x, v1, c7_1);
            x = TSimd.Broadcast(a6[row2]); c8_0 = TSimd.MultiplyAdd(x, v0, c8_0); c8_1 = TSimd.MultiplyAdd(x, v1, c8_1);
            x = TSimd.Broadcast(*a9); c9_0 = TSimd.MultiplyAdd(x, v0, c9_0); c9_1 = TSimd.MultiplyAdd(x, v1, c9_1);
            x = TSimd.Broadcast(a9[row]); c10_0 = TSimd.MultiplyAdd(x, v0, c10_0); c10_1 = TSimd.MultiplyAdd(x, v1, c10_1);
            x = TSimd.Broadcast(a9[row2]); c11_0 = TSimd.MultiplyAdd(x, v0, c11_0); c11_1 = TSimd.MultiplyAdd(x, v1, c11_1);
            TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step; a3 += step; a6 += step; a9 += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
        TSimd.Store(c2_0, c + 2 * rowC); TSimd.Store(c2_1, c + 2 * rowC + width);
        TSimd.Store(c3_0, c + 3 * rowC); TSimd.Store(c3_1, c + 3 * rowC + width);
        TSimd.Store(c4_0, c + 4 * rowC); TSimd.Store(c4_1, c + 4 * rowC + width);
        TSimd.Store(c5_0, c + 5 * rowC); TSimd.Store(c5_1, c + 5 * rowC + width);
        TSimd.Store(c6_0, c + 6 * rowC); TSimd.Store(c6_1, c + 6 * rowC + width);
        TSimd.Store(c7_0, c + 7 * rowC); TSimd.Store(c7_1, c + 7 * rowC + width);
        TSimd.Store(c8_0, c + 8 * rowC); TSimd.Store(c8_1, c + 8 * rowC + width);
        TSimd.Store(c9_0, c + 9 * rowC); TSimd.Store(c9_1, c + 9 * rowC + width);
        TSimd.Store(c10_0, c + 10 * rowC); TSimd.Store(c10_1, c + 10 * rowC + width);
        TSimd.Store(c11_0, c + 11 * rowC); TSimd.Store(c11_1, c + 11 * rowC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TPanel>(in Tile tile)
        where TPanel : struct, IPanel<TVector>
    {
        var width = TSimd.Count;
        float* a = tile.A, initial = tile.Initial, c = tile.C;
        var b = tile.B;
        nint step = tile.StepA, stepB = tile.StepB, next = tile.ToFetch;
        nint row = tile.RowA, row2 = 2 * row, initialRow = tile.InitialRow, rowC = tile.RowC;
        float* a3 = a + 3 * row, a6 = a + 6 * row;
        TVector c0_0 = TSimd.Load(initial), c0_1 = TSimd.Load(initial + width);
        TVector c1_0 = TSimd.Load(initial + initialRow), c1_1 = TSimd.Load(initial + initialRow + width);
        TVector c2_0 = TSimd.Load(initial + 2 * initialRow), c2_1 = TSimd.Load(initial + 2 * initialRow + width);
        TVector c3_0 = TSimd.Load(initial + 3 * initialRow), c3_1 = TSimd.Load(initial + 3 * initialRow + width);
        TVector c4_0 = TSimd.Load(initial + 4 * initialRow), c4_1 = TSimd.Load(initial + 4 * initialRow + width);
        TVector c5_0 = TSimd.Load(initial + 5 * initialRow), c5_1 = TSimd.Load(initial + 5 * initialRow + width);
        TVector c6_0 = TSimd.Load(initial + 6 * initialRow), c6_1 = TSimd.Load(initial + 6 * initialRow + width);
        TVector c7_0 = TSimd.Load(initial + 7 * initialRow), c7_1 = TSimd.Load(initial + 7 * initialRow + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            x = TSimd.Broadcast(a[row]); c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            x = TSimd.Broadcast(a[row2]); c2_0 = TSimd.MultiplyAdd(x, v0, c2_0); c2_1 = TSimd.MultiplyAdd(x, v1, c2_1);
            x = TSimd.Broadcast(*a3); c3_0 = TSimd.MultiplyAdd(x, v0, c3_0); c3_1 = TSimd.MultiplyAdd(x, v1, c3_1);
            x = TSimd.Broadcast(a3[row]); c4_0 = TSimd.MultiplyAdd(x, v0, c4_0); c4_1 = TSimd.MultiplyAdd(x, v1, c4_1);
            x = TSimd.Broadcast(a3[row2]); c5_0 = TSimd.MultiplyAdd(x, v0, c5_0); c5_1 = TSimd.MultiplyAdd(x, v1, c5_1);
            x = TSimd.Broadcast(*a6); c6_0 = TSimd.MultiplyAdd(x, v0, c6_0); c6_1 = TSimd.MultiplyAdd(x, v1, c6_1);
            x = TSimd.Broadcast(a6[row]); c7_0 = TSimd.MultiplyAdd(x, v0, c7_0); c7_1 = TSimd.MultiplyAdd(x, v1, c7_1);
            TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step; a3 += step; a6 += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
        TSimd.Store(c2_0, c + 2 * rowC); TSimd.Store(c2_1, c + 2 * rowC + width);
        TSimd.Store(c3_0, c + 3 * rowC); TSimd.Store(c3_1, c + 3 * rowC + width);
        TSimd.Store(c4_0, c + 4 * rowC); TSimd.Store(c4_1, c + 4 * rowC + width);
        TSimd.Store(c5_0, c + 5 * rowC); TSimd.Store(c5_1, c + 5 * rowC + width);
        TSimd.Store(c6_0, c + 6 * rowC); TSimd.Store(c6_1, c + 6 * rowC + width);
        TSimd.Store(c7_0, c + 7 * rowC); TSimd.Store(c7_1, c + 7 * rowC + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6<TPanel>(in Tile tile)
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
        TVector c4_0 = TSimd.Load(initial + 4 * initialRow), c4_1 = TSimd.Load(initial + 4 * initialRow + width);
        TVector c5_0 = TSimd.Load(initial + 5 * initialRow), c5_1 = TSimd.Load(initial + 5 * initialRow + width);
        for (var depth = tile.Depth; depth > 0; depth--)
        {
            TVector v0 = TPanel.First(b), v1 = TPanel.Second(b);
            var x = TSimd.Broadcast(*a); c0_0 = TSimd.MultiplyAdd(x, v0, c0_0); c0_1 = TSimd.MultiplyAdd(x, v1, c0_1);
            x = TSimd.Broadcast(a[row]); c1_0 = TSimd.MultiplyAdd(x, v0, c1_0); c1_1 = TSimd.MultiplyAdd(x, v1, c1_1);
            x = TSimd.Broadcast(a[row2]); c2_0 = TSimd.MultiplyAdd(x, v0, c2_0); c2_1 = TSimd.MultiplyAdd(x, v1, c2_1);
            x = TSimd.Broadcast(*a3); c3_0 = TSimd.MultiplyAdd(x, v0, c3_0); c3_1 = TSimd.MultiplyAdd(x, v1, c3_1);
            x = TSimd.Broadcast(a3[row]); c4_0 = TSimd.MultiplyAdd(x, v0, c4_0); c4_1 = TSimd.MultiplyAdd(x, v1, c4_1);
            x = TSimd.Broadcast(a3[row2]); c5_0 = TSimd.MultiplyAdd(x, v0, c5_0); c5_1 = TSimd.MultiplyAdd(x, v1, c5_1);
            TSimd.PrefetchPanel((float*)(b + next));
            b += stepB;
            a += step; a3 += step;
        }

        TSimd.Store(c0_0, c); TSimd.Store(c0_1, c + width);
        TSimd.Store(c1_0, c + rowC); TSimd.Store(c1_1, c + rowC + width);
        TSimd.Store(c2_0, c + 2 * rowC); TSimd.Store(c2_1, c + 2 * rowC + width);
        TSimd.Store(c3_0, c + 3 * rowC); TSimd.Store(c3_1, c + 3 * rowC + width);
        TSimd.Store(c4_0, c + 4 * rowC); TSimd.Store(c4_1, c + 4 * rowC + width);
        TSimd.Store(c5_0, c + 5 * rowC); TSimd.Store(c5_1, c + 5 * rowC + width);
    }
}
