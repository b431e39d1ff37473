namespace Hone.Engine;

/// <summary>A matrix in memory: element (row, step) at <c>Data[row · RowStride + step · StepStride]</c>. Swap the strides to transpose.</summary>
internal readonly unsafe struct MatrixView(float* data, nint rowStride, nint stepStride = 1)
{
    public readonly float* Data = data;
    public readonly nint RowStride = rowStride;
    public readonly nint StepStride = stepStride;
}

/// <summary>How the right operand of a product is stored. All three are read as float32, exactly.</summary>
internal enum PanelFormat
{
    /// <summary>float32.</summary>
    Single,

    /// <summary>
    /// bfloat16 of a panel's row in pairs: column i of the first vector and column i of the second in one 32-bit word, so that a shift gives one and a
    /// mask the other.
    /// </summary>
    PairedHalves,

    /// <summary>bfloat16, columns in their order.</summary>
    Halves,
}

/// <summary>
/// The right operand of a product, read in panels of <see cref="VectorKernels.PanelWidth"/> adjacent columns: the row of panel p at a step begins at
/// byte <c>Data[p · PanelStride + step · StepStride]</c>. The last panel may be ragged; its missing columns are read but not used.
/// </summary>
internal readonly unsafe struct PanelView
{
    public readonly byte* Data;
    public readonly nint StepStride;
    public readonly nint PanelStride;
    public readonly PanelFormat Format;

    /// <summary>Bytes from a row to what is read after the last panel in its place, so that it can be fetched meanwhile; 0 if that is not known.</summary>
    public readonly nint Ahead;

    /// <summary>float32, strides in floats.</summary>
    public PanelView(float* data, nint stepStride, nint panelStride)
    {
        Data = (byte*)data;
        (StepStride, PanelStride) = (stepStride * sizeof(float), panelStride * sizeof(float));
    }

    /// <summary>bfloat16, strides in numbers.</summary>
    public PanelView(ushort* data, nint stepStride, nint panelStride, PanelFormat format)
    {
        Data = (byte*)data;
        (StepStride, PanelStride, Format) = (stepStride * sizeof(ushort), panelStride * sizeof(ushort), format);
    }

    private PanelView(byte* data, nint ahead, in PanelView like)
    {
        Data = data;
        Ahead = ahead;
        (StepStride, PanelStride, Format) = (like.StepStride, like.PanelStride, like.Format);
    }

    /// <summary>The same without what is before a panel.</summary>
    public PanelView From(int panel) => new(Data + panel * PanelStride, Ahead, this);

    /// <summary>The same, with the matrix of the same shape that is read next; null if none is known.</summary>
    public PanelView Before(float* next) => new(Data, next is null ? 0 : (nint)((byte*)next - Data), this);
}

/// <summary>One call of a microkernel.</summary>
internal unsafe struct Tile
{
    public float* A;
    public byte* B;
    public float* C;
    public float* Initial;
    public nint RowA;
    public nint StepA;

    /// <summary>In bytes, as the next two.</summary>
    public nint StepB;
    public nint PanelB;

    /// <summary>As <see cref="PanelView.Ahead"/>.</summary>
    public nint Ahead;
    public nint RowC;
    public nint PanelC;
    public nint InitialRow;
    public nint InitialPanel;
    public int Depth;

    /// <summary>Bytes from a row of B to the one to fetch while it is read: in the same place of what follows, else of the next panel.</summary>
    public readonly nint ToFetch => Ahead != 0 ? Ahead : PanelB;
}
