using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Hone.Engine;

/// <summary>Some units of a phase of a step, done by a member of a crew; member 0 is the worker whose step it is.</summary>
internal readonly record struct StepPart(HostInferenceModel Model, HostScratch Scratch, int Layer, int First, int End, int Member)
{
    public PackedLayer Weights => Model.WeightsOf(Layer);

    public LowRankLayer Updates => Model.UpdatesOf(Layer);
}

/// <summary>A phase of a step: work on units that do not depend on each other.</summary>
internal delegate void StepPhase(in StepPart part);

/// <summary>
/// Idle threads that help a worker with its steps. A phase is divided into parts, and whoever is free takes the next one: a helper that the system puts aside
/// is waited for no longer than its part takes, and what is computed depends neither on how many help nor on who does what.
/// </summary>
/// <param name="size">Most members, the worker itself included.</param>
internal sealed class StepCrew(int size)
{
    private const int PartBits = 16;
    private const int PartMask = (1 << PartBits) - 1;

    // How long a helper that finds nothing to do stays: longer than the serial parts of a step and the sampling between two steps take.
    private static readonly TimeSpan Patience = TimeSpan.FromMicroseconds(500);

    private readonly bool[] _isMember = new bool[size];
    private StepPhase? _phase;
    private StepPart _whole;
    private int _grain;
    private ExceptionDispatchInfo? _error;

    // Number of the phase, of its parts, and of the next part: one word, so that a part is taken from the phase that was looked at or not at all.
    private long _ticket;
    private int _finished;
    private int _helpers;
    private long _partsHelped;
    private volatile bool _isOpen;

    /// <summary>Most members, the worker itself included.</summary>
    public int Size => size;

    /// <summary>Whether anybody helps now.</summary>
    public bool HasHelpers => Volatile.Read(ref _helpers) > 0;

    /// <summary>How many help now.</summary>
    public int HelperCount => Volatile.Read(ref _helpers);

    /// <summary>Parts that helpers have done so far.</summary>
    public long PartsHelped => Volatile.Read(ref _partsHelped);

    /// <summary>Whether helpers may come in.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Lets helpers in.</summary>
    public void Open() => _isOpen = true;

    /// <summary>Sends helpers away as soon as their parts are done.</summary>
    public void Close() => _isOpen = false;

    /// <summary>Runs a phase with whoever helps; returns when all of it is done.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="whole">All of its units.</param>
    /// <param name="grain">Units of a part.</param>
    public void Run(StepPhase phase, in StepPart whole, int grain)
    {
        var units = whole.End - whole.First;
        grain = Math.Max(grain, (units + PartMask - 1) / PartMask);
        var parts = (units + grain - 1) / grain;
        (_phase, _whole, _grain, _finished) = (phase, whole, grain, 0);
        Volatile.Write(ref _ticket, (((_ticket >> (2 * PartBits)) + 1) << (2 * PartBits)) | ((long)parts << PartBits));
        try
        {
            while (TryTake(out var part)) Do(part, member: 0);
        }
        finally
        {
            SpinWait spin = default;
            while (Volatile.Read(ref _finished) < parts) spin.SpinOnce(sleep1Threshold: -1);
            (_phase, _whole) = (null, default);
        }

        if (Interlocked.Exchange(ref _error, null) is { } error) error.Throw();
    }

    /// <summary>Helps until the crew is closed or nothing has come up for a while; false when nothing has at all, or there is no place left.</summary>
    public bool Help()
    {
        if (!TryJoin(out var member)) return false;
        var hasHelped = false;
        Interlocked.Increment(ref _helpers);
        try
        {
            var idleSince = Stopwatch.GetTimestamp();
            SpinWait spin = default;
            while (_isOpen && Stopwatch.GetElapsedTime(idleSince) < Patience)
            {
                if (!TryTake(out var part))
                {
                    spin.SpinOnce(sleep1Threshold: -1);
                    continue;
                }

                Do(part, member);
                hasHelped = true;
                spin.Reset();
                idleSince = Stopwatch.GetTimestamp();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _helpers);
            Volatile.Write(ref _isMember[member], false);
        }

        return hasHelped;
    }

    private bool TryJoin(out int member)
    {
        for (member = 1; member < size; member++)
        {
            if (!Interlocked.Exchange(ref _isMember[member], true)) return true;
        }

        return false;
    }

    private bool TryTake(out int part)
    {
        var ticket = Volatile.Read(ref _ticket);
        while ((part = (int)(ticket & PartMask)) < (int)((ticket >> PartBits) & PartMask))
        {
            var seen = Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket);
            if (seen == ticket) return true;
            ticket = seen;
        }

        return false;
    }

    // The phase cannot end before a part of it that was taken, so its description holds.
    private void Do(int part, int member)
    {
        try
        {
            var first = _whole.First + (part * _grain);
            _phase!(_whole with { First = first, End = Math.Min(first + _grain, _whole.End), Member = member });
        }
        catch (Exception error)
        {
            Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(error), null);
        }
        finally
        {
            if (member > 0) Interlocked.Increment(ref _partsHelped);
            Interlocked.Increment(ref _finished);
        }
    }
}
