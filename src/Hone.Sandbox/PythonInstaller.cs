using System.ComponentModel;
using System.Diagnostics;

namespace Hone.Sandbox;

/// <summary>
/// Brings what <see cref="PythonInterpreter"/> needs, Deno and Pyodide, into a folder of the user's: about 110 MB, once. Needs npm; nothing of the packages is
/// run to install them.
/// </summary>
public static class PythonInstaller
{
    internal const string DenoVersion = "2.9.6";
    internal const string PyodideVersion = "314.0.7";

    /// <summary>The environment variable that names another folder.</summary>
    public const string DirectoryVariable = "HONE_PYTHON";

    private const string Packages = $"deno@{DenoVersion} pyodide@{PyodideVersion}";

    /// <summary>Where it is looked for: <c>HONE_PYTHON</c>, or a folder by version in the user's local data.</summary>
    public static string DefaultDirectory => Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } named
        ? Path.GetFullPath(named)
        : Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "hone",
            $"python-{DenoVersion}-{PyodideVersion}");

    /// <summary>The command that does the same as <see cref="InstallAsync"/>.</summary>
    /// <param name="directory">Where to; null takes <see cref="DefaultDirectory"/>.</param>
    public static string GetCommand(string? directory = null) => $"npm install --prefix \"{directory ?? DefaultDirectory}\" {string.Join(' ', Flags)} {Packages}";

    /// <summary>True when everything is there.</summary>
    /// <param name="directory">Where; null takes <see cref="DefaultDirectory"/>.</param>
    public static bool IsInstalled(string? directory = null) => PythonRuntime.Find(directory ?? DefaultDirectory) is not null;

    /// <summary>Installs what is missing.</summary>
    /// <param name="directory">Where to; null takes <see cref="DefaultDirectory"/>.</param>
    /// <param name="cancellationToken">Stops npm.</param>
    /// <exception cref="CodeInterpreterException">There is no npm, or it failed; the message has what it said.</exception>
    public static async Task InstallAsync(string? directory = null, CancellationToken cancellationToken = default)
    {
        directory = Path.GetFullPath(directory ?? DefaultDirectory);
        if (IsInstalled(directory))
            return;
        Directory.CreateDirectory(directory);
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        string[] arguments = ["install", "--prefix", directory, .. Flags, .. Packages.Split(' ')];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var (code, said) = await RunAsync(start, cancellationToken).ConfigureAwait(false);
        if (code != 0 || !IsInstalled(directory))
            throw new CodeInterpreterException($"npm could not install {Packages} into {directory} (exit code {code}): {said}");
    }

    private static string[] Flags => ["--ignore-scripts", "--no-audit", "--no-fund"];

    private static async Task<(int Code, string Said)> RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        using var npm = Start(start);
        npm.StandardInput.Close();
        var output = npm.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = npm.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await npm.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            throw;
        }

        var said = (await output.ConfigureAwait(false) + await errors.ConfigureAwait(false)).Trim();
        return (npm.ExitCode, said.Length > 2000 ? said[^2000..] : said);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new CodeInterpreterException("npm could not be started.");
        }
        catch (Win32Exception error)
        {
            throw new CodeInterpreterException("Deno and Pyodide are installed with npm, which was not found. Install Node.js, or copy an installed folder.", error);
        }
    }
}
