using System.Diagnostics;
using System.Numerics.Tensors;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// What the machine allows and what the engine reaches, measured in turns in one run and by processor time, so that other work on the machine counts
/// little: decoding beside the rate at which a core reads memory, training beside the rate of the bare matrix kernel. Figures are per core.
/// </summary>
internal static unsafe class RooflineBench
{
    private const int Rounds = 3;
    private const int Length = 224;
    private const int RowsOfPass = 448;
    private const int PassesOfStep = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static void Run(Figures figures, string? models)
    {
        var names = models?.Split(',');
        foreach (var (name, config) in Shapes.ForGpu.Where(shape => names?.Contains(shape.Name) ?? true))
        {
            Decode(figures, name, config);
            Train(figures, name, config);
        }
    }

    private static void Decode(Figures figures, string name, ModelConfig config)
    {
        using var memory = new NativeBuffer(1 << 27);
        memory.Span.Fill(1);
        foreach (var (suffix, format) in new[] { ("fp32", WeightFormat.Float32), ("bf16", WeightFormat.BFloat16) })
        {
            using var weights = MappedWeights.Create(config, format);
            using var model = new HostInferenceModel(weights, null);
            foreach (var batch in new[] { 1, 8, 32 })
            {
                if (batch > 8 && config.VocabularySize > 100_000) continue;
                var (rate, bandwidth) = (0.0, 0.0);
                for (var round = 0; round < Rounds; round++)
                {
                    bandwidth = Math.Max(bandwidth, Bandwidth(memory));
                    using var ready = new Barrier(1);
                    rate = Math.Max(rate, batch * DecodeBench.NewTokens / DecodeBench.Decode(model, batch, round, ready, () => Environment.CpuUsage.TotalTime.TotalSeconds));
                }

                figures.Add($"roofline_{name}_{suffix}_decode_b{batch}", rate, "tokens/s");
                if (batch != 1) continue;
                var limit = bandwidth * 1e9 / Bytes(config, format);
                figures.Add($"roofline_{name}_{suffix}_bandwidth", bandwidth, "GB/s, one core reading 512 MB");
                figures.Add($"roofline_{name}_{suffix}_decode_limit_ratio", limit / rate, $"limit {limit:N1} tokens/s; 1 is the limit; below 1: in a cache, or read faster than by TensorPrimitives.Sum");
            }
        }
    }

    private static void Train(Figures figures, string name, ModelConfig config)
    {
        var sequences = Sequences(config, RowsOfPass / Length, Length);
        var matrices = ParameterSet.Describe(config).Where(tensor => tensor.Shape.Length == 2).Sum(tensor => (double)tensor.Length);
        if (config.VocabularySize < 100_000)
        {
            using var parameters = Shapes.FastWeights(config);
            using var model = new TrainingModel(parameters, laneCount: 1);
            Measure(figures, $"{name}_full", 6 * matrices, model, sequences);
        }

        using var weights = MappedWeights.Create(config, WeightFormat.BFloat16);
        using var adapter = LoraAdapter.CreateRandom(config, new() { Rank = 16 }, 1);
        using var beside = new TrainingModel(weights, adapter, laneCount: 1);
        Measure(figures, $"{name}_lora_bf16", (4 * matrices) + (6.0 * adapter.Buffer.Length), beside, sequences);
    }

    // A microbatch is short enough to meet a quiet moment of a machine that is shared; a whole step is not. So a step is put together of the best
    // microbatch, as often as it has them, and the best update. The limit is the time of the products alone at the best rate of the bare kernel.
    private static void Measure(Figures figures, string name, double operationsOfToken, TrainingModel model, SupervisedSequence[] sequences)
    {
        using var optimizer = new AdamW(model, new());
        void Pass() => SupervisedPass.Run(model, sequences, 1, rowBudget: RowsOfPass);
        void Update()
        {
            optimizer.Update(model.GradientSum(), 1e-4);
            model.TakeUpdate();
            model.ZeroGradients();
        }

        Pass();
        Update();
        var (pass, update, peak) = (double.MaxValue, double.MaxValue, 0.0);
        var clock = Stopwatch.StartNew();
        for (var round = 0; round < Rounds || clock.Elapsed < Patience; round++)
        {
            peak = Math.Max(peak, GemmRate());
            pass = Math.Min(pass, Seconds(Pass));
            update = Math.Min(update, Seconds(Update));
        }

        const int Tokens = PassesOfStep * RowsOfPass;
        var step = (PassesOfStep * pass) + update;
        figures.Add($"roofline_{name}_train_tok_s", Tokens / step, $"tokens/s; the optimizer takes {update / step:P1}");
        figures.Add($"roofline_{name}_train_ratio", step / (operationsOfToken * Tokens / (peak * 1e9)), $"beside {peak:N0} GFLOP/s of the bare kernel; 1 is the limit");
    }

    private static SupervisedSequence[] Sequences(ModelConfig config, int count, int length)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(_ => new SupervisedSequence([.. Enumerable.Range(0, length + 1).Select(_ => random.Next(config.VocabularySize))], 1))];
    }

    // What a token reads: every matrix once; of an embedding that is not the output projection only a row.
    public static double Bytes(ModelConfig config, WeightFormat format) =>
        ParameterSet.Describe(config).Where(tensor => config.TiedEmbeddings || tensor.Name != ParameterNames.Embedding)
            .Sum(tensor => (double)tensor.Length) * (format == WeightFormat.Float32 ? 4 : 2);

    private static double Bandwidth(NativeBuffer memory)
    {
        var sum = 0f;
        var seconds = Enumerable.Range(0, 3).Min(_ => Seconds(() => sum += TensorPrimitives.Sum<float>(memory.Span)));
        GC.KeepAlive(sum);
        return memory.Length * 4.0 / seconds / 1e9;
    }

    // 448 × 1024 × 1024, the shape of a microbatch.
    private static double GemmRate()
    {
        const int Rows = 448, Size = 1024, Repetitions = 10;
        var kernels = VectorKernels.Best;
        using NativeBuffer a = new(Rows * Size), c = new(Size * Size);
        c.Span.Fill(1);
        using var b = new PackedMatrix(kernels, Size, Size);

        // Memory that was never written is one and the same page of zeros, again and again, which the first-level cache of some processors is slow with.
        a.Span.Fill(1);
        b.Pack(c.Pointer);
        var seconds = Enumerable.Range(0, Repetitions).Min(_ => Seconds(() => kernels.Project(Rows, a.Pointer, b, c.Pointer)));
        return 2.0 * Rows * Size * Size / seconds / 1e9;
    }

    private static double Seconds(Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }
}
