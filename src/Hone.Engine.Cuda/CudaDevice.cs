using System.Text;

namespace Hone.Engine.Cuda;

/// <summary>
/// An NVIDIA GPU for <see cref="EngineOptions.Device"/>: training, scoring and the optimizer run on it. Needs the driver, and NVRTC and cuBLAS of CUDA 12
/// or 13. Share one among models; dispose it after them.
/// </summary>
public sealed class CudaDevice : EngineDevice, IDisposable
{
    private readonly CudaContext _context;
    private readonly CudaKernels _kernels;

    private CudaDevice(CudaContext context, CudaOptions options)
    {
        _context = context;
        _kernels = new CudaKernels(context, options);
    }

    /// <summary>Whether the libraries are there and the driver reports a GPU.</summary>
    public static bool IsAvailable => Unavailable() is null;

    /// <inheritdoc/>
    public override string Name => $"cuda:{_context.Ordinal} ({_context.DeviceName}, {_kernels.Precision})";

    /// <summary>Memory of the GPU in bytes.</summary>
    public long TotalMemory => _context.TotalMemory;

    /// <summary>Compute capability, such as 9.0.</summary>
    public Version ComputeCapability => new(_context.Architecture / 10, _context.Architecture % 10);

    internal override IKernels Kernels => _kernels;

    /// <summary>Opens a GPU and compiles the kernels for it.</summary>
    /// <param name="ordinal">Number of the GPU, from 0, as the driver counts.</param>
    /// <param name="options">Precision and size of microbatches.</param>
    /// <exception cref="CudaException">A library, the driver or the GPU is missing, or failed.</exception>
    public static CudaDevice Open(int ordinal = 0, CudaOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        if (Unavailable() is { } reason) throw new CudaException(reason);
        options ??= new CudaOptions();
        var context = CudaContext.Open(ordinal);
        try
        {
            return new CudaDevice(context, options);
        }
        catch (CudaException)
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open"/>, but says why it is impossible where a library, the driver or the GPU is missing.</summary>
    /// <param name="device">The device, or null.</param>
    /// <param name="reason">Why not, or null.</param>
    /// <param name="ordinal">Number of the GPU.</param>
    /// <param name="options">Precision and size of microbatches.</param>
    public static bool TryOpen(out CudaDevice? device, out string? reason, int ordinal = 0, CudaOptions? options = null)
    {
        (device, reason) = (null, Unavailable());
        if (reason is not null) return false;
        try
        {
            device = Open(ordinal, options);
            return true;
        }
        catch (CudaException error)
        {
            reason = error.Message;
            return false;
        }
    }

    /// <summary>Frees the GPU's memory. Models that use the device must be disposed before.</summary>
    public void Dispose()
    {
        _kernels.Dispose();
        _context.Dispose();
    }

    private static unsafe string? Unavailable()
    {
        if (CudaLibraries.Missing() is { } missing) return missing;
        var code = Driver.cuInit(0);
        var count = 0;
        if (code == 0) code = Driver.cuDeviceGetCount(&count);
        return code == 0 && count > 0 ? null
            : new StringBuilder("The CUDA driver reports no GPU").Append(code == 0 ? "" : $" (error {code})")
                .Append(". Check nvidia-smi and CUDA_VISIBLE_DEVICES; in a container, start it with GPU access.").ToString();
    }
}
