using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Clients;

/// <summary>A clock that leaps ahead whenever somebody waits, and remembers how long they meant to wait.</summary>
internal sealed class LeapingTime : FakeTimeProvider
{
    private readonly Lock gate = new();
    private readonly List<TimeSpan> waits = [];

    public LeapingTime() : base(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))
    {
    }

    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (gate)
                return [.. waits];
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new LeapingTimer(this, base.CreateTimer(callback, state, dueTime, period));
        Leap(dueTime);
        return timer;
    }

    private void Leap(TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero)
            return;
        lock (gate)
            waits.Add(wait);
        _ = Task.Run(() => Advance(wait));
    }

    private sealed class LeapingTimer(LeapingTime time, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            time.Leap(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
