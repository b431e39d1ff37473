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
        var steps = await TimeAsync(Options, Metric.From<Claim, Research>((example, research) => ResearchHop.Recall(example, research)), device);
        figures.Add(prefix + "rollout_s", steps.Min(step => step.Rollout), "seconds a step");
        figures.Add(prefix + "update_s", steps.Min(step => step.Forward + step.Backward + step.Optimizer), "seconds a step");
        figures.Add(prefix + "step_metric_s", steps.Average(step => step.Metric), "within the rollouts");
        figures.Add(prefix + "step_forward_s", steps.Average(step => step.Forward));
        figures.Add(prefix + "step_backward_s", steps.Average(step => step.Backward));
        figures.Add(prefix + "step_optimizer_s", steps.Average(step => step.Optimizer), "AdamW and repacking");
    }

    /// <summary>The same steps with a judge elsewhere, which takes its time over every rollout: learning after all of them, and while others wait.</summary>
    public static async Task OverlapAsync(Figures figures)
    {
        foreach (var milliseconds in (int[])[0, 100, 300, 1000])
        {
            Metric<Claim, Research> judge = async (example, prediction, cancellationToken) =>
            {
                // Between half and one and a half times as long, as servers are; the same for both ways.
                var share = 0.5 + ((example.Input.Text.Sum(letter => letter) + prediction.Value.KeyFacts.Sum(note => note.Length)) % 101 / 100.0);
                await Task.Delay(TimeSpan.FromMilliseconds(milliseconds * share), cancellationToken);
                return ResearchHop.Recall(example, prediction.Value);
            };
            foreach (var parallelism in (int[])[6, 32])
            {
                var options = Options with { MaxParallelism = parallelism };
                var after = await TimeAsync(options, judge);
                var beside = await TimeAsync(options with { OverlapLearning = true }, judge);
                var name = $"judge of {milliseconds} ms, {parallelism} rollouts at once";
                figures.Add($"overlap_{milliseconds}_{parallelism}_after_s", after.Average(step => step.Total), name);
                figures.Add($"overlap_{milliseconds}_{parallelism}_beside_s", beside.Average(step => step.Total), $"{beside.Average(step => step.Overlapped):0.00} s of the passes beside rollouts");
            }
        }
    }

    private static GrpoOptions Options => new()
    {
        Steps = WarmupSteps + MeasuredSteps,
        ExamplesPerStep = 4,
        RolloutsPerExample = 8,
        MaxParallelism = 64,
        Sampling = new() { Temperature = 1, MaxOutputTokens = 64 },
        Scaling = AdvantageScaling.Group,
        LearningRate = 3e-4,
    };

    private static async Task<GrpoTimings[]> TimeAsync(GrpoOptions options, Metric<Claim, Research> metric, EngineDevice? device = null)
    {
        var world = Encyclopedia.Create(1);
        using var search = world.CreateRetriever();
        var program = new ResearchHop(search).WithModel(EngineLM.Embedded(new() { Device = device ?? EngineDevice.Cpu }));
        var train = world.Tasks[Region.Train].Select(task => task.ToExample()).ToArray();
        var result = await Grpo.Create(metric, options).CompileAsync(program, train);
        return [.. result.Steps.Skip(WarmupSteps).Select(step => step.Seconds)];
    }
}
