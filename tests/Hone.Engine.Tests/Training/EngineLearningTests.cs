using Hone.Engine.Tests.Generation;
using Hone.Optimizers;
using Hone.Reinforcement;

namespace Hone.Engine.Tests.Training;

/// <summary>The whole arc on a random model of a few thousand weights: program, rollouts, GRPO on the sampled tokens, a better program.</summary>
public sealed class EngineLearningTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>T10 on the engine: the reward is the share of a byte in the answer, which any policy can raise.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Grpo_RewardForOneToken_RaisesIt(bool useLora)
    {
        using var model = SmallModel.Create();
        var program = new RawText().WithModel(EngineLM.Owning(model, new() { Workers = 2, MaxBatchRows = 64 })).WithAdapter(new RawTextAdapter());
        var metric = Hone.Metric.From<string, string>((_, text) => text.Length == 0 ? 0 : text.Count(char.IsAsciiLetterUpper) / (double)text.Length);
        Example<string, string>[] train = [new("a", ""), new("b", ""), new("c", ""), new("d", "")];
        var options = new GrpoOptions
        {
            Steps = 60,
            ExamplesPerStep = 4,
            RolloutsPerExample = 8,
            MaxParallelism = 32,
            LearningRate = useLora ? 2e-2 : 3e-3,
            Schedule = ScheduleKind.Constant,
            Scaling = AdvantageScaling.Group,
            Lora = useLora ? new() { Rank = 4, Alpha = 8 } : null,
            Sampling = new() { Temperature = 1, MaxOutputTokens = 8 },
            Loss = new() { MaskTruncated = false },
        };
        var result = await Grpo.Create(metric, options).CompileAsync(program, train, null, Token);
        var (first, last) = (result.Steps.Take(3).Average(step => step.RewardMean), result.Steps.TakeLast(3).Average(step => step.RewardMean));
        Assert.True(last > first + 0.25, $"reward went from {first:0.000} to {last:0.000}");
        Assert.All(result.Steps, step => Assert.InRange(step.SamplerDifferenceMax, 0, 1e-3));
    }

    /// <summary>An interrupted run, resumed in a new session, gives the same series and the same weights as an unbroken one.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Grpo_InterruptedAndResumed_EndsWithIdenticalWeights(int killAfterStep)
    {
        var folder = Directory.CreateTempSubdirectory("hone-engine-resume").FullName;
        try
        {
            var expected = await RunAsync(Path.Combine(folder, "unbroken"), false, null);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(Path.Combine(folder, "broken"), false, killAfterStep));
            var resumed = await RunAsync(Path.Combine(folder, "broken"), true, null);
            Assert.Equal(expected.Steps.Select(step => (step.RewardMean, step.GradientNorm)), resumed.Steps.Select(step => (step.RewardMean, step.GradientNorm)));
            Assert.Equal(await WeightsOf(expected, folder, "a"), await WeightsOf(resumed, folder, "b"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<GrpoResult<string, string>> RunAsync(string directory, bool resume, int? killAfterStep)
    {
        using var kill = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var options = new GrpoOptions
        {
            Steps = 7,
            RolloutsPerExample = 4,
            ExamplesPerStep = 2,
            LearningRate = 1e-3,
            SaveStateEvery = 2,
            Sampling = new() { Temperature = 1, MaxOutputTokens = 6 },
            RunDirectory = directory,
            Resume = resume,
            Progress = new Killer(kill, killAfterStep),
        };
        Example<string, string>[] train = [new("a", ""), new("b", ""), new("c", "")];
        var metric = Hone.Metric.From<string, string>((_, text) => text.Length / 40.0);
        using var model = SmallModel.Create();
        return await Grpo.Create(metric, options)
            .CompileAsync(new RawText().WithModel(EngineLM.Owning(model, new() { Workers = 2 })).WithAdapter(new RawTextAdapter()), train, null, kill.Token);
    }

    private static async Task<byte[]> WeightsOf(GrpoResult<string, string> result, string folder, string name)
    {
        await result.Program.Model!.GetService<IWeightStore>()!.SaveWeightsAsync(Path.Combine(folder, name), Token);
        return await File.ReadAllBytesAsync(Path.Combine(folder, name, "model.safetensors"), Token);
    }

    private sealed class Killer(CancellationTokenSource kill, int? afterStep) : IProgress<GrpoEvent>
    {
        public void Report(GrpoEvent value)
        {
            if (value is GrpoStepCompleted completed && completed.Report.Step == afterStep)
                kill.Cancel();
        }
    }

    /// <summary>Takes whatever text the model writes.</summary>
    private sealed class RawText : Module<string, string>
    {
        private readonly Predict write = Predict.Parse("topic -> text");

        protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
            (string)(await write.CallAsync(FieldMap.Of(("topic", input)), cancellationToken))["text"]!;
    }

    private sealed class RawTextAdapter : Adapter
    {
        public override string Name => "RawText";

        public override IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> Render(AdapterRequest request) =>
            [new(Microsoft.Extensions.AI.ChatRole.User, $"{request.Inputs["topic"]}")];

        public override FieldMap Parse(Signature signature, string completion) => FieldMap.Of(("text", completion));

        public override string RenderOutputs(Signature signature, FieldMap outputs) => $"{outputs["text"]}";
    }
}
