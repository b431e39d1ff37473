using Hone.Engine;

namespace Hone.Benchmarks;

/// <summary>
/// How the engine's rates fall with the length of what is read and learned, at the same number of tokens a step: attention is the only part whose work grows faster
/// than the tokens. By processor time, on one core.
/// </summary>
internal static class LengthBench
{
    private const int Rounds = 3;
    private const int TokensOfStep = 3_840;
    private const int Sequences = 8;

    private static readonly int[] Lengths = [60, 120, 240, 480, 960];

    public static void Run(Figures figures, string? models)
    {
        var names = models?.Split(',');
        foreach (var (name, config) in Shapes.For(quick: false).Where(shape => names?.Contains(shape.Name) ?? true))
        {
            using var weights = ParameterSet.CreateRandom(config, 1);
            foreach (var length in Lengths)
            {
                figures.Add($"length_{name}_train_{length}", Train(weights, length), $"tokens/s, {TokensOfStep / length} sequences a step");
                figures.Add($"length_{name}_decode_{length}", Decode(weights, length), $"tokens/s, {Sequences} sequences after prompts of {length - DecodeBench.NewTokens + 1}");
            }
        }
    }

    private static double Train(ParameterSet weights, int length)
    {
        using var model = new TrainingModel(weights, laneCount: 1);
        using var optimizer = new AdamW(model, new());
        var random = new Random(3);
        SupervisedSequence[] sequences = [.. Enumerable.Range(0, TokensOfStep / length).Select(_ => new SupervisedSequence(
            [.. Enumerable.Range(0, length + 1).Select(_ => random.Next(weights.Config.VocabularySize))], 1))];
        return TokensOfStep / Enumerable.Range(0, Rounds + 1).Min(_ => Seconds(() =>
        {
            model.ZeroGradients();
            SupervisedPass.Run(model, sequences, 1, rowBudget: 448);
            optimizer.Update(model.GradientSum(), 1e-4);
            model.TakeUpdate();
        }));
    }

    // The tokens are the last of a sequence of the given length.
    private static double Decode(ParameterSet weights, int length)
    {
        using var model = InferenceModel.Create(weights);
        using var ready = new Barrier(1);
        return Sequences * DecodeBench.NewTokens / Enumerable.Range(0, Rounds).Min(round => DecodeBench.Decode(
            model, Sequences, round, ready, () => Environment.CpuUsage.TotalTime.TotalSeconds, length - DecodeBench.NewTokens + 1));
    }

    private static double Seconds(Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }
}
