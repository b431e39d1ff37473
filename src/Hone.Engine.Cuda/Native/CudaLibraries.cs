using System.Reflection;
using System.Runtime.InteropServices;

namespace Hone.Engine.Cuda;

/// <summary>Finds the shared libraries of CUDA by the names that they have on each system and in each version.</summary>
internal static class CudaLibraries
{
    public const string Driver = "hone-cuda-driver", Nvrtc = "hone-cuda-nvrtc", CuBlas = "hone-cuda-cublas";

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Loaded = [];
    private static bool _registered;

    /// <summary>Makes the libraries known to this assembly's imports. Every call into one comes after this.</summary>
    public static void Register()
    {
        lock (Gate)
        {
            if (_registered) return;
            NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, Resolve);
            _registered = true;
        }
    }

    /// <summary>Null if all libraries load, else what is missing and how to get it.</summary>
    public static string? Missing()
    {
        foreach (var library in (ReadOnlySpan<string>)[Driver, Nvrtc, CuBlas])
        {
            if (Load(library) == 0) return Explain(library);
        }

        return null;
    }

    /// <summary>File names to try for a library, best first.</summary>
    internal static IReadOnlyList<string> NamesOf(string library, bool isWindows) => (library, isWindows) switch
    {
        (Driver, true) => ["nvcuda.dll"],
        (Driver, false) => ["libcuda.so.1", "libcuda.so"],
        (Nvrtc, true) => ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"],
        (Nvrtc, false) => ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"],
        (CuBlas, true) => ["cublas64_13.dll", "cublas64_12.dll"],
        _ => ["libcublas.so.13", "libcublas.so.12", "libcublas.so"],
    };

    /// <summary>Folders to look in after the system's own search.</summary>
    internal static IEnumerable<string> Folders(string? cudaPath, bool isWindows)
    {
        string[] roots = isWindows ? [cudaPath ?? ""] : [cudaPath ?? "", "/usr/local/cuda"];
        string[] folders = isWindows ? ["bin", "bin/x64"] : ["lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"];
        return roots.Where(root => root.Length > 0).SelectMany(root => folders.Select(folder => Path.Combine(root, folder)));
    }

    internal static string Explain(string library)
    {
        var names = string.Join(", ", NamesOf(library, OperatingSystem.IsWindows()));
        return library == Driver
            ? $"No CUDA driver was found (tried {names}). Install the NVIDIA driver of the GPU; in a container, start it with GPU access."
            : $"{(library == Nvrtc ? "NVRTC" : "cuBLAS")} was not found (tried {names}). Install the CUDA toolkit 12 or 13, or the packages of these two " +
              "libraries alone (cuda-nvrtc, libcublas), and put their folder on LD_LIBRARY_PATH (PATH on Windows) or set CUDA_PATH.";
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name is not (Driver or Nvrtc or CuBlas)) return 0;
        var handle = Load(name);
        return handle != 0 ? handle : throw new CudaException(Explain(name));
    }

    private static nint Load(string library)
    {
        lock (Gate)
        {
            if (Loaded.TryGetValue(library, out var known)) return known;
            var isWindows = OperatingSystem.IsWindows();
            var handle = (nint)0;
            foreach (var name in NamesOf(library, isWindows))
            {
                if (NativeLibrary.TryLoad(name, out handle)) break;
                foreach (var folder in Folders(Environment.GetEnvironmentVariable("CUDA_PATH"), isWindows))
                {
                    if (NativeLibrary.TryLoad(Path.Combine(folder, name), out handle)) break;
                }

                if (handle != 0) break;
            }

            if (handle != 0) Loaded[library] = handle;
            return handle;
        }
    }
}
