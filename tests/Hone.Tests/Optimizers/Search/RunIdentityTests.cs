using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Search;

/// <summary>A run directory is one program's under one set of texts: whatever changes what models are asked, in code or in settings, is refused and named.</summary>
public sealed class RunIdentityTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-identity-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> MetaPrompts => ["copro", "infer-rules", "mipro", "simba", "gepa", "avatar"];

    public static TheoryData<string, string> Changes => new()
    {
        { "instructions", "instructions of ans" },
        { "description", "fields of ans" },
        { "bound", "fields of ans" },
        { "demo", "demos and options of ans" },
        { "options", "model: " },
        { "named", "model big: " },
        { "adapter", "format: " },
        { "recovery", "recovery: " },
    };

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_program_that_was_changed_in_code_does_not_resume_the_run(string change, string named)
    {
        var lab = NewLab();
        var before = Program(lab, "base", "question -> answer");
        var after = change switch
        {
            "instructions" => Program(lab, "other", "question -> answer"),
            "description" => new Described(new("answer", FieldType.String, FieldDirection.Output) { Description = "in a word" }).WithModel(lab.Model).WithNamedModel("big", lab.Model),
            "bound" => new Described(new("answer", FieldType.String, FieldDirection.Output) { Constraints = [new("max_length", 9L)] }).WithModel(lab.Model).WithNamedModel("big", lab.Model),
            "demo" => before.With(before.State.With("ans", new() { Demos = [new(FieldMap.Of(("question", "q"), ("answer", "a")))] })),
            "options" => before.WithModel(lab.Model with { Options = new() { Temperature = 0.5f } }),
            "named" => before.WithNamedModel("big", lab.Model with { Options = new() { MaxOutputTokens = 9 } }),
            "adapter" => before.WithAdapter(JsonAdapter.Default),
            _ => before.WithRecovery(RecoveryPolicy.None),
        };
        await Optimizer(resume: false).CompileAsync(before, Lab.Examples(4), Lab.Examples(3, "v"), Token);
        await Optimizer(resume: true).CompileAsync(before, Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => Optimizer(resume: true).CompileAsync(after, Lab.Examples(4), Lab.Examples(3, "v"), Token));
        Assert.Contains("other program", error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.NotEqual(CandidateKeys.Of(before, "student"), CandidateKeys.Of(after, "student"));
    }

    [Theory]
    [MemberData(nameof(MetaPrompts))]
    public async Task A_meta_prompt_that_was_replaced_does_not_resume_the_run(string optimizer)
    {
        var lab = new Lab(call => call.Role is "prompt" or "reflection" ? throw new InvalidOperationException("no text") : Lab.AnswerIf(call.Question == "q1", call.Question));
        await Run(optimizer, "One way to ask.", resume: false);
        await Run(optimizer, "One way to ask.", resume: true);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run(optimizer, "Another way to ask.", resume: true));
        Assert.Contains("other options", error.Message, StringComparison.Ordinal);
        Assert.Contains("=Predict ", error.Message, StringComparison.Ordinal);

        Task Run(string name, string text, bool resume) => MetaPrompted(name, text, resume).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
    }

    [Fact]
    public async Task A_teacher_that_was_changed_does_not_resume_the_run()
    {
        var lab = NewLab();
        await Run("teach", resume: false);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run("teach well", resume: true));
        Assert.Contains("teacher=", error.Message, StringComparison.Ordinal);

        Task Run(string instructions, bool resume) => new BootstrapFewShot<FieldMap, FieldMap>(Lab.Exact, new() { RunDirectory = directory, Resume = resume }) { Teacher = lab.One(instructions) }
            .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
    }

    // Metrics look at labels.
    [Fact]
    public async Task Examples_whose_labels_were_changed_do_not_resume_the_run()
    {
        await Run("one", resume: false);
        await Run("one", resume: true);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run("two", resume: true));
        Assert.Contains("other data", error.Message, StringComparison.Ordinal);

        Task Run(string label, bool resume) => Optimizer(resume).CompileAsync(
            NewLab().One(), Lab.Examples(4), [.. Lab.Examples(3, "v").Select(example => example with { Labels = FieldMap.Of(("why", label)) })], Token);
    }

    [Fact]
    public async Task Another_test_set_is_not_taken_for_the_first_one()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Demos.Length > 0 && call.Question[0] != 'u', call.Question));
        Assert.Equal((0, 1), Compared(await Run("t", resume: false)));
        Assert.Equal((0, 0), Compared(await Run("u", resume: true)));
        var calls = lab.Calls.Count;
        Assert.Equal((0, 1), Compared(await Run("t", resume: true)));
        Assert.Equal(calls, lab.Calls.Count);

        Task<OptimizationResult<FieldMap, FieldMap>> Run(string test, bool resume) =>
            new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { RunDirectory = directory, Resume = resume }) { Test = Lab.Examples(3, test) }
                .CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);

        static (double, double) Compared(OptimizationResult<FieldMap, FieldMap> result) => (result.Test!.Baseline, result.Test.Candidate);
    }

    // A finished step is taken from the directory: it must be one of the same settings.
    [Fact]
    public async Task A_sequence_whose_steps_were_set_otherwise_is_not_resumed()
    {
        var lab = NewLab();
        await Run(1, resume: false);
        await Run(1, resume: true);
        var error = await Assert.ThrowsAsync<HoneException>(() => Run(2, resume: true));
        Assert.Contains("steps=labeled-few-shot", error.Message, StringComparison.Ordinal);

        Task Run(int demos, bool resume) => new BetterTogether<FieldMap, FieldMap>(
            Lab.Exact,
            new Dictionary<string, IOptimizer<FieldMap, FieldMap>> { ["p"] = new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Demos = demos }) },
            new() { Strategy = "p", PerfectScore = null, RunDirectory = directory, Resume = resume }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
    }

    [Fact]
    public async Task A_directory_of_an_earlier_format_is_refused()
    {
        var lab = NewLab();
        await Optimizer(resume: false).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var path = Path.Combine(directory, "run.json");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Token)).Replace("\"formatVersion\": 2", "\"formatVersion\": 1", StringComparison.Ordinal), Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => Optimizer(resume: true).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token));
        Assert.Contains("format 1", error.Message, StringComparison.Ordinal);
    }

    private static Lab NewLab() => new(call => Lab.AnswerIf(true, call.Question));

    private static Program<FieldMap, FieldMap> Program(Lab lab, string instructions, string signature) =>
        new Described(null, instructions, signature).WithModel(lab.Model).WithNamedModel("big", lab.Model);

    private BootstrapRandomSearch<FieldMap, FieldMap> Optimizer(bool resume) => new(Lab.Exact, new() { Candidates = 1, RunDirectory = directory, Resume = resume });

    private PromptOptimizer<FieldMap, FieldMap> MetaPrompted(string optimizer, string text, bool resume) => optimizer switch
    {
        "copro" => new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 2, Depth = 1, RunDirectory = directory, Resume = resume })
        {
            AttemptWriter = new Predict<InstructionAttemptsRequest, InstructionReply>(text),
        },
        "infer-rules" => new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 1, RunDirectory = directory, Resume = resume })
        {
            RuleFinder = new Predict<RulesRequest, RulesReply>(text),
        },
        "mipro" => new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { Auto = null, Candidates = 2, Trials = 1, Minibatch = false, RunDirectory = directory, Resume = resume })
        {
            Writers = new() { DataSummarizer = new Predict<DataSummaryRequest, DescriptionReply>(text) },
        },
        "simba" => new Simba<FieldMap, FieldMap>(Lab.Exact, new() { BatchSize = 2, Candidates = 1, MaxSteps = 1, RunDirectory = directory, Resume = resume })
        {
            Advice = new Predict<AdviceRequest, AdviceReply>(text),
        },
        "gepa" => new Gepa<FieldMap, FieldMap>(Lab.Exact, new() { MaxMetricCalls = 12, RunDirectory = directory, Resume = resume })
        {
            Reflector = new Predict<ReflectionRequest, ReflectionReply>(text),
        },
        _ => new AvatarOptimizer<FieldMap, FieldMap>(Lab.Exact, new() { MaxIterations = 1, RunDirectory = directory, Resume = resume })
        {
            Writer = new Predict<RewriteRequest, ReflectionReply>(text),
        },
    };

    private sealed class Described(SignatureField? output, string instructions = "base", string signature = "question -> answer") : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = output is null
            ? Predict.Parse(signature, instructions)
            : new Predict(new Signature([new("question", FieldType.String, FieldDirection.Input), output], instructions));

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => ans.CallAsync(input, cancellationToken);
    }
}
