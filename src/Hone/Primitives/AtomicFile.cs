using System.Text;

namespace Hone;

/// <summary>Writes files and directories so that a reader sees the old content or the new, never half of it.</summary>
public static class AtomicFile
{
    private static long writes;

    /// <summary>Writes a file through a temporary one beside it.</summary>
    public static async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = Beside(full, "tmp");
        try
        {
            var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
            await using (stream.ConfigureAwait(false))
            {
                await write(stream, cancellationToken).ConfigureAwait(false);
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes a file through a temporary one beside it, synchronously: for writers that compute what they write.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = Beside(full, "tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes text as UTF-8.</summary>
    public static Task WriteTextAsync(string path, string text, CancellationToken cancellationToken = default) =>
        WriteAsync(path, (stream, token) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), token).AsTask(), cancellationToken);

    /// <summary>Fills a temporary directory and renames it into place, replacing what was there.</summary>
    public static async Task WriteDirectoryAsync(string path, Func<string, CancellationToken, Task> fill, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var temporary = Beside(full, "tmp");
        var replaced = Beside(full, "old");
        DeleteDirectory(temporary);
        DeleteDirectory(replaced);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        try
        {
            await fill(temporary, cancellationToken).ConfigureAwait(false);
            if (Directory.Exists(full))
                Directory.Move(full, replaced);
            Directory.Move(temporary, full);
        }
        finally
        {
            DeleteDirectory(temporary);
            DeleteDirectory(replaced);
        }
    }

    // A name of its own for each write: several may write one file at once.
    private static string Beside(string path, string kind) => $"{path}.{Environment.ProcessId}-{Interlocked.Increment(ref writes)}.{kind}";

    private static void DeleteDirectory(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
