using System.Security.Cryptography;
using System.Text;

namespace Hone.Sandbox;

/// <summary>Our own side of the process: the script that Deno runs, and the Python that it starts with.</summary>
internal static class RunnerFiles
{
    public static string Session { get; } = Read("session.py");

    private static string Runner { get; } = Read("runner.js");

    /// <summary>The script as a file; it is written once a version.</summary>
    public static string ScriptIn(string directory)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Runner)))[..16];
        var path = Path.Combine(directory, $"runner-{hash}.mjs");
        if (File.Exists(path) && File.ReadAllText(path) == Runner)
            return path;
        var part = Path.Combine(directory, $"runner-{Guid.NewGuid():N}.part");
        File.WriteAllText(part, Runner);
        File.Move(part, path, overwrite: true);
        return path;
    }

    private static string Read(string name)
    {
        using var stream = typeof(RunnerFiles).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
