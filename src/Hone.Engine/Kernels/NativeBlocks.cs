using System.Numerics;
using System.Runtime.InteropServices;

namespace Hone.Engine;

/// <summary>
/// Zeroed native memory in sizes of a few classes, given out again after use. Buffers of sampling and training come and go in thousands of sizes, on whatever
/// thread works just now; the allocator of the C library keeps such memory apart by thread and in pieces, so that a long run would take more and more of it.
/// </summary>
internal static unsafe class NativeBlocks
{
    // Smaller ones are no burden; larger ones the system maps and takes back by itself.
    private const long Smallest = 4 * 1024;
    private const long Largest = 16 * 1024 * 1024;

    // What lies ready at most; beyond it, blocks go back of the class that was not asked for the longest.
    private const long MostKept = 48 * 1024 * 1024;

    // Eight classes a doubling: at most an eighth of a block is not used.
    private const int ClassesPerDoubling = 8;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<long, Shelf> Shelves = [];
    private static long kept;
    private static long clock;

    /// <summary>At least so many zeroed bytes; <see cref="Return"/> takes them back.</summary>
    public static void* Rent(long bytes)
    {
        var size = SizeOf(bytes);
        if (Taken(size) is not { } block)
            return NativeMemory.AllocZeroed((nuint)size);
        NativeMemory.Clear((void*)block, (nuint)size);
        return (void*)block;
    }

    /// <summary>Takes back what <see cref="Rent"/> gave for as many bytes.</summary>
    public static void Return(void* block, long bytes)
    {
        if (!Keeps((nint)block, SizeOf(bytes)))
            NativeMemory.Free(block);
    }

    /// <summary>The bytes that a block of a class really has.</summary>
    internal static long SizeOf(long bytes)
    {
        if (bytes is < Smallest or > Largest)
            return bytes;
        var step = (long)BitOperations.RoundUpToPowerOf2((ulong)bytes) / 2 / ClassesPerDoubling;
        return (bytes + step - 1) / step * step;
    }

    private static bool IsPooled(long size) => size is >= Smallest and <= Largest;

    private static nint? Taken(long size)
    {
        if (!IsPooled(size))
            return null;
        lock (Gate)
        {
            var shelf = ShelfOf(size);
            if (!shelf.Blocks.TryPop(out var block))
                return null;
            kept -= size;
            return block;
        }
    }

    private static bool Keeps(nint block, long size)
    {
        if (!IsPooled(size))
            return false;
        lock (Gate)
        {
            ShelfOf(size).Blocks.Push(block);
            kept += size;
            while (kept > MostKept)
                GiveBackOne();
            return true;
        }
    }

    private static Shelf ShelfOf(long size)
    {
        if (!Shelves.TryGetValue(size, out var shelf))
            Shelves.Add(size, shelf = new());
        shelf.LastUse = ++clock;
        return shelf;
    }

    private static void GiveBackOne()
    {
        var (size, shelf) = Shelves.Where(entry => entry.Value.Blocks.Count > 0).MinBy(entry => entry.Value.LastUse);
        NativeMemory.Free((void*)shelf.Blocks.Pop());
        kept -= size;
    }

    /// <summary>The free blocks of one class.</summary>
    private sealed class Shelf
    {
        public Stack<nint> Blocks { get; } = new();

        public long LastUse { get; set; }
    }
}
