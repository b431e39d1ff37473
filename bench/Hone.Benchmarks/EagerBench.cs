using System.Diagnostics;
using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// The figures of <c>bench/cpu/torch_eager.py</c> for this engine: the same shapes, batches and optimizer on one core by processor time, or on several by the clock.
/// Run the two in turns. Groups are what reinforcement samples and learns from: completions of one prompt, which eager code computes once for each of them.
/// </summary>
internal static class EagerBench
{
    private const int Rounds = 5;
    private const int Length = 224;
    private const int PromptOfGroup = 164;
    private const int GroupSize = 8;
    private const int Sequences = 16;

    public static void Run(Figures figures, string? models, int cores)
    {
        var names = models?.Split(',');
        foreach (var (name, config) in Shapes.For(quick: false).Where(shape => names?.Contains(shape.Name) ?? true))
        {
            using var weights = Shapes.FastWeights(config);
            using (var model = InferenceModel.Create(weights))
            {
                foreach (var batch in new[] { 1, 8, 32, 64 }) figures.Add($"eager_decode_{name}_b{batch}", Decode(model, batch, 1, cores), "tokens/s");
                figures.Add($"eager_decode_group_{name}_b64", Decode(model, 64, GroupSize, cores), $"tokens/s, {GroupSize} sequences to a prompt");
            }

            figures.Add($"eager_train_{name}", Train(weights, shared: 0, cores), "tokens/s");
            figures.Add($"eager_train_group_{name}", Train(weights, PromptOfGroup, cores), $"tokens/s, of which {PromptOfGroup} in {Length} are a prompt that {GroupSize} sequences share");
        }
    }

    private static double Decode(InferenceModel model, int batch, int siblings, int cores)
    {
        // Few sequences are decoded in no time: more rounds, until everything is compiled for good.
        return batch * DecodeBench.NewTokens / Enumerable.Range(0, Math.Max(Rounds, 64 / batch)).Min(
            _ => DecodeBench.Seconds(model, batch, siblings, cores, cores == 1 ? ProcessorSeconds : null));
    }

    private static double ProcessorSeconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static double Train(ParameterSet weights, int shared, int cores)
    {
        using var model = new TrainingModel(weights, laneCount: cores);
        using var optimizer = new AdamW(model, new());
        var random = new Random(3);
        int[] Tokens(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(weights.Config.VocabularySize))];
        var sequences = new List<SupervisedSequence>();
        while (sequences.Count < Sequences)
        {
            var prompt = Tokens(shared);
            for (var i = 0; i < GroupSize; i++) sequences.Add(new([.. prompt, .. Tokens(Length + 1 - shared)], Math.Max(1, shared)));
        }

        void Step()
        {
            model.ZeroGradients();
            SupervisedPass.Run(model, sequences, cores, rowBudget: shared == 0 ? 2 * Length : model.MicrobatchRows);
            optimizer.Update(model.GradientSum(), 1e-4);
            model.TakeUpdate();
        }

        Step();
        return Sequences * Length / Enumerable.Range(0, Rounds).Min(_ =>
        {
            var (processor, clock) = (ProcessorSeconds(), Stopwatch.GetTimestamp());
            Step();
            return cores == 1 ? ProcessorSeconds() - processor : Stopwatch.GetElapsedTime(clock).TotalSeconds;
        });
    }
}
