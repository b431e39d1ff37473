using System.Diagnostics;
using System.Numerics.Tensors;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// One step computed by all cores together, beside steps of a core each: rates by the clock, and for one sequence the rate at which all cores together read
/// memory, in turns in one run.
/// </summary>
internal static class TogetherBench
{
    private const int Rounds = 4;
    private const int Siblings = 8;
    private const int PromptLength = 512;

    public static void Run(Figures figures, string? models, int cores)
    {
        var names = models?.Split(',');
        foreach (var (name, config) in Shapes.ForGpu.Where(shape => names?.Contains(shape.Name) ?? true))
        {
            foreach (var (suffix, format) in new[] { ("fp32", WeightFormat.Float32), ("bf16", WeightFormat.BFloat16) })
            {
                using var weights = MappedWeights.Create(config, format);
                using var model = new HostInferenceModel(weights, null);
                One(figures, $"{name}_{suffix}", model, RooflineBench.Bytes(config, format), cores);
                foreach (var (batch, siblings) in new[] { (2, 1), (8, 1), (32, 1), (32, Siblings) })
                {
                    if (batch > 8 && config.VocabularySize > 100_000) continue;
                    var (apart, together) = (double.MaxValue, double.MaxValue);
                    for (var round = 0; round < Rounds; round++)
                    {
                        apart = Math.Min(apart, DecodeBench.Seconds(model, batch, siblings, cores));
                        together = Math.Min(together, Together(cores, crew => Decode(model, batch, siblings, crew)));
                    }

                    var tokens = batch * DecodeBench.NewTokens;
                    var kind = siblings == 1 ? "" : $"_groups_of_{siblings}";
                    figures.Add($"together_{name}_{suffix}_b{batch}{kind}", tokens / together, $"tokens/s; a core each {tokens / apart:N1}");
                }
            }
        }
    }

    private static void One(Figures figures, string name, HostInferenceModel model, double bytes, int cores)
    {
        using var memory = new NativeBuffer(1 << 27);
        memory.Span.Fill(1);
        var (alone, together, bandwidth) = (double.MaxValue, double.MaxValue, 0.0);
        var (promptAlone, promptTogether) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < 2 * Rounds; round++)
        {
            bandwidth = Math.Max(bandwidth, Bandwidth(memory, cores));
            alone = Math.Min(alone, DecodeBench.Seconds(model, 1, 1, 1));
            together = Math.Min(together, Together(cores, crew => Decode(model, 1, 1, crew)));
            if (round >= Rounds) continue;
            promptAlone = Math.Min(promptAlone, Prompt(model, null));
            promptTogether = Math.Min(promptTogether, Together(cores, crew => Prompt(model, crew)));
        }

        figures.Add($"together_{name}_prompt", PromptLength / promptTogether, $"tokens/s of a prompt of {PromptLength}; one core alone {PromptLength / promptAlone:N1}");

        var (rate, limit) = (DecodeBench.NewTokens / together, bandwidth * 1e9 / bytes);
        figures.Add($"together_{name}_b1", rate, $"tokens/s; one core alone {DecodeBench.NewTokens / alone:N1}");
        figures.Add($"together_{name}_bandwidth", bandwidth, $"GB/s, {cores} cores reading 512 MB");
        figures.Add($"together_{name}_b1_limit_ratio", limit / rate, $"limit {limit:N1} tokens/s; 1 is the limit; below 1: in a cache, or read faster than by TensorPrimitives.Sum");
    }

    // Seconds of work, with threads that do nothing but help.
    private static double Together(int cores, Func<StepCrew, double> work)
    {
        var crew = new StepCrew(cores);
        var isDone = false;
        crew.Open();
        var helpers = Enumerable.Range(1, cores - 1).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref isDone)) crew.Help();
        })).ToArray();
        Array.ForEach(helpers, helper => helper.Start());
        var seconds = work(crew);
        Volatile.Write(ref isDone, true);
        crew.Close();
        Array.ForEach(helpers, helper => helper.Join());
        return seconds;
    }

    private static double Decode(InferenceModel model, int batch, int siblings, StepCrew crew)
    {
        using var ready = new Barrier(1);
        return DecodeBench.Decode(model, batch, 0, ready, siblings: siblings, crew: crew);
    }

    private static double Prompt(InferenceModel model, StepCrew? crew)
    {
        using var pool = model.CreatePool();
        using var scratch = model.CreateScratch(PromptLength, PromptLength, crew);
        using var segment = new KeyValueSegment(pool);
        InferenceRow[] rows = [.. Enumerable.Range(0, PromptLength).Select(i => new InferenceRow(segment, i, i, i == PromptLength - 1))];
        var started = Stopwatch.GetTimestamp();
        model.Forward(scratch, rows);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Bandwidth(NativeBuffer memory, int cores)
    {
        var share = memory.Length / cores;
        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            // From the first one's start to the last one's end, by their own clocks: a thread that only watches would get no core.
            var (starts, ends) = (new long[cores], new long[cores]);
            using var ready = new Barrier(cores);
            var threads = Enumerable.Range(0, cores).Select(core => new Thread(() =>
            {
                ready.SignalAndWait();
                starts[core] = Stopwatch.GetTimestamp();
                GC.KeepAlive(TensorPrimitives.Sum<float>(memory.Span.Slice(core * share, share)));
                ends[core] = Stopwatch.GetTimestamp();
            })).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            best = Math.Min(best, Stopwatch.GetElapsedTime(starts.Min(), ends.Max()).TotalSeconds);
        }

        return memory.Length * 4.0 / best / 1e9;
    }
}
