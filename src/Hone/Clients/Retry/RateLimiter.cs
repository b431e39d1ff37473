namespace Hone;

/// <summary>What a provider allows. Null means no limit.</summary>
public sealed record RateLimits
{
    /// <summary>Most calls under way at once.</summary>
    public int? MaxConcurrentCalls { get; init; }

    /// <summary>Most calls begun within any 60 seconds.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Most tokens, in and out, within any 60 seconds: estimated when a call begins, corrected when it ends.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>Longest pause that a provider's answer may impose on everyone; a longer one concerns only the call that got it.</summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>
/// Holds calls back so that a provider's limits are kept. One limiter may serve several models: they then share the limits, and the pause when the
/// provider answers that it is too much. Calls proceed in the order in which they arrived.
/// </summary>
public sealed class RateLimiter : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = [];
    private readonly Queue<long> begun = [];
    private readonly Queue<TokenEntry> spent = [];
    private readonly RateLimits limits;
    private readonly TimeProvider time;
    private ITimer? timer;
    private long spentTokens;
    private long? pausedUntil;
    private int running;

    /// <summary>Creates a limiter.</summary>
    /// <param name="limits">What to keep to.</param>
    /// <param name="time">The clock; the system's by default.</param>
    public RateLimiter(RateLimits limits, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        if (limits.MaxConcurrentCalls < 1 || limits.RequestsPerMinute < 1 || limits.TokensPerMinute < 1)
            throw new LMConfigurationException($"A rate limit is below 1, so no call could ever proceed: {limits}. Use null for no limit.");
        this.limits = limits;
        this.time = time ?? TimeProvider.System;
    }

    /// <summary>Number of calls under way.</summary>
    public int Running
    {
        get
        {
            lock (gate)
                return running;
        }
    }

    /// <summary>Number of calls held back.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return waiters.Count;
        }
    }

    /// <summary>Waits for a place; dispose it when the call has ended.</summary>
    /// <param name="tokens">Tokens that the call may take.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    public ValueTask<RateLease> AcquireAsync(long tokens = 0, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (gate)
        {
            if (waiters.Count == 0 && TryGrant(tokens, out _) is { } lease)
                return ValueTask.FromResult(lease);
            waiter = new(tokens);
            waiter.Node = waiters.AddLast(waiter);
            Drain();
        }

        return new(WaitAsync(waiter, cancellationToken));
    }

    /// <summary>Lets no call begin for a time; a longer pause that is on already stays.</summary>
    public void Pause(TimeSpan duration)
    {
        lock (gate)
        {
            var until = time.GetTimestamp() + Ticks(duration);
            if (pausedUntil is null || until > pausedUntil)
                pausedUntil = until;
            Drain();
        }
    }

    /// <summary>Stops the timer; calls that still wait stay where they are.</summary>
    public void Dispose() => timer?.Dispose();

    /// <summary>Pauses as a provider asked; false when that is longer than allowed.</summary>
    internal bool TryPause(TimeSpan asked)
    {
        if (asked > limits.MaxPause)
            return false;
        Pause(asked);
        return true;
    }

    internal void Release(TokenEntry? entry, long? actualTokens)
    {
        lock (gate)
        {
            running--;
            if (entry is not null && actualTokens is { } actual && !entry.IsExpired)
            {
                spentTokens += actual - entry.Tokens;
                entry.Tokens = actual;
            }

            Drain();
        }
    }

    private async Task<RateLease> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister(
            (state, token) => GiveUp((Waiter)state!, token), waiter);
        await using (registration.ConfigureAwait(false))
            return await waiter.Granted.Task.ConfigureAwait(false);
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (waiter.Node?.List is null)
                return; // granted already: the caller holds the lease
            waiters.Remove(waiter.Node);
            waiter.Granted.TrySetCanceled(cancellationToken);
            Drain();
        }
    }

    // Under the lock: lets waiting calls go in order, and sets the timer for the first that cannot go yet.
    private void Drain()
    {
        while (waiters.First is { } first)
        {
            if (TryGrant(first.Value.Tokens, out var wait) is not { } lease)
            {
                if (wait is { } until)
                    Schedule(until);
                return;
            }

            waiters.RemoveFirst();
            first.Value.Granted.TrySetResult(lease);
        }
    }

    private void Schedule(TimeSpan wait)
    {
        var due = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));
        if (timer is null)
            timer = time.CreateTimer(_ => OnTimer(), null, due, Timeout.InfiniteTimeSpan);
        else
            timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (gate)
            Drain();
    }

    // The wait is null when only another call's end can help.
    private RateLease? TryGrant(long tokens, out TimeSpan? wait)
    {
        var now = time.GetTimestamp();
        wait = null;
        if (pausedUntil is { } until)
        {
            if (now < until)
            {
                wait = time.GetElapsedTime(now, until);
                return null;
            }

            pausedUntil = null;
        }

        if (running >= limits.MaxConcurrentCalls)
            return null;
        Forget(now - Ticks(Window));
        if (begun.Count >= limits.RequestsPerMinute)
        {
            wait = Window - time.GetElapsedTime(begun.Peek(), now);
            return null;
        }

        if (limits.TokensPerMinute is { } most && spent.Count > 0 && spentTokens + tokens > most)
        {
            wait = Window - time.GetElapsedTime(spent.Peek().Start, now);
            return null;
        }

        running++;
        if (limits.RequestsPerMinute is not null)
            begun.Enqueue(now);
        TokenEntry? entry = null;
        if (limits.TokensPerMinute is not null)
        {
            entry = new(now) { Tokens = tokens };
            spent.Enqueue(entry);
            spentTokens += tokens;
        }

        return new RateLease(this, entry);
    }

    private void Forget(long before)
    {
        while (begun.Count > 0 && begun.Peek() <= before)
            begun.Dequeue();
        while (spent.Count > 0 && spent.Peek().Start <= before)
        {
            var entry = spent.Dequeue();
            entry.IsExpired = true;
            spentTokens -= entry.Tokens;
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private sealed class Waiter(long tokens)
    {
        public long Tokens { get; } = tokens;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource<RateLease> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A place under a rate limiter's limits.</summary>
public sealed class RateLease : IDisposable
{
    private readonly RateLimiter limiter;
    private readonly TokenEntry? entry;
    private long? actual;
    private int isDisposed;

    internal RateLease(RateLimiter limiter, TokenEntry? entry) => (this.limiter, this.entry) = (limiter, entry);

    /// <summary>Says how many tokens the call really took.</summary>
    public void Settle(long tokens) => actual = tokens;

    /// <summary>Gives the place back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) == 0)
            limiter.Release(entry, actual);
    }
}

/// <summary>Tokens of one call within the window.</summary>
internal sealed class TokenEntry(long start)
{
    public long Start { get; } = start;

    public long Tokens { get; set; }

    public bool IsExpired { get; set; }
}
