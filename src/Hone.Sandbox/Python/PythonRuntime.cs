namespace Hone.Sandbox;

/// <summary>An installed Deno with Pyodide.</summary>
/// <param name="Directory">Where.</param>
/// <param name="Deno">The program.</param>
/// <param name="Pyodide">The folder of the package.</param>
internal sealed record PythonRuntime(string Directory, string Deno, string Pyodide)
{
    public static PythonRuntime? Find(string directory)
    {
        var modules = Path.Combine(directory, "node_modules");
        var pyodide = Path.Combine(modules, "pyodide");
        var platforms = Path.Combine(modules, "@deno");
        if (!File.Exists(Path.Combine(pyodide, "pyodide.asm.wasm")) || !System.IO.Directory.Exists(platforms))
            return null;
        var deno = System.IO.Directory.EnumerateDirectories(platforms)
            .Select(platform => Path.Combine(platform, OperatingSystem.IsWindows() ? "deno.exe" : "deno"))
            .FirstOrDefault(File.Exists);
        return deno is null ? null : new(directory, Path.GetFullPath(deno), Path.GetFullPath(pyodide));
    }

    /// <exception cref="CodeInterpreterException">It is not installed; the message says how.</exception>
    public static PythonRuntime Require(string directory) => Find(directory) ?? throw new CodeInterpreterException(
        $"Python needs Deno and Pyodide, which are not in {directory}. Install them once with: {PythonInstaller.GetCommand(directory)} "
        + $"(or {nameof(PythonInstaller)}.{nameof(PythonInstaller.InstallAsync)} in code).");
}
