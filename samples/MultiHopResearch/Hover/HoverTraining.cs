using Hone.Optimizers;
using Hone.Reinforcement;

namespace MultiHopResearch.Hover;

/// <summary>How DSPy's tutorial trains on HoVer, for an adapter on a model that knows the world.</summary>
internal static class HoverTraining
{
    public const int Steps = 1000;

    /// <summary>The tutorial's numbers; the adapter has no dropout, which would make the policy's own log-probabilities differ from those sampled.</summary>
    public static GrpoOptions Configure(Settings settings) => new()
    {
        Steps = settings.Steps,
        Seed = settings.Seed,
        ExamplesPerStep = 6,
        OverlapLearning = settings.Overlap,
        RolloutsPerExample = 24,
        MaxParallelism = 16,
        Sampling = new() { Temperature = 1, MaxOutputTokens = settings.MaxOutputTokens },
        Scaling = AdvantageScaling.None,
        Grouping = settings.StopsEarly ? GroupingMode.Ragged : GroupingMode.Truncate,
        LearningRate = 1e-6,
        Lora = new() { Rank = 8, Alpha = 16 },
        WarmupSteps = 10,
        Optimizer = new() { LearningRate = 0, WeightDecay = 0.001, MaxGradientNorm = 1 },
        ValidateEvery = 50,
        RunDirectory = settings.Output,
        Resume = settings.Resume,
    };
}
