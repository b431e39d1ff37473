using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>Collects the calls of one run; safe under concurrent calls. A run inside another run tells the outer recorder, too.</summary>
internal sealed class TraceRecorder(TraceRecorder? outer = null)
{
    private readonly List<PredictorCall?> calls = new(1);
    private List<PredictorCall>? nested;
    private List<PredictorCall>? discarded;
    private int groups;

    // Most programs have few predictors: the first is counted in place, the others in a list, which is smaller and faster than a dictionary.
    private string? firstPath;
    private int firstCount;
    private List<(string Path, int Count)>? counts;

    /// <summary>Takes the next place in the run and the next ordinal of the predictor.</summary>
    public (int Place, int Ordinal) Begin(string path)
    {
        lock (calls)
        {
            calls.Add(null);
            return (calls.Count - 1, CountUp(path));
        }
    }

    /// <summary>A further place for another request of a call that has its ordinal.</summary>
    public int BeginAttempt()
    {
        lock (calls)
        {
            calls.Add(null);
            return calls.Count - 1;
        }
    }

    public void Record(int place, PredictorCall call)
    {
        lock (calls)
            calls[place] = call;
        outer?.RecordNested(call);
    }

    /// <summary>The calls that have been answered so far, by start.</summary>
    public Trace Snapshot()
    {
        lock (calls)
        {
            var answered = new PredictorCall[calls.Count];
            var count = 0;
            foreach (var call in calls)
            {
                if (call is not null)
                    answered[count++] = call;
            }

            var trace = new Trace(ImmutableCollectionsMarshal.AsImmutableArray(count == answered.Length ? answered : answered[..count]));
            if (nested is not null)
                trace = trace with { Nested = [.. nested] };
            return discarded is null ? trace : trace with { Discarded = [.. discarded] };
        }
    }

    /// <summary>The number of the next group of branches, so that the seeds of one differ from those of another.</summary>
    public int BeginGroup() => Interlocked.Increment(ref groups) - 1;

    /// <summary>How often a predictor has been called.</summary>
    public int CountOf(string path)
    {
        lock (calls)
            return firstPath == path ? firstCount : counts?.Find(entry => entry.Path == path).Count ?? 0;
    }

    /// <summary>Takes over what a branch of the run has done, its ordinals counted on from those here.</summary>
    public void Adopt(Trace branch)
    {
        var offsets = new Dictionary<string, int>(StringComparer.Ordinal);
        var next = new Dictionary<string, int>(StringComparer.Ordinal);
        lock (calls)
        {
            foreach (var call in branch.Calls)
            {
                if (!offsets.TryGetValue(call.Path, out var offset))
                    offsets.Add(call.Path, offset = CountOf(call.Path));
                calls.Add(offset == 0 ? call : call with { Ordinal = call.Ordinal + offset });
                next[call.Path] = Math.Max(next.GetValueOrDefault(call.Path), call.Ordinal + 1);
            }

            foreach (var (path, count) in next)
            {
                for (var i = 0; i < count; i++)
                    CountUp(path);
            }

            if (!branch.Nested.IsEmpty)
                (nested ??= []).AddRange(branch.Nested);
            if (!branch.Discarded.IsEmpty)
                (discarded ??= []).AddRange(branch.Discarded);
        }

        TellOuter(branch);
    }

    /// <summary>Keeps what a branch has done for the account alone: its result was not taken.</summary>
    public void Discard(Trace branch)
    {
        lock (calls)
        {
            (discarded ??= []).AddRange(branch.Calls);
            discarded.AddRange(branch.Nested);
            discarded.AddRange(branch.Discarded);
        }

        TellOuter(branch);
    }

    private void TellOuter(Trace branch)
    {
        if (outer is null)
            return;
        foreach (var call in branch.Calls.Concat(branch.Nested).Concat(branch.Discarded))
            outer.RecordNested(call);
    }

    private void RecordNested(PredictorCall call)
    {
        lock (calls)
            (nested ??= []).Add(call);
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
                var count = counts[i].Count;
                counts[i] = (path, count + 1);
                return count;
            }
        }

        counts.Add((path, 1));
        return 0;
    }
}
