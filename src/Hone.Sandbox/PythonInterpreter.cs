using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone.Sandbox;

/// <summary>
/// Python in a process of its own, without rights: no files but copies of those that are given, no network, no environment, no other process. A process that
/// runs too long or takes too much is killed. Needs Deno and Pyodide: see <see cref="PythonInstaller"/>.
/// </summary>
/// <param name="options">Where it is installed, how many processes are kept ready; the defaults when null.</param>
public sealed class PythonInterpreter(PythonOptions? options = null) : ICodeInterpreter
{
    private readonly PythonOptions options = options ?? new();
    private readonly Lock gate = new();
    private readonly Queue<Task<PythonProcess>> warm = [];
    private readonly HashSet<PythonSession> sessions = [];
    private readonly CancellationTokenSource ending = new();
    private bool isDisposed;

    /// <inheritdoc/>
    public string Language => "python";

    /// <inheritdoc/>
    public string Guidance =>
        "The code is Python 3 with its standard library and nothing else: no other packages, no network, no processes, no threads. `print(…)` shows values, and so "
        + "does the last expression. Functions that are given to you return at once: do not await them. Variables and functions stay for the next piece of code.";

    /// <summary>Starts the processes that are kept ready, and waits for them: the first session then opens at once.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="CodeInterpreterException">Deno and Pyodide are not installed, or do not start.</exception>
    public async Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        var runtime = PythonRuntime.Require(options.DirectoryOrDefault);
        Task[] starting;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            Refill(runtime);
            starting = [.. warm];
        }

        await Task.WhenAll(starting).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<ICodeSession> OpenAsync(CodeSessionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        var tools = new CodeToolSet(options);
        var runtime = PythonRuntime.Require(this.options.DirectoryOrDefault);
        if (await OpenReadyAsync(runtime, options, tools, cancellationToken).ConfigureAwait(false) is { } ready)
            return ready;
        var process = await PythonProcess.StartAsync(runtime, options.Limits.MaxMemory, this.options, cancellationToken).ConfigureAwait(false);
        FillUp(runtime);
        return await OpenAsync(process, options, tools, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Task<PythonProcess>[] idle;
        PythonSession[] open;
        lock (gate)
        {
            if (isDisposed)
                return;
            isDisposed = true;
            (idle, open) = ([.. warm], [.. sessions]);
            warm.Clear();
        }

        await ending.CancelAsync().ConfigureAwait(false);
        foreach (var session in open)
            await session.DisposeAsync().ConfigureAwait(false);
        foreach (var starting in idle)
        {
            await ((Task)starting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (starting.IsCompletedSuccessfully)
                (await starting.ConfigureAwait(false)).Dispose();
        }

        ending.Dispose();
    }

    private bool Remember(PythonSession session)
    {
        lock (gate)
            return !isDisposed && sessions.Add(session);
    }

    private void Forget(PythonSession session)
    {
        lock (gate)
            sessions.Remove(session);
    }

    // Processes are never used twice: nothing of one session can be found in another. Null when none is ready that works.
    private async Task<ICodeSession?> OpenReadyAsync(PythonRuntime runtime, CodeSessionOptions session, CodeToolSet tools, CancellationToken cancellationToken)
    {
        Task<PythonProcess>? ready;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (session.Limits.MaxMemory != options.WarmMemory || !warm.TryDequeue(out ready))
                return null;
        }

        try
        {
            var process = await WaitForAsync(ready, cancellationToken).ConfigureAwait(false);
            FillUp(runtime);
            return await OpenAsync(process, session, tools, cancellationToken).ConfigureAwait(false);
        }
        catch (CodeInterpreterException)
        {
            // What became of a process while it waited says nothing of the next one.
            return null;
        }
    }

    private async Task<PythonProcess> WaitForAsync(Task<PythonProcess> ready, CancellationToken cancellationToken)
    {
        try
        {
            return await ready.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for it any more: it is for the next one.
            lock (gate)
            {
                if (!isDisposed)
                    warm.Enqueue(ready);
            }

            throw;
        }
    }

    private async Task<ICodeSession> OpenAsync(PythonProcess process, CodeSessionOptions options, CodeToolSet tools, CancellationToken cancellationToken)
    {
        var session = new PythonSession(process, options, tools, this.options, Forget);
        if (!Remember(session))
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new ObjectDisposedException(nameof(PythonInterpreter));
        }

        var isOpen = false;
        try
        {
            await session.StartAsync(cancellationToken).ConfigureAwait(false);
            isOpen = true;
            return session;
        }
        finally
        {
            if (!isOpen)
                await session.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void FillUp(PythonRuntime runtime)
    {
        lock (gate)
        {
            if (!isDisposed)
                Refill(runtime);
        }
    }

    private static bool IsOver(Task<PythonProcess> starting) => starting.IsFaulted || (starting.IsCompletedSuccessfully && starting.Result.HasExited);

    [SuppressMessage("Reliability", "CA2025", Justification = "The token source is disposed after the tasks that it stops.")]
    private void Refill(PythonRuntime runtime)
    {
        for (var i = warm.Count; i > 0; i--)
        {
            var starting = warm.Dequeue();
            if (!IsOver(starting))
                warm.Enqueue(starting);
        }

        while (warm.Count < options.WarmProcesses)
            warm.Enqueue(Task.Run(() => PythonProcess.StartAsync(runtime, options.WarmMemory, options, ending.Token)));
    }
}

/// <summary>How Python is run.</summary>
public sealed record PythonOptions
{
    /// <summary>Python itself takes about this much.</summary>
    internal const long LeastMemory = 64L << 20;

    /// <summary>Where Deno and Pyodide are installed; null looks in <see cref="PythonInstaller.DefaultDirectory"/>.</summary>
    public string? Directory { get; init; }

    /// <summary>How many processes are kept started, each for one session; a start takes seconds.</summary>
    /// <value>1 by default; 0 keeps none.</value>
    public int WarmProcesses
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(WarmProcesses)); field = value; }
    } = 1;

    /// <summary>The <see cref="CodeLimits.MaxMemory"/> of the processes that are kept; a session with another one starts its own. Less than 64 MiB counts as that.</summary>
    /// <value>256 MiB by default.</value>
    public long WarmMemory { get; init; } = new CodeLimits().MaxMemory;

    /// <summary>Files that code can read, by the name under which it finds them in its working folder. They are copied into each session; the originals are out of reach.</summary>
    public ImmutableDictionary<string, string> Files { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>How long a process may take to start, and to take a session.</summary>
    /// <value>2 minutes by default; more than zero.</value>
    public TimeSpan StartTimeout
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, nameof(StartTimeout)); field = value; }
    } = TimeSpan.FromMinutes(2);

    /// <summary>The clock of the time limits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal string DirectoryOrDefault => Directory is null ? PythonInstaller.DefaultDirectory : Path.GetFullPath(Directory);
}
