using System.Diagnostics;

namespace Hone.Benchmarks;

/// <summary>Wall time of the fastest of several repetitions: what the code takes when the machine lets it run.</summary>
internal static class Clock
{
    /// <summary>Wall time of one run, the first: nothing is warm.</summary>
    public static double Once(Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public static double Best(int repetitions, Action work)
    {
        work();
        var best = double.MaxValue;
        for (var i = 0; i < repetitions; i++)
        {
            var started = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}
