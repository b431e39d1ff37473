using Hone.Engine.Cuda;

namespace Hone.Engine.Tests.Cuda;

/// <summary>One GPU for all tests of a class, or the reason why there is none: then they are skipped.</summary>
public sealed class CudaFixture : IDisposable
{
    private readonly Dictionary<CudaPrecision, CudaDevice> devices = [];

    public CudaDevice Open(CudaPrecision precision = CudaPrecision.Float32)
    {
        Assert.SkipUnless(CudaDevice.IsAvailable, "No CUDA GPU: " + Reason());
        if (!devices.TryGetValue(precision, out var device)) devices[precision] = device = CudaDevice.Open(0, new() { Precision = precision });
        return device;
    }

    public void Dispose()
    {
        foreach (var device in devices.Values) device.Dispose();
    }

    private static string Reason()
    {
        CudaDevice.TryOpen(out var device, out var reason);
        device?.Dispose();
        return reason ?? "";
    }
}
