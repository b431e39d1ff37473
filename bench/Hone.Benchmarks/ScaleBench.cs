using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// How the engine's rates change with the length of what is read and learned (the same number of tokens a step: attention is the only part whose work grows
/// faster than the tokens), with the sequences of a step, and with the model's size. By processor time, on one core.
/// </summary>
internal static class ScaleBench
{
    private const int LengthOfBatch = 224;
    private const int Sequences = 8;

    private static readonly int[] Lengths = [60, 120, 240, 480, 960];
    private static readonly int[] Batches = [1, 2, 4, 8, 16, 32];

    public static void Run(Figures figures, string? models)
    {
        var names = models?.Split(',') ?? ["1m", "5m", "15m"];
        foreach (var (name, config) in Shapes.ForGpu.Where(shape => names.Contains(shape.Name)))
        {
            // A step of 120 million weights takes a while.
            var isLarge = ParameterSet.Describe(config).Sum(tensor => (long)tensor.Length) > 50_000_000;
            var (rounds, tokensOfStep, batches) = isLarge ? (1, 960, Batches[..4]) : (3, 3_840, Batches);
            using var weights = Shapes.FastWeights(config);
            foreach (var length in Lengths)
            {
                figures.Add($"scale_{name}_train_length_{length}", Train(weights, tokensOfStep / length, length, rounds), $"tokens/s, {tokensOfStep / length} sequences a step");
                figures.Add($"scale_{name}_decode_length_{length}", Decode(weights, length, rounds), $"tokens/s, {Sequences} sequences after prompts of {length - DecodeBench.NewTokens + 1}");
            }

            foreach (var batch in batches)
                figures.Add($"scale_{name}_train_batch_{batch}", Train(weights, batch, LengthOfBatch, rounds), $"tokens/s, sequences of {LengthOfBatch}");
        }
    }

    private static double Train(ParameterSet weights, int sequences, int length, int rounds)
    {
        using var model = new TrainingModel(weights, laneCount: 1);
        using var optimizer = new AdamW(model, new());
        var random = new Random(3);
        SupervisedSequence[] batch = [.. Enumerable.Range(0, sequences).Select(_ => new SupervisedSequence(
            [.. Enumerable.Range(0, length + 1).Select(_ => random.Next(weights.Config.VocabularySize))], 1))];
        return sequences * length / Enumerable.Range(0, rounds + 1).Min(_ => Seconds(() =>
        {
            model.ZeroGradients();
            SupervisedPass.Run(model, batch, 1, rowBudget: 448);
            optimizer.Update(model.GradientSum(), 1e-4);
            model.TakeUpdate();
        }));
    }

    // The tokens are the last of a sequence of the given length.
    private static double Decode(ParameterSet weights, int length, int rounds)
    {
        using var model = InferenceModel.Create(weights);
        using var ready = new Barrier(1);
        return Sequences * DecodeBench.NewTokens / Enumerable.Range(0, rounds).Min(round => DecodeBench.Decode(
            model, Sequences, round, ready, () => Environment.CpuUsage.TotalTime.TotalSeconds, length - DecodeBench.NewTokens + 1));
    }

    private static double Seconds(Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }
}
