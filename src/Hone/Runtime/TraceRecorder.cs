using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>Collects the calls of one run; safe under concurrent calls. A run inside another run tells the outer recorder, too.</summary>
internal sealed class TraceRecorder(TraceRecorder? outer = null)
{
    private readonly List<PredictorCall?> calls = new(1);
    private List<PredictorCall>? nested;

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
            return nested is null ? trace : trace with { Nested = [.. nested] };
        }
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
