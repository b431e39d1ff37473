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
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero)
        {
            lock (gate)
                waits.Add(dueTime);
            _ = Task.Run(() => Advance(dueTime));
        }

        return timer;
    }
}
