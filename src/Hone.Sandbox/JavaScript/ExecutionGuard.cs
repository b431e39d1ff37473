using System.Runtime.CompilerServices;
using Jint;

namespace Hone.Sandbox.JavaScript;

/// <summary>Asked before each statement: has the code's time run out, does the caller still want it, is there stack left? Waiting for a tool stops the clock.</summary>
internal sealed class ExecutionGuard(TimeProvider time) : Constraint
{
    // Reading the clock costs more than a statement does.
    private const int ChecksPerLook = 32;

    private CancellationToken cancellationToken;
    private TimeSpan left;
    private long since;
    private int checks;

    public void Begin(TimeSpan limit, CancellationToken token) => (left, since, cancellationToken, checks) = (limit, time.GetTimestamp(), token, 0);

    public void Pause() => left -= time.GetElapsedTime(since);

    public void Resume() => since = time.GetTimestamp();

    public override void Check()
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new InsufficientExecutionStackException();
        if (++checks % ChecksPerLook == 0 && time.GetElapsedTime(since) > left)
            throw new TimeoutException();
    }

    // Jint resets constraints whenever it is entered; a piece of code has one clock all the same.
    public override void Reset()
    {
    }
}
