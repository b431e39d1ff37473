namespace Hone.Sandbox;

/// <summary>A time limit whose clock can be stopped.</summary>
internal sealed class PausableLimit(TimeSpan limit, TimeProvider time)
{
    private TimeSpan left = limit;
    private long since = time.GetTimestamp();

    /// <summary>Cancelled when the time is up. Whoever made this disposes it.</summary>
    public CancellationTokenSource Expiry { get; } = new(limit, time);

    public void Pause()
    {
        left -= time.GetElapsedTime(since);
        Expiry.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    public void Resume()
    {
        since = time.GetTimestamp();
        Expiry.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }
}
