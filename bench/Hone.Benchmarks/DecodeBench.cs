using System.Diagnostics;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>Decoding: 60 new tokens after 150-token prompts, on all cores, every sequence with a prompt of its own.</summary>
internal static class DecodeBench
{
    public const int NewTokens = 60;
    private const int PromptLength = 150;

    public static void Run(Figures figures, bool quick)
    {
        foreach (var (name, config) in Shapes.For(quick))
        {
            using var weights = ParameterSet.CreateRandom(config, 1);
            using var model = InferenceModel.Create(weights);
            foreach (var batch in quick ? [1, 8, 32] : new[] { 1, 8, 32, 64 })
                figures.Add($"decode_{name}_b{batch}", Enumerable.Range(0, quick ? 4 : 8).Max(_ => Measure(model, batch)), "tokens/s");
        }
    }

    private static double Measure(InferenceModel model, int batch)
    {
        var workers = Math.Min(Environment.ProcessorCount, batch);
        var seconds = new double[workers];
        using var ready = new Barrier(workers);
        var threads = Enumerable.Range(0, workers).Select(worker => new Thread(() =>
            seconds[worker] = Decode(model, (batch / workers) + (worker < batch % workers ? 1 : 0), worker, ready))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return batch * NewTokens / seconds.Max();
    }

    /// <summary>Seconds of wall time, or of the given clock.</summary>
    public static double Decode(InferenceModel model, int sequences, int seed, Barrier ready, Func<double>? clock = null, int promptLength = PromptLength)
    {
        clock ??= () => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        var random = new Random(seed);
        using var pool = model.CreatePool();
        using var scratch = model.CreateScratch(Math.Max(512, promptLength), promptLength + NewTokens);
        var segments = Enumerable.Range(0, sequences).Select(_ => new KeyValueSegment(pool)).ToArray();
        foreach (var segment in segments)
        {
            var prompt = Enumerable.Range(0, promptLength).Select(p => new InferenceRow(segment, p, random.Next(model.Config.VocabularySize), p == promptLength - 1));
            model.Forward(scratch, prompt.ToArray());
        }

        ready.SignalAndWait();
        var started = clock();
        var rows = new InferenceRow[sequences];
        for (var position = promptLength; position < promptLength + NewTokens; position++)
        {
            for (var i = 0; i < sequences; i++)
                rows[i] = new(segments[i], position, random.Next(model.Config.VocabularySize), true);
            model.Forward(scratch, rows);
        }

        var seconds = clock() - started;
        Array.ForEach(segments, segment => segment.Dispose());
        return seconds;
    }
}
