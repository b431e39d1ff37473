namespace Hone.Engine;

/// <summary>
/// Zeroed, 64-byte aligned float32 memory outside the managed heap. A tail of <see cref="Slack"/> readable floats follows the last
/// element, so that kernels may load whole vectors past a ragged end.
/// </summary>
internal sealed unsafe class NativeBuffer : FloatBuffer
{
    /// <summary>Readable (and writable) floats after the last element.</summary>
    public const int Slack = 64;

    // A small buffer costs nothing to leave to the finalizer; telling the collector of each would set it off while a model loads.
    private const long NotableBytes = 16 * 1024 * 1024;

    private const nuint Alignment = 64;
    private readonly void* _block;
    private float* _pointer;

    public NativeBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length > int.MaxValue - Slack)
        {
            throw new ArgumentOutOfRangeException(
                nameof(length), length,
                $"A buffer of {length} floats is too large; one buffer holds at most {int.MaxValue - Slack}. Use a smaller model or batch.");
        }

        Length = (int)length;
        var bytes = (nuint)(length + Slack) * sizeof(float);
        // The system hands out zeroed pages when they are first touched: what a buffer holds in reserve takes no memory.
        _block = NativePages.Allocate(bytes + Alignment);
        _pointer = (float*)(((nuint)_block + Alignment - 1) & ~(Alignment - 1));
        if ((long)bytes >= NotableBytes) GC.AddMemoryPressure((long)bytes);
    }

    ~NativeBuffer() => Free();

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    public override long Capacity => Length;

    /// <summary>First element. The caller keeps this object alive while it uses the pointer.</summary>
    public override float* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    public Span<float> Span => new(Pointer, Length);

    public override void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Returns a buffer of at least <paramref name="length"/> floats: <paramref name="buffer"/> itself, or a new one in its place (contents lost).
    /// </summary>
    public static NativeBuffer EnsureCapacity(ref NativeBuffer? buffer, long length)
    {
        if (buffer is null || buffer.Length < length)
        {
            buffer?.Dispose();
            buffer = new NativeBuffer(length);
        }

        return buffer;
    }

    private void Free()
    {
        if (_pointer is null) return;
        var bytes = (Length + (long)Slack) * sizeof(float);
        NativePages.Free(_block, (nuint)bytes + Alignment);
        _pointer = null;
        if (bytes >= NotableBytes) GC.RemoveMemoryPressure(bytes);
    }
}
