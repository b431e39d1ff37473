using System.Runtime.InteropServices;
using System.Text;

namespace Hone.Engine.Cuda;

/// <summary>Compiles CUDA C for a device.</summary>
internal static unsafe partial class Nvrtc
{
    private const string Library = CudaLibraries.Nvrtc;

    static Nvrtc() => CudaLibraries.Register();

    /// <summary>
    /// An image that the driver loads: machine code for the architecture (90 for capability 9.0), or PTX of the newest older one that this NVRTC knows.
    /// </summary>
    public static byte[] Compile(string source, string name, int architecture, params ReadOnlySpan<string> definitions)
    {
        var known = KnownArchitectures();
        var isNative = known.Contains(architecture);
        var target = isNative ? architecture : known.Where(candidate => candidate < architecture).DefaultIfEmpty(architecture).Max();
        string[] options = [$"--gpu-architecture={(isNative ? "sm" : "compute")}_{target}", "--std=c++14", .. definitions];
        nint program;
        Check(nvrtcCreateProgram(&program, source, name, 0, null, null), "nvrtcCreateProgram");
        try
        {
            CompileProgram(program, options, name);
            nuint size;
            Check(isNative ? nvrtcGetCUBINSize(program, &size) : nvrtcGetPTXSize(program, &size), "size of the compiled kernels");
            var image = new byte[size];
            fixed (byte* bytes = image)
                Check(isNative ? nvrtcGetCUBIN(program, bytes) : nvrtcGetPTX(program, bytes), "reading the compiled kernels");
            return image;
        }
        finally
        {
            _ = nvrtcDestroyProgram(&program);
        }
    }

    private static void CompileProgram(nint program, string[] options, string name)
    {
        var pointers = stackalloc byte*[options.Length];
        for (var i = 0; i < options.Length; i++) pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(options[i]);
        try
        {
            var code = nvrtcCompileProgram(program, options.Length, pointers);
            if (code == 0) return;
            nuint length;
            Check(nvrtcGetProgramLogSize(program, &length), "nvrtcGetProgramLogSize");
            var log = new byte[length];
            fixed (byte* bytes = log) Check(nvrtcGetProgramLog(program, bytes), "nvrtcGetProgramLog");
            throw new CudaException($"NVRTC could not compile {name} ({string.Join(' ', options)}):\n{Encoding.UTF8.GetString(log).TrimEnd('\0')}");
        }
        finally
        {
            for (var i = 0; i < options.Length; i++) Marshal.FreeCoTaskMem((nint)pointers[i]);
        }
    }

    private static int[] KnownArchitectures()
    {
        int count;
        Check(nvrtcGetNumSupportedArchs(&count), "nvrtcGetNumSupportedArchs");
        var known = new int[count];
        fixed (int* values = known) Check(nvrtcGetSupportedArchs(values), "nvrtcGetSupportedArchs");
        return known;
    }

    private static void Check(int code, string call)
    {
        if (code != 0) throw new CudaException($"NVRTC: {call} failed: {Marshal.PtrToStringUTF8((nint)nvrtcGetErrorString(code))}.");
    }

    [LibraryImport(Library)]
    private static partial byte* nvrtcGetErrorString(int code);

    [LibraryImport(Library)]
    private static partial int nvrtcGetNumSupportedArchs(int* count);

    [LibraryImport(Library)]
    private static partial int nvrtcGetSupportedArchs(int* values);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int nvrtcCreateProgram(nint* program, string source, string name, int headerCount, byte** headers, byte** includeNames);

    [LibraryImport(Library)]
    private static partial int nvrtcDestroyProgram(nint* program);

    [LibraryImport(Library)]
    private static partial int nvrtcCompileProgram(nint program, int count, byte** options);

    [LibraryImport(Library)]
    private static partial int nvrtcGetCUBINSize(nint program, nuint* size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetCUBIN(nint program, byte* image);

    [LibraryImport(Library)]
    private static partial int nvrtcGetPTXSize(nint program, nuint* size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetPTX(nint program, byte* image);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLogSize(nint program, nuint* size);

    [LibraryImport(Library)]
    private static partial int nvrtcGetProgramLog(nint program, byte* log);
}
