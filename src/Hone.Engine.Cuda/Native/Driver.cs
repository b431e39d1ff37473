using System.Runtime.InteropServices;

namespace Hone.Engine.Cuda;

/// <summary>The part of the CUDA driver API that the engine calls. Streams, modules and functions are opaque handles.</summary>
internal static unsafe partial class Driver
{
    public const int ComputeCapabilityMajor = 75, ComputeCapabilityMinor = 76, MaxSharedBytesOptIn = 97;
    public const int MaxDynamicSharedBytes = 8, NonBlocking = 1;

    private const string Library = CudaLibraries.Driver;

    static Driver() => CudaLibraries.Register();

    /// <summary>Throws unless the code is success.</summary>
    public static void Check(int code, string call)
    {
        if (code == 0) return;
        byte* text = null;
        var name = cuGetErrorString(code, &text) == 0 && text is not null ? Marshal.PtrToStringUTF8((nint)text) : "unknown error";
        var advice = code == 2 ? " Train smaller microbatches (CudaOptions.MicrobatchRows) or a smaller model." : "";
        throw new CudaException($"CUDA: {call} failed with error {code}: {name}.{advice}");
    }

    [LibraryImport(Library)]
    public static partial int cuInit(uint flags);

    [LibraryImport(Library)]
    public static partial int cuGetErrorString(int error, byte** text);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetCount(int* count);

    [LibraryImport(Library)]
    public static partial int cuDeviceGet(int* device, int ordinal);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceGetAttribute(int* value, int attribute, int device);

    [LibraryImport(Library)]
    public static partial int cuDeviceTotalMem_v2(nuint* bytes, int device);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRetain(nint* context, int device);

    [LibraryImport(Library)]
    public static partial int cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Library)]
    public static partial int cuCtxSetCurrent(nint context);

    [LibraryImport(Library)]
    public static partial int cuStreamCreate(nint* stream, uint flags);

    [LibraryImport(Library)]
    public static partial int cuStreamSynchronize(nint stream);

    [LibraryImport(Library)]
    public static partial int cuStreamDestroy_v2(nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemAlloc_v2(ulong* address, nuint bytes);

    [LibraryImport(Library)]
    public static partial int cuMemFree_v2(ulong address);

    [LibraryImport(Library)]
    public static partial int cuMemsetD32Async(ulong address, uint value, nuint count, nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyHtoDAsync_v2(ulong target, void* source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyDtoHAsync_v2(void* target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    public static partial int cuMemcpyDtoDAsync_v2(ulong target, ulong source, nuint bytes, nint stream);

    [LibraryImport(Library)]
    public static partial int cuModuleLoadData(nint* module, void* image);

    [LibraryImport(Library)]
    public static partial int cuModuleUnload(nint module);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int cuModuleGetFunction(nint* function, nint module, string name);

    [LibraryImport(Library)]
    public static partial int cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library)]
    public static partial int cuLaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream, void** arguments,
        void** extra);
}
