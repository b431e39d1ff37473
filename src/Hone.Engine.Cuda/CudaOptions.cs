namespace Hone.Engine.Cuda;

/// <summary>In which precision matrix products are computed. Values stay float32 in memory, and sums are made in float32, in each of them.</summary>
public enum CudaPrecision
{
    /// <summary>Float32 throughout: results as on the processor, up to rounding. The default.</summary>
    Float32,

    /// <summary>Operands rounded to TensorFloat32 (10 bits of fraction) by the tensor cores of compute capability 8.0 and later.</summary>
    TensorFloat32,

    /// <summary>
    /// Operands rounded to bfloat16 (7 bits of fraction), the fastest; capability 8.0 and later. Takes half a copy of the weights in memory more.
    /// </summary>
    BFloat16,
}

/// <summary>How a <see cref="CudaDevice"/> trains.</summary>
public sealed record CudaOptions
{
    /// <summary>Precision of matrix products. Default <see cref="CudaPrecision.Float32"/>.</summary>
    public CudaPrecision Precision { get; init; }

    /// <summary>
    /// Tokens that pass through the model together, prefixes that sequences share counted once; a longer sequence gets its own pass. More keep a large
    /// GPU busy, fewer take less of its memory. Default 8192.
    /// </summary>
    public int MicrobatchRows
    {
        get;
        init => field = value >= 1 ? value
            : throw new ArgumentOutOfRangeException(nameof(MicrobatchRows), value, $"{nameof(CudaOptions)}.{nameof(MicrobatchRows)} must be at least 1.");
    } = 8192;
}
