using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using MultiHopResearch;

namespace Hone.Benchmarks;

/// <summary>Where the time of a GRPO step of the main job goes: 4 claims × 8 rollouts × 4 calls on the embedded model.</summary>
internal static class StepBench
{
    private const int WarmupSteps = 2;
    private const int MeasuredSteps = 4;

    public static async Task RunAsync(Figures figures, EngineDevice? device = null, string prefix = "")
    {
        var world = Encyclopedia.Create(1);
        using var search = world.CreateRetriever();
        var recall = Metric.From<Claim, Research>((example, research) => ResearchHop.Recall(example, research));
        var options = new GrpoOptions
        {
            Steps = WarmupSteps + MeasuredSteps,
            ExamplesPerStep = 4,
            RolloutsPerExample = 8,
            MaxParallelism = 64,
            Sampling = new() { Temperature = 1, MaxOutputTokens = 64 },
            Scaling = AdvantageScaling.Group,
            LearningRate = 3e-4,
        };
        var program = new ResearchHop(search).WithModel(EngineLM.Embedded(new() { Device = device ?? EngineDevice.Cpu }));
        var train = world.Tasks[Region.Train].Select(task => task.ToExample()).ToArray();
        var result = await Grpo.Create(recall, options).CompileAsync(program, train);
        var steps = result.Steps.Skip(WarmupSteps).Select(step => step.Seconds).ToArray();
        figures.Add(prefix + "rollout_s", steps.Min(step => step.Rollout), "seconds a step");
        figures.Add(prefix + "update_s", steps.Min(step => step.Forward + step.Backward + step.Optimizer), "seconds a step");
        figures.Add(prefix + "step_metric_s", steps.Average(step => step.Metric), "within the rollouts");
        figures.Add(prefix + "step_forward_s", steps.Average(step => step.Forward));
        figures.Add(prefix + "step_backward_s", steps.Average(step => step.Backward));
        figures.Add(prefix + "step_optimizer_s", steps.Average(step => step.Optimizer), "AdamW and repacking");
    }
}
