namespace Hone.Engine;

/// <summary>A matrix in memory: element (row, step) at <c>Data[row · RowStride + step · StepStride]</c>. Swap the strides to transpose.</summary>
internal readonly unsafe struct MatrixView(float* data, nint rowStride, nint stepStride = 1)
{
    public readonly float* Data = data;
    public readonly nint RowStride = rowStride;
    public readonly nint StepStride = stepStride;
}

/// <summary>
/// The right operand of a product, read in panels of <see cref="VectorKernels.PanelWidth"/> adjacent columns: element (step, column) of panel p at
/// <c>Data[p · PanelStride + step · StepStride + column]</c>. The last panel may be ragged; its missing columns are read but not used.
/// </summary>
internal readonly unsafe struct PanelView(float* data, nint stepStride, nint panelStride)
{
    public readonly float* Data = data;
    public readonly nint StepStride = stepStride;
    public readonly nint PanelStride = panelStride;
}

/// <summary>One call of a microkernel.</summary>
internal unsafe struct Tile
{
    public float* A;
    public float* B;
    public float* C;
    public float* Initial;
    public nint RowA;
    public nint StepA;
    public nint StepB;
    public nint PanelB;
    public nint RowC;
    public nint PanelC;
    public nint InitialRow;
    public nint InitialPanel;
    public int Depth;
}
