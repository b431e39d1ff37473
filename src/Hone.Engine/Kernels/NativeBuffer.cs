using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>
/// Zeroed, 64-byte aligned float32 memory outside the managed heap. A tail of <see cref="Slack"/> readable floats follows the last
/// element, so that kernels may load whole vectors past a ragged end.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>Readable (and writable) floats after the last element.</summary>
    public const int Slack = 64;

    private const nuint Alignment = 64;
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
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_pointer, bytes);
        GC.AddMemoryPressure((long)bytes);
    }

    ~NativeBuffer() => Free();

    /// <summary>Number of floats.</summary>
    public int Length { get; }

    /// <summary>First element. The caller keeps this object alive while it uses the pointer.</summary>
    public float* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    public Span<float> Span => new(Pointer, Length);

    public void Dispose()
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
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        GC.RemoveMemoryPressure((Length + (long)Slack) * sizeof(float));
    }
}
