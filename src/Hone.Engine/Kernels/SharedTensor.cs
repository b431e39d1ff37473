namespace Hone.Engine;

/// <summary>
/// Values that kernels work on and the host can look at. Where the kernels are the host's both are the same memory; otherwise <see cref="Push"/> and
/// <see cref="Pull"/> bring them together.
/// </summary>
internal sealed unsafe class SharedTensor : IDisposable
{
    private readonly IKernels _kernels;
    private readonly FloatBuffer _values;
    private readonly bool _ownsHost;
    private NativeBuffer? _host;

    /// <summary>Zeros.</summary>
    public SharedTensor(IKernels kernels, int length)
    {
        (_kernels, Length, _ownsHost) = (kernels, length, true);
        _values = kernels.Allocate(length);
        _host = _values as NativeBuffer;
    }

    /// <summary>Shares memory of the host, which the caller owns. Push before the first use.</summary>
    public SharedTensor(IKernels kernels, NativeBuffer host)
    {
        (_kernels, Length, _host) = (kernels, host.Length, host);
        _values = kernels.IsHost ? host : kernels.Allocate(host.Length);
    }

    public int Length { get; }

    /// <summary>The values where the kernels work.</summary>
    public float* Pointer => _values.Pointer;

    /// <summary>The values as the host last pulled or wrote them.</summary>
    public Span<float> Host => (_host ??= new NativeBuffer(Length)).Span;

    /// <summary>Takes over what the host wrote.</summary>
    public void Push()
    {
        if (!_kernels.IsHost) _kernels.CopyIn(Host, Pointer);
    }

    /// <summary>Brings <see cref="Host"/> up to date.</summary>
    public void Pull()
    {
        if (!_kernels.IsHost) _kernels.CopyOut(Pointer, Host);
    }

    public void Clear() => _kernels.Zero(Pointer, Length);

    public void Dispose()
    {
        if (!ReferenceEquals(_values, _host)) _values.Dispose();
        if (_ownsHost) _host?.Dispose();
    }
}
