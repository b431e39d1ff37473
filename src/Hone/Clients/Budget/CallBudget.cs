using System.Collections.Immutable;
using System.Globalization;

namespace Hone;

/// <summary>
/// Limits what calls may cost in all. Each call reserves the most that it may cost before it begins, so that no number of calls at once can exceed
/// a limit, and settles on what it did cost. A call that does not fit only because of others that run waits for them; one that can no longer fit is
/// refused. One that ends in an error gives everything back; one that the cache answers never asks.
/// </summary>
/// <remarks>
/// The bound of a prompt is its length in UTF-8 bytes plus a few tokens a message, with <see cref="CallBudgetLimits.AssumedMediaTokens"/> for media;
/// that of an answer is its output limit. It holds where the provider keeps to the limit. A client that repeats calls by itself must not.
/// </remarks>
public sealed class CallBudget : IDisposable
{
    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = [];
    private readonly Dictionary<string, Spending> byRole = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Spending> byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Spending> reservedByRole = new(StringComparer.Ordinal);
    private readonly TimeProvider time;
    private CancellationTokenSource? deadline;
    private long? started;
    private Spending spent;
    private Spending reserved;
    private Spending largest;
    private int refusals;

    /// <summary>Creates a budget; several models may share it.</summary>
    /// <param name="limits">What may be spent.</param>
    /// <param name="prices">Prices of models that have none of their own.</param>
    /// <param name="time">The clock; the system's by default.</param>
    public CallBudget(CallBudgetLimits limits, IPriceTable? prices = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        Limits = limits;
        Prices = prices;
        this.time = time ?? TimeProvider.System;
    }

    /// <summary>What may be spent.</summary>
    public CallBudgetLimits Limits { get; }

    internal IPriceTable? Prices { get; }

    /// <summary>Called when a call has reserved what it may cost, or more, and before it is made: whoever keeps a record can do so in time.</summary>
    internal Action? Reserved { get; set; }

    /// <summary>How many calls were refused: a program may have swallowed the error.</summary>
    internal int RefusalCount => Volatile.Read(ref refusals);

    /// <summary>What was spent and is reserved now.</summary>
    public BudgetSnapshot GetSnapshot()
    {
        lock (gate)
            return Snapshot() with { ByRole = byRole.ToImmutableSortedDictionary(StringComparer.Ordinal), ByPath = byPath.ToImmutableSortedDictionary(StringComparer.Ordinal) };
    }

    /// <summary>What was spent and is reserved now, by role.</summary>
    internal (ImmutableSortedDictionary<string, Spending> Spent, ImmutableSortedDictionary<string, Spending> Reserved) GetByRole()
    {
        lock (gate)
            return (
                byRole.ToImmutableSortedDictionary(StringComparer.Ordinal),
                reservedByRole.Where(role => role.Value != default).ToImmutableSortedDictionary(StringComparer.Ordinal));
    }

    /// <summary>How far the limits are away from what was spent, less the most that one call has asked for; null where there is no limit.</summary>
    internal (long? Calls, long? Tokens, decimal? Money) Remaining()
    {
        lock (gate)
            return (
                Limits.MaxCalls - spent.Calls - largest.Calls,
                Least(
                    Limits.MaxTokens - spent.TotalTokens - largest.TotalTokens,
                    Least(Limits.MaxInputTokens - spent.InputTokens - largest.InputTokens, Limits.MaxOutputTokens - spent.OutputTokens - largest.OutputTokens)),
                Limits.MaxMoney - spent.Money - largest.Money);

        static long? Least(long? left, long? right) => left is { } one && right is { } other ? Math.Min(one, other) : left ?? right;
    }

    /// <summary>What the limits leave beside what was spent; null where there is no limit.</summary>
    internal (long? Calls, long? Tokens, decimal? Money) Left()
    {
        lock (gate)
            return (Limits.MaxCalls - spent.Calls, Limits.MaxTokens - spent.TotalTokens, Limits.MaxMoney - spent.Money);
    }

