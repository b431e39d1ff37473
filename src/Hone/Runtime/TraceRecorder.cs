using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>Collects the calls of one run; safe under concurrent calls. A run inside another run tells the outer recorder, too.</summary>
/// <remarks>It is its own lock: nobody else sees it, and every run makes one.</remarks>
internal sealed class TraceRecorder(TraceRecorder? outer = null, TraceWindow? window = null)
{
    // Null where an answer is still awaited. Most runs make one call.
    private PredictorCall?[] calls = new PredictorCall?[1];
    private int count;

    // The array is a trace's as well: whoever writes to it next takes a copy.
    private bool isShared;
    private List<PredictorCall>? nested;
    private List<PredictorCall>? discarded;
    private List<DirectCall>? direct;
    private int groups;

    // Most programs have few predictors: the first is counted in place, the others in a list, which is smaller and faster than a dictionary.
    private string? firstPath;
    private int firstCount;
    private List<(string Path, int Count)>? counts;

    /// <summary>Takes the next place in the run and the next ordinal of the predictor.</summary>
    public (int Place, int Ordinal) Begin(string path)
    {
        lock (this)
            return (Add(null), CountUp(path));
    }

    /// <summary>A further place for another request of a call that has its ordinal.</summary>
    public int BeginAttempt()
    {
        lock (this)
            return Add(null);
    }

    public void Record(int place, PredictorCall call)
    {
        lock (this)
        {
            if (window?.IsPast(place) == true)
            {
                window.Drop(call.Usage);
            }
            else
            {
                TakeCopyIfShared(count);
                calls[place - (window?.First ?? 0)] = call;
            }
        }

        outer?.RecordNested(call);
    }

    /// <summary>Takes note of a call that no predictor made.</summary>
    public void Record(DirectCall call)
    {
        lock (this)
        {
            (direct ??= []).Add(call);
            Trim();
        }

        outer?.Record(call);
    }

    /// <summary>The calls that have been answered so far, by start.</summary>
    public Trace Snapshot()
    {
        lock (this)
        {
            var trace = new Trace(ImmutableCollectionsMarshal.AsImmutableArray(Answered()));
            if (nested is not null)
                trace = trace with { Nested = [.. nested] };
            if (direct is not null)
                trace = trace with { Direct = [.. direct] };
            if (window?.Dropped is { } dropped)
                trace = trace with { Dropped = dropped };
            return discarded is null ? trace : trace with { Discarded = [.. discarded] };
        }
    }

    /// <summary>The number of the next group of branches, so that the seeds of one differ from those of another.</summary>
    public int BeginGroup() => Interlocked.Increment(ref groups) - 1;

    /// <summary>How often a predictor has been called.</summary>
    public int CountOf(string path)
    {
        lock (this)
            return firstPath == path ? firstCount : counts?.Find(entry => entry.Path == path).Count ?? 0;
    }

    /// <summary>Takes over what a branch of the run has done, its ordinals counted on from those here.</summary>
    public void Adopt(Trace branch)
    {
        var offsets = new Dictionary<string, int>(StringComparer.Ordinal);
        var next = new Dictionary<string, int>(StringComparer.Ordinal);
        lock (this)
        {
            foreach (var call in branch.Calls)
            {
                if (!offsets.TryGetValue(call.Path, out var offset))
                    offsets.Add(call.Path, offset = CountOf(call.Path));
                Add(offset == 0 ? call : call with { Ordinal = call.Ordinal + offset });
                next[call.Path] = Math.Max(next.GetValueOrDefault(call.Path), call.Ordinal + 1);
            }

            foreach (var (path, taken) in next)
            {
                for (var i = 0; i < taken; i++)
                    CountUp(path);
            }

            if (!branch.Nested.IsEmpty)
                (nested ??= []).AddRange(branch.Nested);
            if (!branch.Discarded.IsEmpty)
                (discarded ??= []).AddRange(branch.Discarded);
            TakeDirect(branch);
            Trim();
        }

        TellOuter(branch);
    }

    /// <summary>Keeps what a branch has done for the account alone: its result was not taken.</summary>
    public void Discard(Trace branch)
    {
        lock (this)
        {
            (discarded ??= []).AddRange(branch.Calls);
            discarded.AddRange(branch.Nested);
            discarded.AddRange(branch.Discarded);
            TakeDirect(branch);
            Trim();
        }

        TellOuter(branch);
    }

    private void TakeDirect(Trace branch)
    {
        if (!branch.Direct.IsEmpty)
            (direct ??= []).AddRange(branch.Direct);
    }

    private void Trim()
    {
        window?.Trim(nested, call => call.Usage);
        window?.Trim(discarded, call => call.Usage);
        window?.Trim(direct, call => call.Usage);
    }

    // The place counts on from those that a window has dropped.
    private int Add(PredictorCall? call)
    {
        if (window?.Excess(count) is { } excess and > 0)
        {
            window.Drop(calls.AsSpan(0, excess));
            calls = [.. calls.Skip(excess)];
            (count, isShared) = (count - excess, false);
        }

        TakeCopyIfShared(count == calls.Length ? Math.Max(1, 2 * count) : count);
        calls[count] = call;
        return (window?.First ?? 0) + count++;
    }

    private void TakeCopyIfShared(int size)
    {
        if (!isShared && size <= calls.Length)
            return;
        var copy = new PredictorCall?[Math.Max(size, calls.Length)];
        calls.AsSpan(0, count).CopyTo(copy);
        (calls, isShared) = (copy, false);
    }

    private PredictorCall[] Answered()
    {
        var waiting = 0;
        for (var i = 0; i < count; i++)
            waiting += calls[i] is null ? 1 : 0;
        if (waiting > 0 || count < calls.Length)
            return [.. calls.Take(count).OfType<PredictorCall>()];
        isShared = true;
        return calls!;
    }

    private void TellOuter(Trace branch)
    {
        if (outer is null)
            return;
        foreach (var call in branch.Calls.Concat(branch.Nested).Concat(branch.Discarded))
            outer.RecordNested(call);
        foreach (var call in branch.Direct)
            outer.Record(call);
    }

    private void RecordNested(PredictorCall call)
    {
        lock (this)
        {
            (nested ??= []).Add(call);
            Trim();
        }

        outer?.RecordNested(call);
    }

    private int CountUp(string path)
    {
        firstPath ??= path;
        if (firstPath == path)
            return firstCount++;
        counts ??= [];
        for (var i = 0; i < counts.Count; i++)
        {
            if (counts[i].Path == path)
            {
                var before = counts[i].Count;
                counts[i] = (path, before + 1);
                return before;
            }
        }

        counts.Add((path, 1));
        return 0;
    }
}
