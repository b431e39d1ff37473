namespace Hone.Optimizers;

/// <summary>Lets a person, or a page, take part in a run: pause it, have it save its state, end it with the best so far. Safe from any thread.</summary>
public sealed class RunControl : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private TaskCompletionSource? paused;
    private bool wantsCheckpoint;

    /// <summary>True while the run waits, or will wait when the step under way is done.</summary>
    public bool IsPaused
    {
        get
        {
            lock (gate)
                return paused is not null;
        }
    }

    /// <summary>True once the run was asked to end.</summary>
    public bool IsStopRequested => stop.IsCancellationRequested;

    /// <summary>Cancelled when the run was asked to end.</summary>
    public CancellationToken Stopped => stop.Token;

    /// <summary>Lets the step under way finish, then waits.</summary>
    public void Pause()
    {
        lock (gate)
            paused ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    public void Continue()
    {
        TaskCompletionSource? waiting;
        lock (gate)
            (waiting, paused) = (paused, null);
        waiting?.TrySetResult();
    }

    /// <summary>Saves the state after the step under way, or at once while the run is paused. Does nothing for a run without a directory.</summary>
    public void RequestCheckpoint()
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            wantsCheckpoint = true;
            waiting = paused;
            if (waiting is not null)
                paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        // Wakes a paused run, which saves and waits again.
        waiting?.TrySetResult();
    }

    /// <summary>Ends the run: the step under way is dropped, the best so far is returned.</summary>
    public void Stop() => stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => stop.Dispose();

    /// <summary>Between two steps: saves if that was asked for, and waits while paused.</summary>
    internal async Task PassAsync(Func<CancellationToken, Task> save, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task? waiting;
            bool saves;
            lock (gate)
                (waiting, saves, wantsCheckpoint) = (paused?.Task, wantsCheckpoint, false);
            if (saves)
                await save(cancellationToken).ConfigureAwait(false);
            if (waiting is null)
                return;
            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
