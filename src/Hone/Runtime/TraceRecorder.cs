using System.Collections.Immutable;

namespace Hone;

/// <summary>Collects the calls of one run; safe under concurrent calls. A run inside another run tells the outer recorder, too.</summary>
internal sealed class TraceRecorder(TraceRecorder? outer = null)
{
    private readonly Lock gate = new();
    private readonly List<PredictorCall?> calls = new(1);
    private List<PredictorCall>? nested;

    // One entry for most programs: a list is smaller and faster than a dictionary.
    private readonly List<(string Path, int Count)> counts = new(1);

    /// <summary>Takes the next place in the run and the next ordinal of the predictor.</summary>
    public (int Place, int Ordinal) Begin(string path)
    {
        lock (gate)
        {
            calls.Add(null);
            return (calls.Count - 1, CountUp(path));
        }
    }

    /// <summary>A further place for another request of a call that has its ordinal.</summary>
    public int BeginAttempt()
    {
        lock (gate)
        {
            calls.Add(null);
            return calls.Count - 1;
        }
    }

    public void Record(int place, PredictorCall call)
    {
        lock (gate)
            calls[place] = call;
        outer?.RecordNested(call);
    }

    /// <summary>The calls that have been answered so far, by start.</summary>
    public Trace Snapshot()
    {
        lock (gate)
        {
            var answered = ImmutableArray.CreateBuilder<PredictorCall>(calls.Count);
            foreach (var call in calls)
            {
                if (call is not null)
                    answered.Add(call);
            }

            var trace = new Trace(answered.DrainToImmutable());
            return nested is null ? trace : trace with { Nested = [.. nested] };
        }
    }

    private void RecordNested(PredictorCall call)
    {
        lock (gate)
            (nested ??= []).Add(call);
        outer?.RecordNested(call);
    }

    private int CountUp(string path)
    {
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
