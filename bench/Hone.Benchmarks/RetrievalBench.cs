using System.Globalization;
using System.Numerics.Tensors;
using Hone.Retrieval;
using Microsoft.Extensions.AI;

namespace Hone.Benchmarks;

/// <summary>Full-text search at 100 k and 1 M short documents; search by 100 k vectors of 384 dimensions, beside the loop that a user would
/// write. By processor time where not said otherwise.</summary>
internal static class RetrievalBench
{
    private const int Top = 10;
    private const int Queries = 1000;
    private const int Dimensions = 384;
    private const int Vectors = 100_000;
    private const int VectorQueries = 200;
    private const int Clouds = 1000;

    public static void Lucene(Figures figures, bool quick)
    {
        Lucene(figures, 100_000, null);
        OnDisk(figures, 100_000);
        if (quick)
            return;
        Lucene(figures, 1_000_000, null);
        OnDisk(figures, 1_000_000);
    }

    public static async Task VectorsAsync(Figures figures, bool quick)
    {
        await EmbeddingsAsync(figures, "clouds", Clouded());
        if (!quick)
            await EmbeddingsAsync(figures, "noise", Noise(new(1), 1, Vectors + VectorQueries));
    }

    private static void OnDisk(Figures figures, int count)
    {
        var folder = Directory.CreateTempSubdirectory("hone-bench-");
        Lucene(figures, count, folder.FullName);
        var bytes = folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        figures.Add($"bm25_{count / 1000}k_disk_mb", bytes / 1e6, "on disk");
        folder.Delete(recursive: true);
    }

    private static void Lucene(Figures figures, int count, string? folder)
    {
        var corpus = new RetrievalCorpus();
        var documents = corpus.Documents(count).ToArray();
        var queries = corpus.Queries(Queries);
        var name = $"bm25_{count / 1000}k{(folder is null ? "" : "_disk")}";
        using var retriever = new LuceneRetriever(new() { Directory = folder });
        var wall = 0d;
        var processor = Clock.ProcessorOnce(() => wall = Clock.Once(() => retriever.Add(documents)));
        figures.Add($"{name}_index_docs_per_s", count / processor, $"{count / wall:N0} by the clock");
        figures.Add($"{name}_queries_per_s_first", Queries / Clock.ProcessorOnce(() => Search(retriever, queries)), "nothing warm");
        figures.Add($"{name}_queries_per_s", Queries / Clock.Processor(3, () => Search(retriever, queries)), $"{Queries / Clock.Best(3, () => Search(retriever, queries)):N0} by the clock");
        var threads = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        figures.Add(
            $"{name}_queries_per_s_threads",
            Queries / Clock.Best(3, () => Parallel.ForEach(queries, threads, query => retriever.Search(query, Top))),
            $"by the clock, {threads.MaxDegreeOfParallelism} threads");
        var replaced = documents.Where((_, i) => i % 7 == 0).Take(100).ToArray();
        figures.Add(
            $"{name}_replace_one_ms", 10 * Clock.ProcessorOnce(() => Array.ForEach(replaced, document => retriever.Replace(document))),
            folder is null ? "searchable" : "searchable and on disk");
    }

    private static void Search(LuceneRetriever retriever, string[] queries)
    {
        foreach (var query in queries)
            retriever.Search(query, Top);
    }

    private static async Task EmbeddingsAsync(Figures figures, string kind, float[][] all)
    {
        var (rows, queries) = (all[..Vectors], all[Vectors..]);
        var generator = new KnownVectors(rows);
        var documents = Enumerable.Range(0, Vectors).Select(i => new SearchDocument("", i.ToString(CultureInfo.InvariantCulture))).ToArray();
        var started = Environment.CpuUsage.TotalTime;
        using var exact = await EmbeddingIndex.CreateAsync(documents, generator, new() { BatchSize = 2000 });
        figures.Add($"vectors_{kind}_build_s", (Environment.CpuUsage.TotalTime - started).TotalSeconds, "exact, without the model");
        using var single = await EmbeddingIndex.CreateAsync(documents, generator, new() { BatchSize = 2000, MaxParallelism = 1 });
        var loop = Clock.Processor(2, () => Array.ForEach(queries[..50], query => Loop(rows, query))) / 50;
        figures.Add($"vectors_{kind}_loop_ms", 1000 * loop, "TensorPrimitives.CosineSimilarity, row by row, and a sort");
        var one = Clock.Processor(2, () => Array.ForEach(queries[..50], query => single.Search(query, Top))) / 50;
        figures.Add($"vectors_{kind}_exact_1_thread_ms", 1000 * one, $"{loop / one:0.0} times as fast as the loop");
        var many = Clock.Best(2, () => Array.ForEach(queries[..50], query => exact.Search(query, Top))) / 50;
        figures.Add($"vectors_{kind}_exact_ms", 1000 * many, $"by the clock, {Environment.ProcessorCount} threads");
        var right = queries.Select(query => exact.Search(query, Top).Select(each => each.Id).ToHashSet()).ToArray();
        started = Environment.CpuUsage.TotalTime;
        using var lists = await EmbeddingIndex.CreateAsync(documents, generator, new() { BatchSize = 2000, Approximate = new() });
        figures.Add($"vectors_{kind}_lists_build_s", (Environment.CpuUsage.TotalTime - started).TotalSeconds, "approximate, without the model");
        var path = Path.Combine(Path.GetTempPath(), $"hone-bench-{Environment.ProcessId}.vectors");
        started = Environment.CpuUsage.TotalTime;
        await lists.SaveAsync(path);
        figures.Add($"vectors_{kind}_save_s", (Environment.CpuUsage.TotalTime - started).TotalSeconds);
        foreach (var probes in (int[])[4, 16, 64])
        {
            started = Environment.CpuUsage.TotalTime;
            using var index = await EmbeddingIndex.LoadAsync(path, generator, new() { Approximate = new() { Probes = probes } });
            if (probes == 4)
                figures.Add($"vectors_{kind}_load_s", (Environment.CpuUsage.TotalTime - started).TotalSeconds);
            var found = queries.Select((query, i) => index.Search(query, Top).Count(each => right[i].Contains(each.Id))).Sum();
            var quickly = Clock.Processor(3, () => Array.ForEach(queries, query => index.Search(query, Top))) / queries.Length;
            figures.Add($"vectors_{kind}_{probes}_probes_ms", 1000 * quickly, $"recall of the ten best {found / (double)(queries.Length * Top):0.000}");
        }

        File.Delete(path);
    }

    private static (float Score, int Row)[] Loop(float[][] rows, float[] query) =>
        [.. rows.Select((row, i) => (Score: TensorPrimitives.CosineSimilarity(row, query), Row: i)).OrderByDescending(entry => entry.Score).Take(Top)];

    // As embeddings of texts on a thousand subjects: each vector near one of a thousand centres.
    private static float[][] Clouded()
    {
        var random = new Random(2);
        var centres = Noise(random, 1, Clouds);
        return [.. Noise(random, 1, Vectors + VectorQueries).Select(noise =>
        {
            var vector = new float[Dimensions];
            TensorPrimitives.Add(centres[random.Next(Clouds)], noise, vector);
            return vector;
        })];
    }

    private static float[][] Noise(Random random, double scale, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Dimensions).Select(_ => (float)(scale * Normal(random))).ToArray())];

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    // A text is the number of its vector.
    private sealed class KnownVectors(float[][] vectors) : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<GeneratedEmbeddings<Embedding<float>>>(
                [.. values.Select(text => new Embedding<float>(vectors[int.Parse(text, CultureInfo.InvariantCulture)]))]);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
