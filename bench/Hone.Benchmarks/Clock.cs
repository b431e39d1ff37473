using System.Diagnostics;

namespace Hone.Benchmarks;

/// <summary>Wall time of the fastest of several repetitions: what the code takes when the machine lets it run.</summary>
internal static class Clock
{
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

    /// <summary>Wall time of one run.</summary>
    public static double Once(Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Processor time of one run, the first: nothing is warm.</summary>
    public static double ProcessorOnce(Action work)
    {
        var started = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - started).TotalSeconds;
    }

    /// <summary>Processor time of the cheapest of several repetitions: nearly the wall time of one thread on a quiet machine, whatever else runs on this one.</summary>
    public static double Processor(int repetitions, Action work)
    {
        work();
        return Enumerable.Range(0, repetitions).Min(_ => ProcessorOnce(work));
    }
}
