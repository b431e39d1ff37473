namespace Hone.Engine;

/// <summary>Zeroed float32 memory that some <see cref="IKernels"/> can work on: the host's, or a device's.</summary>
internal abstract unsafe class FloatBuffer : IDisposable
{
    /// <summary>First element; an address of the device where the kernels are a device's. The caller keeps this object alive while it uses it.</summary>
    public abstract float* Pointer { get; }

    /// <summary>Number of floats.</summary>
    public abstract long Capacity { get; }

    public abstract void Dispose();
}
