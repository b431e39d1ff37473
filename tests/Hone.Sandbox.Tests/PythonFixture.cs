[assembly: AssemblyFixture(typeof(Hone.Sandbox.Tests.PythonFixture))]

namespace Hone.Sandbox.Tests;

/// <summary>One interpreter for all tests. Where Deno and Pyodide are not installed, tests that need them are skipped and say how to install them.</summary>
public sealed class PythonFixture : IAsyncDisposable
{
    private readonly PythonInterpreter interpreter = new(new() { WarmProcesses = 1 });

    /// <summary>The interpreter; skips the test when it cannot run here, unless HONE_REQUIRE_PYTHON is set.</summary>
    public PythonInterpreter Python
    {
        get
        {
            var isRequired = Environment.GetEnvironmentVariable("HONE_REQUIRE_PYTHON") is { Length: > 0 };
            Assert.SkipUnless(isRequired || PythonInstaller.IsInstalled(), $"Deno and Pyodide are not installed. Install them with: {PythonInstaller.GetCommand()}");
            return interpreter;
        }
    }

    public ValueTask DisposeAsync() => interpreter.DisposeAsync();
}
