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
                foreach (var (batch, siblings) in new[] { (2, 1), (8, 1), (8, Siblings), (32, 1), (32, Siblings) })
                {
                    if (batch > 8 && config.VocabularySize > 100_000) continue;
                    var (apart, together) = (double.MaxValue, double.MaxValue);
                    for (var round = 0; round < Rounds; round++)
                    {
                        apart = Math.Min(apart, DecodeBench.Seconds(model, batch, siblings, cores));
                        together = Math.Min(together, Together(model, batch, siblings, cores));
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
        for (var round = 0; round < 2 * Rounds; round++)
        {
            bandwidth = Math.Max(bandwidth, Bandwidth(memory, cores));
            alone = Math.Min(alone, DecodeBench.Seconds(model, 1, 1, 1));
            together = Math.Min(together, Together(model, 1, 1, cores));
        }

        var (rate, limit) = (DecodeBench.NewTokens / together, bandwidth * 1e9 / bytes);
        figures.Add($"together_{name}_b1", rate, $"tokens/s; one core alone {DecodeBench.NewTokens / alone:N1}");
        figures.Add($"together_{name}_bandwidth", bandwidth, $"GB/s, {cores} cores reading 512 MB");
        figures.Add($"together_{name}_b1_limit_ratio", limit / rate, $"limit {limit:N1} tokens/s; 1 is the limit; below 1: in a cache, or read faster than by TensorPrimitives.Sum");
    }

    // Seconds of decoding, with threads that do nothing but help.
    private static double Together(InferenceModel model, int batch, int siblings, int cores)
    {
        var crew = new StepCrew(cores);
        var isDone = false;
        crew.Open();
        var helpers = Enumerable.Range(1, cores - 1).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref isDone)) crew.Help();
        })).ToArray();
        Array.ForEach(helpers, helper => helper.Start());
        using var ready = new Barrier(1);
        var seconds = DecodeBench.Decode(model, batch, 0, ready, siblings: siblings, crew: crew);
        Volatile.Write(ref isDone, true);
        crew.Close();
        Array.ForEach(helpers, helper => helper.Join());
        return seconds;
    }

    private static double Bandwidth(NativeBuffer memory, int cores)
    {
        var share = memory.Length / cores;
        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            using var ready = new Barrier(cores + 1);
            var threads = Enumerable.Range(0, cores).Select(core => new Thread(() =>
            {
                ready.SignalAndWait();
                GC.KeepAlive(TensorPrimitives.Sum<float>(memory.Span.Slice(core * share, share)));
                ready.SignalAndWait();
            })).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            ready.SignalAndWait();
            var started = Stopwatch.GetTimestamp();
            ready.SignalAndWait();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
            Array.ForEach(threads, thread => thread.Join());
        }

        return memory.Length * 4.0 / best / 1e9;
    }
}
