namespace Hone.Engine.Cuda;

/// <summary>Zeroed float32 memory of the GPU.</summary>
internal sealed unsafe class CudaBuffer : FloatBuffer
{
    private readonly CudaContext _context;
    private ulong _address;

    public CudaBuffer(CudaContext context, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        (_context, Capacity) = (context, length);
        context.EnterToChange();
        ulong address;
        // An empty buffer has an address too, so that no caller needs to know.
        var count = (nuint)Math.Max(1, length);
        Driver.Check(Driver.cuMemAlloc_v2(&address, count * sizeof(float)), $"allocating {count * sizeof(float)} bytes");
        _address = address;
        Driver.Check(Driver.cuMemsetD32Async(address, 0, count, context.Stream), "cuMemsetD32Async");
    }

    ~CudaBuffer() => Free();

    public override long Capacity { get; }

    public override float* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == 0, this);
            return (float*)_address;
        }
    }

    public override void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // The memory of a device that is closed is gone with it.
    private void Free()
    {
        if (_address == 0 || _context.IsDisposed) return;
        _context.Enter();
        _ = Driver.cuMemFree_v2(_address);
        _address = 0;
    }
}
