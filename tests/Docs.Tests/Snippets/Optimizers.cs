using Hone;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Docs.Tests.Snippets.Optimizing;

public sealed record Question(string Text);

public sealed record Answer(string Reply);

public sealed class OptimizerTests : IDisposable
{
    private static readonly Example<Question, Answer>[] Examples = [.. Enumerable.Range(0, 16).Select(i => new Example<Question, Answer>(new($"q{i}"), new("right")))];

    private static readonly Metric<Question, Answer> ExactMatch = Metric.From<Question, Answer>((example, answer) => example.Expected.Reply == answer.Reply);

    private readonly string directory = Directory.CreateTempSubdirectory("hone-docs-").FullName;

    // Right once it has a demo.
    private static Program<Question, Answer> Program => new Predict<Question, Answer>("Answer.").WithModel(new LM(
        ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(FieldMap.Of(("reply", request.Messages.Length > 2 ? "right" : "wrong")))), "scripted")
    {
        Price = new(0, 0),
    });

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Optimizers_Run()
    {
        var (program, metric, train, validation, test) = (Program, ExactMatch, Examples[..6], Examples[6..10], Examples[10..]);
        using var output = new StringWriter();
        var Console = output;
        var before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(directory);
        try
        {
            #region optimizers-run
            var optimizer = new BootstrapRandomSearch<Question, Answer>(metric, new()
            {
                Candidates = 8,
                MaxParallelism = 16,
                Budget = new() { MaxProgramRuns = 2_000, MaxCost = 5 },
                RunDirectory = "runs/demos",
                Resume = true,
            })
            {
                Test = test,
            };
            Console.WriteLine(optimizer.Estimate(program, train, validation));
            var result = await optimizer.CompileAsync(program, train, validation);
            Console.WriteLine(result.Verdict);
            await result.Program.SaveAsync("answers.json");
            #endregion
            Assert.Equal((0, 1), (result.Test!.Baseline, result.Test.Candidate));
            Assert.True(File.Exists("answers.json"));
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }

        Assert.Contains("after", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Optimizers_KnnFewShot()
    {
        var (program, metric, train, validation, lm) = (Program, ExactMatch, Examples[..6], Examples[6..10], Program.Model!);
        using var embeddings = new Lengths();
        using var output = new StringWriter();
        var Console = output;
        var before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(directory);
        try
        {
            #region knn-few-shot
            var knn = new KnnFewShot<Question, Answer>(embeddings, metric, new() { Nearest = 3, MaxBootstrappedDemos = 2 });
            var result = await knn.CompileAsync(program, train, validation);
            Console.WriteLine(result.Verdict);
            await result.Program.SaveAsync("answers.json");

            // Later, elsewhere: the module of the program as before, with a KnnDemos around it.
            var loaded = await new KnnDemos<Question, Answer>(program.Module, embeddings).WithModel(lm).LoadStateAsync("answers.json");
            Answer answer = await loaded.CallAsync(new("q11"));
            #endregion
            Assert.Equal("right", answer.Reply);
            Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }

        Assert.Contains("after", output.ToString(), StringComparison.Ordinal);
    }

    private sealed class Lengths : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<GeneratedEmbeddings<Embedding<float>>>([.. values.Select(text => new Embedding<float>(new float[] { text.Length, text[^1] }))]);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    [Fact]
    public void Optimizers_Tracking()
    {
        ILogger logger = NullLogger.Instance;
        using var http = new HttpClient();
        #region optimizers-tracking
        var tracked = new SimbaOptions
        {
            Trackers =
            [
                new LoggerTracker(logger),
                new JsonLinesTracker("runs/answers/events.jsonl"),
                new MlflowTracker(http, new Uri("http://localhost:5000"), new() { Experiment = "answers" }),
            ],
        };
        #endregion
        Assert.Equal(3, tracked.Trackers.Count);
    }

    [Fact]
    public async Task Optimizers_Feedback()
    {
        #region optimizers-feedback
        Metric<Question, Answer> metric = (example, prediction, _) => ValueTask.FromResult(
            example.Expected.Reply == prediction.Value.Reply
                ? new Score(1)
                : new Score(0) { Feedback = $"The right reply is '{example.Expected.Reply}'." });
        #endregion
        var score = await metric(Examples[0], new(new("wrong"), Trace.Empty), TestContext.Current.CancellationToken);
        Assert.Equal("The right reply is 'right'.", score.Feedback);
    }

    [Fact]
    public async Task Optimizers_Simba()
    {
        var (program, metric, train, validation) = (Program, ExactMatch, Examples, Examples[..4]);
        var writer = new LM(ScriptedChatClient.ForOutputs(FieldMap.Of(("discussion", "d"), ("advice", FieldMap.Of(("self", "Be right."))))));
        #region simba
        var simba = new Simba<Question, Answer>(metric, new()
        {
            BatchSize = 16,
            MaxSteps = 6,
            PromptModel = writer,
        });
        var result = await simba.CompileAsync(program, train, validation);
        #endregion
        Assert.NotNull(result.BestScore);
    }

    [Fact]
    public async Task Optimizers_BetterTogether_And_Ensemble()
    {
        var program = new Predict<Question, Answer>("Answer.").WithModel(new LM(
            new ToyPolicy(new ToyChoice("[[ ## reply ## ]]", Completion("wrong"), Completion("right"), Completion("worse"))), "toy")
        { Options = new() { Temperature = 0 } });
        var (metric, train, validation) = (ExactMatch, Examples[..8], Examples[8..]);
        using var output = new StringWriter();
        var Console = output;
        #region better-together
        var together = new BetterTogether<Question, Answer>(
            metric,
            new Dictionary<string, IOptimizer<Question, Answer>>
            {
                ["p"] = new BootstrapFewShot<Question, Answer>(metric),
                ["w"] = Grpo.Create(metric, new() { Steps = 20, ExamplesPerStep = 2, LearningRate = 1 }),
            },
            new() { Strategy = "p -> w" });
        var result = await together.CompileAsync(program, train, validation);
        foreach (var candidate in result.Candidates)
            Console.WriteLine($"{candidate.Origin}: {candidate.Score:0.000}");
        #endregion
        Assert.Contains("p -> w", output.ToString(), StringComparison.Ordinal);
        Assert.True(result.BestScore > result.BaselineScore, result.Verdict);
        #region ensemble
        var members = result.Candidates
            .OrderByDescending(candidate => candidate.Score)
            .Take(3)
            .Select(candidate => program.With(candidate.State))
            .ToArray();
        var ensemble = new Ensemble<Question, Answer>(members, Ensemble.MajorityOf<Answer>(answer => answer.Reply));
        var reply = await ensemble.CallAsync(new Question("Which one?"));
        #endregion
        Assert.NotEmpty(reply.Reply);
    }

    [Fact]
    public async Task Optimizers_BootstrapFinetune()
    {
        var student = Predict.Parse("colour -> action").WithModel(EngineLM.Embedded());
        var teacher = student.WithModel(new LM(ScriptedChatClient.By((_, _) => ScriptedChatClient.ChatText(FieldMap.Of(("action", "stop"))))));
        Example<FieldMap, FieldMap>[] train = [new(FieldMap.Of(("colour", "red")), FieldMap.Of(("action", "stop"))), new(FieldMap.Of(("colour", "crimson")), FieldMap.Of(("action", "stop")))];
        var metric = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["action"], output["action"]));
        #region bootstrap-finetune
        var finetune = new BootstrapFinetune<FieldMap, FieldMap>(metric)
        {
            Teachers = [teacher],
            Provider = new LocalFineTuning(new() { Epochs = 3, LearningRate = 5e-4 }),
        };
        var result = await finetune.CompileAsync(student, train);
        #endregion
        Assert.Equal("tuned weights", result.Candidates[^1].Origin);
        Assert.NotSame(student.Model!.Client, result.Program.Model!.Client);
    }

    [Fact]
    public async Task Optimizers_ForeignFunction()
    {
        var agent = new Agent();
        #region foreign-function
        var program = TextProgram.From<string, string>(
            new Dictionary<string, string>
            {
                ["system_prompt"] = "You answer questions about invoices.",
                ["router"] = "Say 'billing' or 'other'.",
            },
            (question, texts, cancellationToken) => agent.AnswerAsync(question, texts["system_prompt"], texts["router"], cancellationToken));
        #endregion
        Assert.Equal("You answer questions about invoices. When is it due?", await program.CallAsync("When is it due?", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Optimizers_ForeignClient()
    {
        using var client = ScriptedChatClient.InSequence("In May.");
        #region foreign-client
        var program = TextProgram.FromClient(client, "You answer questions about invoices.");
        #endregion
        Assert.Equal("In May.", await program.CallAsync("When is it due?", TestContext.Current.CancellationToken));
    }

    private static string Completion(string reply) => ScriptedChatClient.ChatText(FieldMap.Of(("reply", reply)));

    private sealed class Agent
    {
        public Task<string> AnswerAsync(string question, string systemPrompt, string router, CancellationToken cancellationToken) => Task.FromResult($"{systemPrompt} {question}");
    }
}
