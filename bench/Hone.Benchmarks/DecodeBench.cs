using System.Diagnostics;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>Decoding: 60 new tokens after 150-token prompts, on all cores, every sequence with a prompt of its own unless said otherwise.</summary>
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

    private static double Measure(InferenceModel model, int batch) => batch * NewTokens / Seconds(model, batch, 1, Environment.ProcessorCount);

    /// <summary>Seconds of the slowest of some workers, between whom the prompts are divided; of wall time, or of the given clock.</summary>
    public static double Seconds(InferenceModel model, int batch, int siblings, int cores, Func<double>? clock = null)
    {
        var prompts = batch / siblings;
        var workers = Math.Min(cores, prompts);
        var seconds = new double[workers];
        using var ready = new Barrier(workers);
        var threads = Enumerable.Range(0, workers).Select(worker => new Thread(() =>
            seconds[worker] = Decode(model, siblings * ((prompts / workers) + (worker < prompts % workers ? 1 : 0)), worker, ready, clock, siblings: siblings))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return seconds.Max();
    }

    /// <summary>Seconds of wall time, or of the given clock.</summary>
    public static double Decode(InferenceModel model, int sequences, int seed, Barrier ready, Func<double>? clock = null, int promptLength = PromptLength, int siblings = 1, StepCrew? crew = null)
    {
        clock ??= () => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        var random = new Random(seed);
        using var pool = model.CreatePool();
        using var scratch = model.CreateScratch(Math.Max(512, promptLength), promptLength + NewTokens, crew);
        var prompts = Enumerable.Range(0, sequences / siblings).Select(_ => new KeyValueSegment(pool)).ToArray();
        foreach (var segment in prompts)
        {
            var prompt = Enumerable.Range(0, promptLength).Select(p => new InferenceRow(segment, p, random.Next(model.Config.VocabularySize), p == promptLength - 1));
            model.Forward(scratch, prompt.ToArray());
        }

        // A sequence alone goes on in its prompt's segment, siblings each in one of their own.
        var segments = siblings == 1 ? prompts : [.. prompts.SelectMany(prompt => Enumerable.Range(0, siblings).Select(_ => new KeyValueSegment(pool, prompt)))];
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
        foreach (var segment in segments.Union(prompts)) segment.Dispose();
        return seconds;
    }
}
