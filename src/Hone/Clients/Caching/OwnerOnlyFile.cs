namespace Hone;

/// <summary>A database file that only its owner can read: it holds prompts and answers.</summary>
internal static class OwnerOnlyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What is appended to the file's name for the files that belong to it.</summary>
    public static IReadOnlyList<string> Suffixes { get; } = ["", "-wal", "-shm"];

    /// <summary>Creates the folder and the empty file with narrow rights before anything is in it; SQLite gives its other files the same.</summary>
    public static void Prepare(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        if (!Directory.Exists(folder))
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        if (!File.Exists(path))
        {
            using var created = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                UnixCreateMode = OwnerOnly,
            });
        }

        Restrict(path);
    }

    /// <summary>True when the file exists and it, or its folder, is not to be written: by its rights, even where this process could pass over them.</summary>
    public static bool IsReadOnly(string path)
    {
        if (!File.Exists(path))
            return false;
        if (!OperatingSystem.IsWindows() && (IsLocked(path) || IsLocked(Path.GetDirectoryName(path)!)))
            return true;
        return !IsWritable(path);
    }

    /// <summary>True when this process may write the file.</summary>
    public static bool IsWritable(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool IsLocked(string path) =>
        (File.GetUnixFileMode(path) & (UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0;

    /// <summary>Narrows the rights of the files that exist.</summary>
    public static void Restrict(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var suffix in Suffixes)
        {
            try
            {
                if (File.Exists(path + suffix) && File.GetUnixFileMode(path + suffix) != OwnerOnly)
                    File.SetUnixFileMode(path + suffix, OwnerOnly);
            }
            catch (FileNotFoundException)
            {
                continue; // another process closed the journal in between
            }
        }
    }
}
