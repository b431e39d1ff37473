using Hone.Engine;
using Hone.Engine.Cuda;

namespace Hone.Benchmarks;

/// <summary>
/// Full fine-tuning on a GPU in every precision, beside the processor of the same machine: 144 sequences of 224 tokens a step, no shared prefixes. And the
/// main operations of a step one by one.
/// </summary>
internal static class GpuBench
{
    private const int Length = 224, Sequences = 144;

    public static async Task RunAsync(Figures figures, string? only)
    {
        if (!CudaDevice.TryOpen(out var probe, out var reason))
        {
            Console.WriteLine(reason);
            return;
        }

        using (probe)
        {
            Console.WriteLine(probe!.Name);
            await StepBench.RunAsync(figures, probe, "gpu_");
        }

        foreach (var (name, config) in Shapes.ForGpu.Where(shape => only is null || only.Split(',').Contains(shape.Name)))
        {
            using var weights = Shapes.FastWeights(config);
            foreach (var precision in Enum.GetValues<CudaPrecision>())
            {
                using var device = CudaDevice.Open(0, new() { Precision = precision });
                figures.Add($"gpu_{precision}_train_{name}_tok_s", Train(weights, device.Kernels, Sequences, lanes: 1, repetitions: 5), "tokens/s");
                Decode(figures, $"gpu_{precision}_decode_{name}", weights, device.Kernels);
                if (name is "120m" or "500m") GpuOperations.Run(figures, $"gpu_{precision}_{name}", config, device.Kernels);
            }

            if (name != "500m") // A lane a core would take 16 gradients of 2 GB.
                figures.Add(
                    $"cpu_train_{name}_tok_s", Train(weights, CpuKernels.Best, name == "120m" ? 16 : 64, Environment.ProcessorCount, name == "120m" ? 1 : 3),
                    $"tokens/s on {Environment.ProcessorCount} threads");
        }
    }

    // One thread, logits copied to the host, no sampler.
    private static void Decode(Figures figures, string prefix, ParameterSet weights, IKernels kernels)
    {
        using var model = InferenceModel.Create(weights, kernels);
        using var ready = new Barrier(1);
        foreach (var batch in (int[])[1, 64])
        {
            DecodeBench.Decode(model, batch, 1, ready);
            figures.Add($"{prefix}_b{batch}", batch * DecodeBench.NewTokens / DecodeBench.Decode(model, batch, 1, ready), "tokens/s");
        }
    }

    private static double Train(ParameterSet weights, IKernels kernels, int count, int lanes, int repetitions)
    {
        var start = weights.Values.ToArray();
        using var model = new TrainingModel(weights, null, lanes, kernels);
        using var optimizer = new AdamW(model, new());
        var random = new Random(3);
        var vocabulary = weights.Config.VocabularySize;
        var sequences = Enumerable.Range(0, count)
            .Select(_ => new SupervisedSequence([.. Enumerable.Range(0, Length + 1).Select(_ => random.Next(vocabulary))], 1)).ToArray();
        var rows = kernels.IsHost ? 2 * Length : kernels.MicrobatchRows;
        var seconds = Clock.Best(repetitions, () =>
        {
            model.ZeroGradients();
            SupervisedPass.Run(model, sequences, Environment.ProcessorCount, rows);
            optimizer.Update(model.GradientSum(), 1e-5);
            model.TakeUpdate();
        });
        start.CopyTo(weights.Values);
        return count * Length / seconds;
    }
}