    /// <summary>Counts what an earlier process had spent.</summary>
    internal void ContinueFrom(Spending before, string role)
    {
        lock (gate)
        {
            spent += before;
            byRole[role] = byRole.GetValueOrDefault(role) + before;
        }
    }

    /// <summary>Stops the clock of <see cref="CallBudgetLimits.MaxTime"/>.</summary>
    public void Dispose() => deadline?.Dispose();

    /// <summary>Cancelled when the time is up; null without such a limit.</summary>
    internal CancellationToken? Deadline => deadline?.Token;

    internal bool IsOutOfTime => deadline?.IsCancellationRequested == true;

    /// <summary>Takes what a call may cost out of the budget; waits while only running calls stand in its way.</summary>
    /// <exception cref="BudgetExceededException">The call cannot fit.</exception>
    internal ValueTask<BudgetReservation> ReserveAsync(Spending asked, string role, string path, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (gate)
        {
            StartClock();
            largest = new(
                Math.Max(largest.Calls, asked.Calls),
                Math.Max(largest.InputTokens, asked.InputTokens),
                Math.Max(largest.OutputTokens, asked.OutputTokens),
                Math.Max(largest.Money, asked.Money));
            if (Obstacle(asked, default) is { } limit)
                throw Exceeded(limit, asked, path);
            waiter = new(new(this, asked, role, path));
            if (waiters.Count == 0 && Obstacle(asked, reserved) is null)
            {
                Hold(asked, role);
                return ValueTask.FromResult(waiter.Reservation);
            }

            waiter.Node = waiters.AddLast(waiter);
        }

        return new(WaitAsync(waiter, cancellationToken));
    }

    /// <summary>What a running call may cost grows by one more attempt.</summary>
    internal void AddCall(BudgetReservation reservation, Exception cause)
    {
        var more = new Spending(1, 0, 0, 0);
        lock (gate)
        {
            if (Obstacle(more, reserved) is { } limit)
                throw Exceeded(limit, more, reservation.Path, cause);
            Hold(more, reservation.Role);
            reservation.Held += more;
        }

        Reserved?.Invoke();
    }

    /// <summary>Gives a reservation back and counts what the call did cost.</summary>
    internal void Settle(BudgetReservation reservation, Spending actual)
    {
        lock (gate)
        {
            Hold(default(Spending) - reservation.Held, reservation.Role);
            if (actual != default)
            {
                spent += actual;
                byRole[reservation.Role] = byRole.GetValueOrDefault(reservation.Role) + actual;
                byPath[reservation.Path] = byPath.GetValueOrDefault(reservation.Path) + actual;
            }

            Drain();
        }
    }

    internal BudgetExceededException OutOfTime(Spending asked, string path)
    {
        lock (gate)
            return Exceeded(nameof(CallBudgetLimits.MaxTime), asked, path);
    }

