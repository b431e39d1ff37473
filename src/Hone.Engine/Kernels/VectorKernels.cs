using System.Runtime.CompilerServices;

namespace Hone.Engine;

/// <summary>
/// The arithmetic of the engine, over raw float32 memory, single-threaded. The one seam to the hardware: <see cref="Best"/> is chosen once; the
/// others exist for other machines and for tests.
/// </summary>
internal abstract unsafe partial class VectorKernels
{
    /// <summary>The widest kernels that this machine supports.</summary>
    public static VectorKernels Best => Choice.Best;

    /// <summary>Every kernel set that this machine supports, widest first.</summary>
    public static IReadOnlyList<VectorKernels> Supported => Choice.Supported;

    public abstract string Name { get; }

    /// <summary>Columns of a GEMM panel: two vectors.</summary>
    public abstract int PanelWidth { get; }

    /// <summary>Floats that <paramref name="columns"/> × <paramref name="depth"/> packed values take: whole panels.</summary>
    public long PackedLength(int columns, int depth) => (long)RoundUp(columns) * depth;

    /// <summary>Columns rounded up to whole panels.</summary>
    public int RoundUp(int columns) => (columns + PanelWidth - 1) / PanelWidth * PanelWidth;

    /// <summary>A view of values that <see cref="PackTransposed"/> wrote.</summary>
    public PanelView Packed(float* panels, int depth) => new(panels, PanelWidth, (nint)PanelWidth * depth);

    /// <summary>A row-major matrix [depth, columns] used as right operand without packing. Up to a panel past its end may be read.</summary>
    public PanelView RowMajor(float* matrix, nint stride) => new(matrix, stride, PanelWidth);

    /// <summary>Rows of bfloat16 [depth, columns] as right operand. Up to a panel past their end may be read, unless the columns fill whole panels.</summary>
    public PanelView RowMajor(ushort* matrix, nint stride) => new(matrix, stride, PanelWidth, PanelFormat.Halves);

    private static class Choice
    {
        public static readonly List<VectorKernels> Supported = Find();
        public static readonly VectorKernels Best = Supported[0];

        private static List<VectorKernels> Find()
        {
            var found = new List<VectorKernels>();
            if (Simd512.IsSupported) found.Add(new VectorKernels<Simd512, System.Runtime.Intrinsics.Vector512<float>>());
            if (Simd256.IsSupported) found.Add(new VectorKernels<Simd256, System.Runtime.Intrinsics.Vector256<float>>());
            found.Add(new VectorKernels<SimdPortable, System.Numerics.Vector<float>>());
            return found;
        }
    }
}

/// <summary>The kernels for one vector width.</summary>
internal sealed unsafe partial class VectorKernels<TSimd, TVector> : VectorKernels
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    public override string Name => typeof(TSimd).Name;

    public override int PanelWidth => 2 * TSimd.Count;

    private readonly struct SinglePanel : IPanel<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector First(byte* row) => TSimd.Load((float*)row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Second(byte* row) => TSimd.Load((float*)row + TSimd.Count);
    }

    private readonly struct PairedPanel : IPanel<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector First(byte* row) => TSimd.LowHalves(row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Second(byte* row) => TSimd.HighHalves(row);
    }

    private readonly struct HalvesPanel : IPanel<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector First(byte* row) => TSimd.FirstHalves((ushort*)row);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Second(byte* row) => TSimd.SecondHalves((ushort*)row);
    }
}
