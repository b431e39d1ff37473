using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// The figures of <c>bench/cpu/torch_eager.py</c> for this engine: the same shapes, batches and optimizer on one core, by processor time. Run the two in turns.
/// Groups are what reinforcement learns from: completions of one prompt, which eager code computes once for each of them.
/// </summary>
internal static class EagerBench
{
    private const int Rounds = 5;
    private const int Length = 224;
    private const int PromptOfGroup = 164;

    public static void Run(Figures figures, string? models)
    {
        var names = models?.Split(',');
        foreach (var (name, config) in Shapes.For(quick: false).Where(shape => names?.Contains(shape.Name) ?? true))
        {
            using var weights = Shapes.FastWeights(config);
            using (var model = InferenceModel.Create(weights))
            {
                foreach (var batch in new[] { 1, 8, 32, 64 }) figures.Add($"eager_decode_{name}_b{batch}", Decode(model, batch), "tokens/s");
            }

            var count = name == "1m" ? 16 : 8;
            figures.Add($"eager_train_{name}", Train(weights, count, shared: 0), "tokens/s");
            figures.Add($"eager_train_group_{name}", Train(weights, count, PromptOfGroup), $"tokens/s, of which {PromptOfGroup} in {Length} are a prompt that 8 sequences share");
        }
    }

    private static double Decode(InferenceModel model, int batch)
    {
        using var ready = new Barrier(1);

        // Few sequences are decoded in no time: more rounds, until everything is compiled for good.
        return batch * DecodeBench.NewTokens / Enumerable.Range(0, Math.Max(Rounds, 64 / batch)).Min(
            round => DecodeBench.Decode(model, batch, round, ready, () => Environment.CpuUsage.TotalTime.TotalSeconds));
    }

    private static double Train(ParameterSet weights, int count, int shared)
    {
        using var model = new TrainingModel(weights, laneCount: 1);
        using var optimizer = new AdamW(model, new());
        var random = new Random(3);
        int[] Tokens(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(weights.Config.VocabularySize))];
        var sequences = new List<SupervisedSequence>();
        while (sequences.Count < count)
        {
            var prompt = Tokens(shared);
            for (var i = 0; i < 8; i++) sequences.Add(new([.. prompt, .. Tokens(Length + 1 - shared)], Math.Max(1, shared)));
        }

        void Step()
        {
            model.ZeroGradients();
            SupervisedPass.Run(model, sequences, 1, rowBudget: shared == 0 ? 2 * Length : model.MicrobatchRows);
            optimizer.Update(model.GradientSum(), 1e-4);
            model.TakeUpdate();
        }

        Step();
        return count * Length / Enumerable.Range(0, Rounds).Min(_ =>
        {
            var before = Environment.CpuUsage.TotalTime;
            Step();
            return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        });
    }
}