    private async Task<BudgetReservation> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        var registration = cancellationToken.UnsafeRegister((state, token) => GiveUp((Waiter)state!, token), waiter);
        await using (registration.ConfigureAwait(false))
            return await waiter.Granted.Task.ConfigureAwait(false);
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (waiter.Node?.List is null)
                return;
            waiters.Remove(waiter.Node);
            waiter.Granted.TrySetCanceled(cancellationToken);
            Drain();
        }
    }

    // Under the lock: in order of arrival, grants what fits and refuses what no longer can.
    private void Drain()
    {
        while (waiters.First is { Value: var first } node)
        {
            var asked = first.Reservation.Held;
            if (Obstacle(asked, default) is { } limit)
            {
                waiters.Remove(node);
                first.Granted.TrySetException(Exceeded(limit, asked, first.Reservation.Path));
            }
            else if (Obstacle(asked, reserved) is null)
            {
                waiters.Remove(node);
                Hold(asked, first.Reservation.Role);
                first.Granted.TrySetResult(first.Reservation);
            }
            else
            {
                return;
            }
        }
    }

    private void Hold(Spending more, string role)
    {
        reserved += more;
        reservedByRole[role] = reservedByRole.GetValueOrDefault(role) + more;
    }

    private void StartClock()
    {
        if (started is not null)
            return;
        started = time.GetTimestamp();
        if (Limits.MaxTime is not { } most)
            return;
        deadline = new(most, time);
        deadline.Token.UnsafeRegister(state => ((CallBudget)state!).OnDeadline(), this);
    }

    private void OnDeadline()
    {
        lock (gate)
            Drain();
    }

    // The limit that the call would exceed beside the given running ones; null when it fits.
    private string? Obstacle(Spending asked, Spending running)
    {
        var all = spent + running + asked;
        return IsOutOfTime ? nameof(CallBudgetLimits.MaxTime)
            : all.Calls > Limits.MaxCalls ? nameof(CallBudgetLimits.MaxCalls)
            : all.Money > Limits.MaxMoney ? nameof(CallBudgetLimits.MaxMoney)
            : all.InputTokens > Limits.MaxInputTokens ? nameof(CallBudgetLimits.MaxInputTokens)
            : all.OutputTokens > Limits.MaxOutputTokens ? nameof(CallBudgetLimits.MaxOutputTokens)
            : all.TotalTokens > Limits.MaxTokens ? nameof(CallBudgetLimits.MaxTokens)
            : null;
    }

    private BudgetExceededException Exceeded(string limit, Spending asked, string path, Exception? cause = null)
    {
        var most = limit switch
        {
            nameof(CallBudgetLimits.MaxTime) => Limits.MaxTime!.Value.ToString("c", CultureInfo.InvariantCulture),
            nameof(CallBudgetLimits.MaxCalls) => $"{Limits.MaxCalls} calls",
            nameof(CallBudgetLimits.MaxMoney) => string.Create(CultureInfo.InvariantCulture, $"${Limits.MaxMoney:0.######}"),
            nameof(CallBudgetLimits.MaxInputTokens) => $"{Limits.MaxInputTokens} tokens",
            nameof(CallBudgetLimits.MaxOutputTokens) => $"{Limits.MaxOutputTokens} tokens",
            _ => $"{Limits.MaxTokens} tokens",
        };
        Interlocked.Increment(ref refusals);
        HoneDiagnostics.BudgetRejections.Add(1, new KeyValuePair<string, object?>("hone.budget.limit", limit));
        return new(limit, most, Snapshot(), asked, path.Length == 0 ? "this call" : $"this call of predictor '{path}'", cause);
    }

    private BudgetSnapshot Snapshot() => new(spent, reserved, started is { } start ? time.GetElapsedTime(start) : TimeSpan.Zero);

    private sealed class Waiter(BudgetReservation reservation)
    {
        public BudgetReservation Reservation { get; } = reservation;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource<BudgetReservation> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What one running call holds of a budget.</summary>
internal sealed class BudgetReservation(CallBudget budget, Spending asked, string role, string path)
{
    private int isClosed;

    /// <summary>What the same call holds of a budget around this one; null when there is none.</summary>
    public BudgetReservation? Outer { get; set; }

    public Spending Held { get; set; } = asked;

    public string Role { get; } = role;

    public string Path { get; } = path;

    /// <summary>Asks for one more attempt.</summary>
    /// <exception cref="BudgetExceededException">It does not fit.</exception>
    public void AddCall(Exception cause)
    {
        Outer?.AddCall(cause);
        budget.AddCall(this, cause);
    }

    /// <summary>Counts what the call did cost.</summary>
    public void Settle(Spending actual)
    {
        if (Interlocked.Exchange(ref isClosed, 1) == 0)
            budget.Settle(this, actual);
    }

    /// <summary>Gives everything back, unless the call has been settled.</summary>
    public void Release() => Settle(default);
}
