using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>Full fine-tuning: forward, backward and AdamW at 224 tokens a sequence, no shared prefixes, on all cores.</summary>
internal static class TrainBench
{
    private const int Length = 224;

    public static void Run(Figures figures, bool quick)
    {
        foreach (var (name, config) in Shapes.For(quick))
        {
            using var weights = ParameterSet.CreateRandom(config, 1);
            using var model = new TrainingModel(weights, laneCount: Environment.ProcessorCount);
            using var optimizer = new AdamW(model, new());
            var random = new Random(3);
            var count = name == "1m" ? 64 : name == "5m" ? 32 : 16;
            var sequences = Enumerable.Range(0, count)
                .Select(_ => new SupervisedSequence([.. Enumerable.Range(0, Length + 1).Select(_ => random.Next(config.VocabularySize))], 1)).ToArray();
            var seconds = Clock.Best(quick ? 5 : 8, () =>
            {
                model.ZeroGradients();
                SupervisedPass.Run(model, sequences, Environment.ProcessorCount, rowBudget: 448);
                optimizer.Update(model.GradientSum(), 1e-4);
                model.TakeUpdate();
            });
            figures.Add($"train_{name}_tok_s", count * Length / seconds, "tokens/s");
        }
    }
}
