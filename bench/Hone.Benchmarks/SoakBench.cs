using System.Diagnostics;
using Hone.Engine;
using Hone.Optimizers;
using MultiHopResearch;

namespace Hone.Benchmarks;

/// <summary>
/// The main job's training without an end: does memory stay where it is, and do the log-probabilities of sampler and trainer stay equal? The run keeps its
/// directory, as a user's does.
/// </summary>
internal static class SoakBench
{
    public static async Task<int> RunAsync(Figures figures, double minutes)
    {
        var directory = Directory.CreateTempSubdirectory("hone-soak").FullName;
        using var worlds = new Worlds();
        using var model = new EngineOwner();
        var log = new SoakLog();
        var options = TrainingJob.Configure(new() { Output = directory, Steps = int.MaxValue, Seed = 1 }) with
        {
            Budget = new() { MaxDuration = TimeSpan.FromMinutes(minutes) },
            Progress = log,
        };
        try
        {
            var result = await Grpo.Create(ResearchData.Recall, options).CompileAsync(worlds.Program.WithModel(model.LM), worlds.Train, [.. worlds.Validation.Take(25)]);
            Console.WriteLine($"{result.Steps.Count} steps, {result.RolloutsGenerated:N0} rollouts, {result.TokensSampled:N0} tokens; {result.StopReason}. {result.Verdict}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        return log.Report(figures);
    }

    private sealed class EngineOwner : IDisposable
    {
        public LM LM { get; } = EngineLM.Embedded();

        public void Dispose() => LM.Client.Dispose();
    }

    /// <summary>What each step found: memory of the process, of the collected heap once a minute, the largest difference of log-probabilities.</summary>
    private sealed class SoakLog : IProgress<GrpoEvent>
    {
        private readonly long started = Stopwatch.GetTimestamp();
        private readonly List<(double Minute, int Step, double Resident, double Heap)> memory = [];
        private readonly List<double> differences = [];

        public void Report(GrpoEvent value)
        {
            if (value is not GrpoStepCompleted { Report: var step })
                return;
            differences.Add(step.SamplerDifferenceMax);
            var minute = Stopwatch.GetElapsedTime(started).TotalMinutes;
            if (memory.Count > 0 && minute < memory[^1].Minute + 1)
                return;
            var heap = GC.GetTotalMemory(forceFullCollection: true) / 1e6;
            memory.Add((minute, step.Step, Environment.WorkingSet / 1e6, heap));
            var committed = GC.GetGCMemoryInfo().TotalCommittedBytes / 1e6;
            Console.WriteLine($"minute {minute,5:0.0}  step {step.Step,5}  reward {step.RewardMean:0.000}  resident {memory[^1].Resident,6:0} MB  heap {heap,5:0.0} MB of {committed,4:0} MB committed  threads {ThreadPool.ThreadCount,2}  largest difference so far {differences.Max():0.0e+0}");
        }

        /// <summary>
        /// Compares the last third with the middle one; 1 when resident memory grew by more than a twentieth, the heap by more than the reports of the steps between, or
        /// probabilities drifted.
        /// </summary>
        public int Report(Figures figures)
        {
            var third = memory.Count / 3;
            if (third == 0)
            {
                Console.WriteLine("Too short to say anything: at least three minutes are needed.");
                return 1;
            }

            var (middle, last) = (memory.Skip(third).Take(third).ToArray(), memory.TakeLast(third).ToArray());
            var resident = last.Average(point => point.Resident) / middle.Average(point => point.Resident);
            var kilobytesPerStep = (last.Average(point => point.Heap) - middle.Average(point => point.Heap)) * 1e3
                / (last.Average(point => point.Step) - middle.Average(point => point.Step));
            var steps = differences.Count / 3;
            var (early, late) = (differences.Take(steps).Max(), differences.TakeLast(steps).Max());
            figures.Add("soak_resident_growth", resident, "last third of the time beside the middle third");
            figures.Add("soak_heap_kb_per_step", kilobytesPerStep, "the result holds a report of each step");
            Console.WriteLine($"largest difference of a token's log-probability, sampler and trainer: {early:0.0e+0} in the first third of the steps, {late:0.0e+0} in the last");
            return resident > 1.05 || kilobytesPerStep > 3 || late > Math.Max(10 * early, 1e-3) ? 1 : 0;
        }
    }
}
