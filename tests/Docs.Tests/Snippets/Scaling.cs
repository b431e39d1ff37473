using System.Collections.Immutable;
using Hone;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Scaling;

public sealed record Ask(string Question);

public sealed record Reply(string Answer);

public sealed class ScalingTests
{
    private static readonly Example<Ask, Reply>[] Train = [.. Enumerable.Range(0, 8).Select(i => new Example<Ask, Reply>(new($"q{i}"), new("right")))];
    private static readonly Metric<Ask, Reply> Metric = Hone.Metric.From<Ask, Reply>((example, reply) => reply.Answer == example.Expected.Answer);
    private static readonly ToyPolicy Policy = new(new ToyChoice("[[ ## answer ## ]]", "[[ ## answer ## ]]\nwrong", "[[ ## answer ## ]]\nright"));

    private static GrpoOptions ToyOptions => new() { Steps = 15, RolloutsPerExample = 8, LearningRate = 2, Schedule = ScheduleKind.Constant, Seed = 1 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_IsTheSame_WhereverTheModelIs()
    {
        await using var tinker = FakeTinkerServer.Start(Policy);
        await using var arbor = FakeArborServer.Start(Policy);
        LM[] models =
        [
            new(Policy),
            TinkerLM.Open(new() { Address = tinker.Address, BaseModel = FakeTinkerServer.BaseModel, Tokenizer = new ToyTokenizer(Policy.Choices) }),
            ArborLM.Open(new() { Address = arbor.Address, Model = FakeArborServer.BaseModel, PollInterval = TimeSpan.FromMilliseconds(1) }),
        ];
        var (metric, train, options) = (Metric, Train, ToyOptions);
        foreach (var lm in models)
        {
            #region scaling-run
            var program = new Predict<Ask, Reply>("Answer.").WithModel(lm);
            var tuned = await Grpo.Create(metric, options).CompileAsync(program, train, validation: train);
            #endregion
            Assert.True(tuned.BestScore > tuned.BaselineScore, $"{lm.Name}: {tuned.BaselineScore} -> {tuned.BestScore}");
        }
    }

    [Fact]
    public async Task FakeServer_StandsInForACluster()
    {
        var (metric, train, options) = (Metric, Train, ToyOptions);
        #region scaling-test
        var policy = new ToyPolicy(new ToyChoice("[[ ## answer ## ]]", "[[ ## answer ## ]]\nwrong", "[[ ## answer ## ]]\nright"));
        await using var server = FakeTinkerServer.Start(policy);
        server.Inject(new ServerFault(ServerFaultKind.CutBody, "optim_step"));    // the step is taken, its answer is lost

        var lm = TinkerLM.Open(new TinkerOptions
        {
            Address = server.Address,
            BaseModel = FakeTinkerServer.BaseModel,
            Tokenizer = new ToyTokenizer(policy.Choices),
        });
        var program = new Predict<Ask, Reply>("Answer.").WithModel(lm);
        await Grpo.Create(metric, options).CompileAsync(program, train);
        Assert.True(server.Probability(choice: 0, completion: 1) > 0.8);
        #endregion
    }

    [Fact]
    public async Task Export_WritesAJob()
    {
        var folder = Directory.CreateTempSubdirectory("hone-docs").FullName;
        var (train, validation) = (Train, Train);
        #region scaling-export
        var program = new Program<Ask, Reply>(new Predict<Ask, Reply>("Answer."));
        await OpenAIReinforcement.ExportAsync(
            program, train, validation,
            new OpenAIReinforcementOptions { Model = "o4-mini-2025-04-16", Grader = OpenAIGrader.FieldEquals("answer") },
            Path.Combine(folder, "rft"));
        #endregion
        Assert.True(File.Exists(Path.Combine(folder, "rft", "job.json")));
        Directory.Delete(folder, recursive: true);
    }
}

internal static class ScalingSketches
{
    public static LM Laptop()
    {
        #region scaling-laptop
        var lm = EngineLM.Load("models/Qwen3-0.6B");
        #endregion
        return lm;
    }

    public static LM Cluster()
    {
        #region scaling-tinker
        var lm = TinkerLM.Open(new TinkerOptions
        {
            Address = new Uri("http://gpu-node:8000"),
            BaseModel = "Qwen/Qwen3-0.6B",
            Tokenizer = EnginePolicyTokenizer.Load("models/Qwen3-0.6B"),    // tokenizer.json and its configuration, no weights
            ApiKey = Environment.GetEnvironmentVariable("TINKER_API_KEY"),
        });
        #endregion
        return lm;
    }

    public static LM Arbor()
    {
        #region scaling-arbor
        var lm = ArborLM.Open(new ArborOptions
        {
            Address = new Uri("http://gpu-node:7453/v1/"),
            Model = "Qwen/Qwen3-0.6B",
            InferenceGpus = 1,
            TrainingGpus = 1,
        });
        #endregion
        return lm;
    }

    public static GrpoOptions Options() =>
    #region scaling-options
        new GrpoOptions
        {
            Steps = 200,
            ExamplesPerStep = 8,
            RolloutsPerExample = 8,
            Lora = new LoraOptions { Rank = 32, Alpha = 32 },    // services fix alpha at 32
            Schedule = ScheduleKind.Constant,                    // Arbor: nothing else
            RunDirectory = "runs/hop",
            Resume = true,
        };
    #endregion
}
