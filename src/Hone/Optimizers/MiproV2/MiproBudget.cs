namespace Hone.Optimizers;

/// <summary>What a run of MIPROv2 does how often: a pure function of its settings.</summary>
/// <param name="Instructions">Instructions a predictor, its own included.</param>
/// <param name="DemoSets">Demo sets.</param>
/// <param name="Trials">Combinations that are tried.</param>
internal sealed record MiproBudget(int Instructions, int DemoSets, int Trials)
{
    public const int MinibatchAbove = 50;
    public const int MostSelection = 1000;
    private const int MostFurtherLooks = 9;

    public static MiproBudget For(MiproV2Options options, int predictors) => options.Auto is { } auto
        ? For(auto, predictors, options.IsZeroShot)
        : new(options.Candidates!.Value, options.Candidates.Value, options.Trials!.Value);

    public static MiproBudget For(MiproAuto auto, int predictors, bool isZeroShot)
    {
        var count = CandidatesOf(auto);
        return new(isZeroShot ? count : count / 2, count, TrialsFor(count, predictors, isZeroShot));
    }

    /// <summary>Most examples that choose.</summary>
    public static int SelectionLimit(MiproAuto auto) => auto switch
    {
        MiproAuto.Light => 100,
        MiproAuto.Medium => 300,
        _ => MostSelection,
    };

    /// <summary>How many examples choose when there is no validation set: four of five, rounded down.</summary>
    public static int SelectionOf(int examples) => Math.Clamp(examples * 4 / 5, 1, MostSelection);

    /// <summary>Trials that a number of candidates deserves.</summary>
    public static int TrialsFor(int candidates, int predictors, bool isZeroShot)
    {
        var variables = isZeroShot ? predictors : 2 * predictors;
        return (int)Math.Max(2 * variables * Math.Log2(candidates), 1.5 * candidates);
    }

    public static bool UsesMinibatches(MiproV2Options options, int selection) => options.Minibatch && (options.Auto is null || selection > MinibatchAbove);

    /// <summary>Full evaluations beside the one of the program as it came: one after so many trials, and one at the end.</summary>
    public static int FullEvaluations(int trials, int every) => (trials + every - 1) / every;

    /// <summary>Evaluations in a run's log after the first one, with minibatches.</summary>
    public static int LogLength(int trials, int every) => 1 + trials + FullEvaluations(trials, every);

    /// <summary>Questions about the data: a first look, further ones, and the summary.</summary>
    public static int LooksAtData(int train, int batch) => 2 + Math.Min(MostFurtherLooks, ((train + batch - 1) / batch) - 1);

    private static int CandidatesOf(MiproAuto auto) => auto switch
    {
        MiproAuto.Light => 6,
        MiproAuto.Medium => 12,
        _ => 18,
    };
}
