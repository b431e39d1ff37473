using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Hone.Sandbox;

/// <summary>A process of Deno with Pyodide, and the messages to and from it.</summary>
internal sealed class PythonProcess : IPythonGuest
{
    // Deno's own, beside the memory of Python.
    private const long Overhead = 512L << 20;
    private const int PageSize = 64 << 10;

    private readonly Process process;
    private readonly long maxMemory;
    private readonly MessageChannel channel;
    private readonly Task<string> complaints;

    private PythonProcess(Process process, long maxMemory)
    {
        (this.process, this.maxMemory) = (process, maxMemory);
        channel = new(process.StandardOutput.BaseStream, process.StandardInput.BaseStream);
        complaints = LastOfAsync(process.StandardError);
    }

    /// <summary>Starts a process and waits until Python is there.</summary>
    public static async Task<PythonProcess> StartAsync(PythonRuntime runtime, long maxMemory, PythonOptions options, CancellationToken cancellationToken)
    {
        var python = new PythonProcess(Launch(runtime, maxMemory), maxMemory);
        using var limit = new CancellationTokenSource(options.StartTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var ready = await python.ReceiveAsync(either.Token).ConfigureAwait(false);
            if (ready?.RootElement.TryGetProperty("method", out var method) == true && method.GetString() == "ready")
                return python;
            python.Kill();
            throw new CodeInterpreterException($"Python did not start: {await python.complaints.ConfigureAwait(false)}");
        }
        catch (OperationCanceledException error)
        {
            python.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new CodeInterpreterException($"Python did not start within {options.StartTimeout}.", error);
        }
    }

    /// <summary>True when the process has ended by itself.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>True when the process holds more memory than it may, however it got it.</summary>
    public bool IsTooLarge()
    {
        try
        {
            process.Refresh();
            return !process.HasExited && process.WorkingSet64 > maxMemory + Overhead;
        }
        catch (InvalidOperationException)
        {
            return false; // It has just ended.
        }
    }

    public Task SendAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken) => channel.SendAsync(write, cancellationToken);

    public Task<JsonDocument?> ReceiveAsync(CancellationToken cancellationToken) => channel.ReceiveAsync(cancellationToken);

    public void Kill()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
            Debug.Assert(process.HasExited);
        }
    }

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    private static Process Launch(PythonRuntime runtime, long maxMemory)
    {
        var pages = Math.Max(maxMemory, PythonOptions.LeastMemory) / PageSize;
        var start = new ProcessStartInfo(runtime.Deno)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = runtime.Directory,
        };
        string[] arguments =
        [
            "run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only", $"--allow-read={runtime.Pyodide}",
            string.Create(CultureInfo.InvariantCulture, $"--v8-flags=--wasm-max-mem-pages={pages},--max-old-space-size=256,--disallow-code-generation-from-strings"),
            RunnerFiles.ScriptIn(runtime.Directory), runtime.Pyodide, new Uri(runtime.Pyodide).AbsoluteUri,
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        // Nothing of this process's environment; on Windows programs do not start without its root.
        var root = Environment.GetEnvironmentVariable("SystemRoot");
        start.Environment.Clear();
        if (OperatingSystem.IsWindows())
            start.Environment["SystemRoot"] = root;
        start.Environment["DENO_DIR"] = Path.Combine(runtime.Directory, "deno");
        start.Environment["DENO_NO_UPDATE_CHECK"] = "1";
        start.Environment["NO_COLOR"] = "1";
        try
        {
            return Process.Start(start) ?? throw new CodeInterpreterException("Deno could not be started.");
        }
        catch (Win32Exception error)
        {
            throw new CodeInterpreterException($"Deno could not be started: {error.Message}", error);
        }
    }

    // Read to its end, so that the process never waits for us; the last of it says why it did not start.
    private static async Task<string> LastOfAsync(StreamReader reader)
    {
        var (kept, piece) = (string.Empty, new char[2048]);
        try
        {
            for (int count; (count = await reader.ReadAsync(piece.AsMemory()).ConfigureAwait(false)) > 0;)
                kept = (kept + new string(piece, 0, count)) is { Length: > 2000 } all ? all[^2000..] : kept + new string(piece, 0, count);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return kept;
        }

        return kept;
    }
}
