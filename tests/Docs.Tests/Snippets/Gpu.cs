using Hone.Engine;
using Hone.Engine.Cuda;

namespace Docs.Tests.Snippets.Gpu;

/// <summary>Compiled only: a GPU is not at hand everywhere.</summary>
internal static class GpuSketches
{
    public static Hone.LM Open()
    {
        #region gpu-open
        using var gpu = CudaDevice.Open();                                       // or Open(1, new CudaOptions { … })
        var lm = EngineLM.Load("Qwen2.5-0.5B-Instruct", new EngineOptions { Device = gpu });
        #endregion
        return lm;
    }

    public static EngineDevice Try()
    {
        #region gpu-try
        var device = CudaDevice.TryOpen(out var found, out var reason) ? found! : EngineDevice.Cpu;
        Console.WriteLine(reason ?? device.Name);                                // cuda:0 (NVIDIA H200, Float32)
        #endregion
        return device;
    }
}
