using System.Collections.Immutable;

namespace Hone;

/// <summary>Collects the calls of one run; safe under concurrent calls.</summary>
internal sealed class TraceRecorder
{
    private readonly Lock gate = new();
    private readonly List<PredictorCall?> calls = [];
    private readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);

    /// <summary>Takes the next place in the run and the next ordinal of the predictor.</summary>
    public (int Place, int Ordinal) Begin(string path)
    {
        lock (gate)
        {
            var ordinal = counts.GetValueOrDefault(path);
            counts[path] = ordinal + 1;
            calls.Add(null);
            return (calls.Count - 1, ordinal);
        }
    }

    public void Record(int place, PredictorCall call)
    {
        lock (gate)
            calls[place] = call;
    }

    /// <summary>The calls that have been answered so far, by start.</summary>
    public Trace Snapshot()
    {
        lock (gate)
            return new([.. calls.OfType<PredictorCall>()]);
    }
}
