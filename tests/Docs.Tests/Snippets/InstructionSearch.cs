using Docs.Tests.Checks;
using Hone;
using Hone.Optimizers;
using Hone.Testing;

namespace Docs.Tests.Snippets.InstructionSearch;

/// <summary>The examples of the pages on optimizers of instructions and demos, on a model that is a function of its prompt.</summary>
public sealed class InstructionSearchTests
{
    private static readonly Metric<FieldMap, FieldMap> Exact =
        Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));

    private static IReadOnlyList<Example<FieldMap, FieldMap>> Train => Examples("q", 12);

    private static IReadOnlyList<Example<FieldMap, FieldMap>> Validation => Examples("v", 10);

    // Right when a prompt has an example or tells it to be brief; otherwise right about every second question.
    private static LM Model => new(ScriptedChatClient.By((request, _) =>
    {
        var question = request.Messages[^1].Text;
        if (request.SystemText.Contains("`proposed_instructions`", StringComparison.Ordinal))
            return Answers.Of(("proposed_instructions", "Answer in brief."));
        if (request.SystemText.Contains("`observations` (", StringComparison.Ordinal) && !request.SystemText.Contains("`description`", StringComparison.Ordinal))
            return Answers.Of(("observations", "Short questions."));
        if (request.SystemText.Contains("`rules`", StringComparison.Ordinal))
            return Answers.Of(("reasoning", "Answers are short."), ("rules", "Be brief."));
        if (request.SystemText.Contains("`description`", StringComparison.Ordinal))
            return Answers.Of(("description", "Answers questions."));
        var number = question.Split("]]\n")[1].Split('\n')[0][1..];
        var knows = request.Messages.Length > 2 || request.SystemText.Contains("brief", StringComparison.Ordinal) || int.Parse(number, null) % 2 == 0;
        return Answers.Of(("answer", knows ? "a" + number : "no idea"));
    }));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mipro_Improves()
    {
        var (program, metric, train, validation) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation);
        var promptModel = Model;
        #region mipro-first
        var optimizer = new MiproV2<FieldMap, FieldMap>(metric, new()
        {
            Auto = MiproAuto.Light,
            PromptModel = promptModel,                  // writes instructions; the program's own model when null
            ProgramNotes = "Answers riddles in a word.",
            Budget = new() { MaxProgramRuns = 2_000 },  // ends the run and returns the best so far
        });
        Console.WriteLine(optimizer.Estimate(program, train, validation));
        var result = await optimizer.CompileAsync(program, train, validation);
        Console.WriteLine(result.Verdict);
        await result.Program.SaveAsync("riddles.json");
        #endregion
        File.Delete("riddles.json");
        Assert.Equal(1, result.BestScore);
    }

    [Fact]
    public async Task Mipro_OfYourOwnSize_Resumes()
    {
        using var folder = new TemporaryFolder();
        var (program, metric, train, validation, directory) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation, folder.Path);
        #region mipro-own
        var optimizer = new MiproV2<FieldMap, FieldMap>(metric, new()
        {
            Auto = null,
            Candidates = 8,
            Trials = 40,
            MinibatchSize = 5,
            PairedMinibatches = true,
            TrialsAtOnce = 4,                  // part of the search: changes what is tried
            MaxParallelism = 32,               // not part of it: changes how long it takes
            RunDirectory = directory,
            Resume = true,                     // goes on where an interrupted run was; pays nothing twice
            Progress = new Progress<OptimizerEvent>(happened =>
            {
                if (happened is TrialScored trial)
                    Console.WriteLine($"{trial.Number}: {trial.Score:0.00} on {trial.Examples} examples");
            }),
        });
        var result = await optimizer.CompileAsync(program, train, validation);
        #endregion
        Assert.Equal(1, result.BestScore);
    }

    [Fact]
    public async Task Copro_Improves()
    {
        var (program, metric, train, validation) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation);
        #region copro-first
        var optimizer = new Copro<FieldMap, FieldMap>(metric, new() { Breadth = 6, Depth = 2 });
        var result = await optimizer.CompileAsync(program, train, validation);
        Console.WriteLine(result.Program.Predictors[0].Value.Instructions);
        #endregion
        Assert.Equal(1, result.BestScore);
    }

    [Fact]
    public async Task InferRules_Improves()
    {
        var (program, metric, train, validation) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation);
        #region infer-rules-first
        var optimizer = new InferRules<FieldMap, FieldMap>(metric, new() { Candidates = 5, ExamplesPerCandidate = 8 });
        var result = await optimizer.CompileAsync(program, train, validation);
        #endregion
        Assert.Equal(1, result.BestScore);
    }

    [Fact]
    public async Task DemoSearch_Improves()
    {
        var (program, metric, train, validation) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation);
        #region demo-search-first
        var optimizer = new BootstrapDemoSearch<FieldMap, FieldMap>(metric, new() { MaxBootstrappedDemos = 8, MaxLabeledDemos = 8, Trials = 8 });
        var result = await optimizer.CompileAsync(program, train, validation);
        Console.WriteLine(result.Program.State["self"].Demos[0].Fields);
        #endregion
        Assert.Equal(1, result.BestScore);
    }

    [Fact]
    public async Task FewShot_Improves()
    {
        var (program, metric, train, validation) = (Predict.Parse("question -> answer").WithModel(Model), Exact, Train, Validation);
        var strongerModel = Model;
        #region labeled-first
        var labeled = await new LabeledFewShot<FieldMap, FieldMap>(metric, new() { Demos = 8 }).CompileAsync(program, train, validation);
        Console.WriteLine(labeled.Verdict);
        #endregion
        #region bootstrap-first
        var bootstrap = new BootstrapFewShot<FieldMap, FieldMap>(metric, new() { MaxBootstrappedDemos = 4, MaxLabeledDemos = 8 })
        {
            Teacher = program.WithModel(strongerModel),
        };
        var harvested = await bootstrap.CompileAsync(program, train, validation);
        #endregion
        #region random-search-first
        var search = new BootstrapRandomSearch<FieldMap, FieldMap>(metric, new() { Candidates = 8, TargetScore = 0.95 });
        var found = await search.CompileAsync(program, train, validation);
        foreach (var candidate in found.Candidates)
            Console.WriteLine($"{candidate.Score:0.00} {candidate.Origin}");
        #endregion
        Assert.Equal((1, 1, 1), (labeled.BestScore, harvested.BestScore, found.BestScore));
    }

    private static Example<FieldMap, FieldMap>[] Examples(string prefix, int count) =>
        [.. Enumerable.Range(1, count).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{prefix}{i}")), FieldMap.Of(("answer", $"a{i}"))))];
}
