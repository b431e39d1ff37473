using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Hone.Engine.Cuda;

/// <summary>An argument of a kernel: the bits of an address or a number.</summary>
internal readonly unsafe struct KernelArgument
{
    private readonly ulong _bits;

    private KernelArgument(ulong bits) => _bits = bits;

    public static implicit operator KernelArgument(float* address) => new((ulong)address);

    public static implicit operator KernelArgument(int* address) => new((ulong)address);

    public static implicit operator KernelArgument(KeyValuePage* address) => new((ulong)address);

    public static implicit operator KernelArgument(ushort* address) => new((ulong)address);

    public static implicit operator KernelArgument(double* address) => new((ulong)address);

    public static implicit operator KernelArgument(int value) => new((uint)value);

    public static implicit operator KernelArgument(long value) => new((ulong)value);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value));
}

/// <summary>Blocks and threads of a launch.</summary>
internal readonly record struct Grid(long Blocks, int Threads, int BlocksY = 1, int ThreadsY = 1, int SharedBytes = 0);

/// <summary>A GPU's context and the stream that all work goes to, in order.</summary>
internal sealed unsafe class CudaContext : IDisposable
{
    [ThreadStatic]
    private static nint _current;

    private readonly int _device;
    private readonly nint _context;
    private readonly List<nint> _modules = [];
    private long _operations;

    private CudaContext(int ordinal)
    {
        Ordinal = ordinal;
        Driver.Check(Driver.cuInit(0), "cuInit");
        int device;
        Driver.Check(Driver.cuDeviceGet(&device, ordinal), $"opening GPU {ordinal}");
        _device = device;
        DeviceName = NameOf(device);
        Architecture = 10 * Attribute(Driver.ComputeCapabilityMajor) + Attribute(Driver.ComputeCapabilityMinor);
        MaxSharedBytes = Attribute(Driver.MaxSharedBytesOptIn);
        nuint bytes;
        Driver.Check(Driver.cuDeviceTotalMem_v2(&bytes, device), "cuDeviceTotalMem");
        TotalMemory = (long)bytes;
        nint context, stream;
        Driver.Check(Driver.cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
        _context = context;
        Enter();
        Driver.Check(Driver.cuStreamCreate(&stream, Driver.NonBlocking), "cuStreamCreate");
        Stream = stream;
    }

    public int Ordinal { get; }

    public string DeviceName { get; }

    /// <summary>Compute capability as a number: 90 for 9.0.</summary>
    public int Architecture { get; }

    public int MaxSharedBytes { get; }

    public long TotalMemory { get; }

    public nint Stream { get; }

    public bool IsDisposed { get; private set; }

    /// <summary>Grows with all work but matrix products: equal numbers say that nothing else ran in between.</summary>
    public long Operations => Interlocked.Read(ref _operations);

    public static CudaContext Open(int ordinal) => new(ordinal);

    /// <summary>Makes the context the calling thread's.</summary>
    public void Enter()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(CudaDevice));
        if (_current == _context) return;
        Driver.Check(Driver.cuCtxSetCurrent(_context), "cuCtxSetCurrent");
        _current = _context;
    }

    /// <summary>As <see cref="Enter"/>, before memory of the GPU changes.</summary>
    public void EnterToChange()
    {
        Enter();
        Interlocked.Increment(ref _operations);
    }

    public void Wait() => Driver.Check(Driver.cuStreamSynchronize(Stream), "a kernel or copy");

    /// <summary>Compiles an embedded source and loads it.</summary>
    public nint Load(string source, params ReadOnlySpan<string> definitions)
    {
        Enter();
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(source)
            ?? throw new InvalidOperationException($"The embedded source '{source}' is missing from Hone.Engine.Cuda.dll; rebuild the package.");
        using var reader = new StreamReader(stream);
        var image = Nvrtc.Compile(reader.ReadToEnd(), source, Architecture, definitions);
        nint module;
        fixed (byte* bytes = image) Driver.Check(Driver.cuModuleLoadData(&module, bytes), $"loading {source}");
        lock (_modules) _modules.Add(module);
        return module;
    }

    /// <summary>A kernel of a module, allowed to use this much shared memory.</summary>
    public nint Function(nint module, string name, int sharedBytes = 0)
    {
        Enter();
        nint function;
        Driver.Check(Driver.cuModuleGetFunction(&function, module, name), "finding kernel " + name);
        if (sharedBytes > 0)
            Driver.Check(
                Driver.cuFuncSetAttribute(function, Driver.MaxDynamicSharedBytes, sharedBytes),
                string.Create(CultureInfo.InvariantCulture, $"allowing {name} {sharedBytes} bytes of shared memory"));
        return function;
    }

    public void Launch(nint function, Grid grid, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.Blocks == 0 || grid.BlocksY == 0) return;
        EnterToChange();
        var pointers = stackalloc void*[arguments.Length];
        fixed (KernelArgument* values = arguments)
        {
            for (var i = 0; i < arguments.Length; i++) pointers[i] = values + i;
            Driver.Check(
                Driver.cuLaunchKernel(
                    function, checked((uint)grid.Blocks), (uint)grid.BlocksY, 1, (uint)grid.Threads, (uint)grid.ThreadsY, 1, (uint)grid.SharedBytes,
                    Stream, pointers, null), "launching a kernel");
        }
    }

    public void Dispose()
    {
        if (IsDisposed) return;
        Enter();
        _ = Driver.cuStreamSynchronize(Stream);
        foreach (var module in _modules) _ = Driver.cuModuleUnload(module);
        _ = Driver.cuStreamDestroy_v2(Stream);
        IsDisposed = true;
        _current = 0;
        _ = Driver.cuCtxSetCurrent(0);
        _ = Driver.cuDevicePrimaryCtxRelease_v2(_device);
    }

    private static string NameOf(int device)
    {
        const int Length = 128;
        var name = stackalloc byte[Length];
        Driver.Check(Driver.cuDeviceGetName(name, Length, device), "cuDeviceGetName");
        return Marshal.PtrToStringUTF8((nint)name) ?? "GPU";
    }

    private int Attribute(int attribute)
    {
        int value;
        Driver.Check(Driver.cuDeviceGetAttribute(&value, attribute, _device), "cuDeviceGetAttribute");
        return value;
    }
}
