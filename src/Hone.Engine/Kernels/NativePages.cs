using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>
/// Zeroed blocks from the C library or, when they are large, straight from the system. A training asks for large blocks of ever other sizes on all its threads; the
/// C library of Linux serves them from an arena a thread, which it can neither shrink nor share, so that a run's memory would creep up for hours. Pages of the
/// system go back when they are freed.
/// </summary>
internal static unsafe partial class NativePages
{
    // Where the C library begins to do the same, until the first such block is freed: then it takes its size for the new limit.
    private const nuint LargeBytes = 128 * 1024;

    private const int ReadWrite = 0x1 | 0x2;
    private const int PrivateAnonymous = 0x02 | 0x20;
    private static readonly void* Failed = (void*)-1;

    /// <summary>A zeroed block; large ones start at a page.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no such block.</exception>
    public static void* Allocate(nuint bytes)
    {
        if (!IsFromSystem(bytes)) return NativeMemory.AllocZeroed(bytes);
        var block = Map(null, bytes, ReadWrite, PrivateAnonymous, -1, 0);
        return block == Failed ? throw new InsufficientMemoryException($"The system has no {bytes} bytes left for a buffer. Use a smaller model or batch.") : block;
    }

    /// <summary>Gives back a block of <see cref="Allocate"/>, of the size it was asked for with.</summary>
    public static void Free(void* block, nuint bytes)
    {
        if (IsFromSystem(bytes)) Unmap(block, bytes);
        else NativeMemory.Free(block);
    }

    // Elsewhere the C library does so by itself.
    private static bool IsFromSystem(nuint bytes) => bytes >= LargeBytes && OperatingSystem.IsLinux();

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
