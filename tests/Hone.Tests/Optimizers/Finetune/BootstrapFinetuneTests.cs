using System.Text.Json;
using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers.Finetune;

/// <summary>Scenarios BFT-1 to BFT-3.</summary>
public sealed class BootstrapFinetuneTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-finetune-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Only_accepted_runs_are_learned_from(int parallelism)
    {
        var provider = new Recorder();
        var result = await New(provider, new() { MaxParallelism = parallelism }).CompileAsync(TeacherLab().One(), Lab.Examples(3), cancellationToken: Token);
        var job = Assert.Single(provider.Jobs);
        Assert.Equal(("all", 2), (job.Name, job.Rows.Count));
        Assert.Equal(["a1", "a3"], job.Rows.Select(AnswerOf).Order());
        Assert.Equal("lab-all", result.Program.Model!.Name);
        Assert.All(job.Rows, row => Assert.Contains("base", row.Prompt[0].Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task One_set_of_weights_learns_all_predictors_or_each_its_own(int parallelism)
    {
        var together = new Recorder();
        await New(together, new() { MaxParallelism = parallelism }).CompileAsync(TeacherLab().Two(), Lab.Examples(3), cancellationToken: Token);
        Assert.Equal(4, Assert.Single(together.Jobs).Rows.Count);

        var apart = new Recorder();
        var result = await New(apart, new() { Multitask = false, MaxParallelism = parallelism }).CompileAsync(TeacherLab().Two(), Lab.Examples(3), cancellationToken: Token);
        Assert.Equal([("hint", 2), ("ans", 2)], apart.Jobs.Select(job => (job.Name, job.Rows.Count)));
        Assert.Equal("hint-tuned", result.Program.State["hint"].Model);
        Assert.Equal("lab-ans", result.Program.NamedModels["ans-tuned"].Name);
        Assert.Equal("lab", result.Program.Model!.Name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Calls_go_to_their_predictor_by_path_not_by_position(int parallelism)
    {
        var provider = new Recorder();
        var lab = TeacherLab();
        await New(provider, new() { Multitask = false, MaxParallelism = parallelism }).CompileAsync(new Looping().WithModel(lab.Model), Lab.Examples(3), cancellationToken: Token);
        Assert.Equal([("hint", 4), ("ans", 2)], provider.Jobs.Select(job => (job.Name, job.Rows.Count)));
        Assert.All(provider.Jobs[1].Rows, row => Assert.Equal("ans", row.Predictor));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task An_unreadable_answer_is_never_learned_whatever_its_score(int parallelism)
    {
        var provider = new Recorder();
        var client = ScriptedChatClient.By((request, _) => request.LastText.Contains("q2", StringComparison.Ordinal) ? "nothing to read" : ScriptedChatClient.ChatText(Lab.Answer("a")));
        var program = new Lab(_ => Lab.Answer("a")).One().WithModel(new LM(client)).WithRecovery(RecoveryPolicy.None);
        await New(provider, new() { FailureScore = -1, MetricThreshold = -5, MaxParallelism = parallelism }, Metric.From<FieldMap, FieldMap>((_, _) => 0)).CompileAsync(program, Lab.Examples(3), cancellationToken: Token);
        Assert.Equal(2, Assert.Single(provider.Jobs).Rows.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Demos_are_learned_with_the_prompt_or_taken_off(int parallelism)
    {
        var program = TeacherLab().One();
        program = program.With(program.State.With("ans", new() { Demos = [new(FieldMap.Of(("question", "q9"), ("answer", "a9")))] }));
        var (with, without) = (new Recorder(), new Recorder());
        var kept = await New(with, new() { MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(3), cancellationToken: Token);
        var bare = await New(without, new() { ExcludeDemos = true, MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(3), cancellationToken: Token);
        Assert.All(with.Jobs[0].Rows, row => Assert.Contains(row.Prompt, message => message.Text.Contains("q9", StringComparison.Ordinal)));
        Assert.All(without.Jobs[0].Rows, row => Assert.DoesNotContain(row.Prompt, message => message.Text.Contains("q9", StringComparison.Ordinal)));
        Assert.Equal((1, 0), (kept.Program.State["ans"].Demos.Length, bare.Program.State["ans"].Demos.Length));
    }

    [Fact]
    public async Task What_cannot_be_tuned_is_refused_before_a_run_is_paid_for()
    {
        var lab = TeacherLab();
        var error = await Assert.ThrowsAsync<HoneException>(() => New(new Recorder(), new()).CompileAsync(new Program<FieldMap, FieldMap>(lab.One().Module), Lab.Examples(3), cancellationToken: Token));
        Assert.Contains("'ans' has no model", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<HoneException>(() => new BootstrapFinetune<FieldMap, FieldMap>(Lab.Exact).CompileAsync(lab.One(), Lab.Examples(3), cancellationToken: Token));
        Assert.Contains("cannot be trained here", error.Message, StringComparison.Ordinal);
        Assert.Empty(lab.Calls);
    }

    [Fact]
    public async Task A_stronger_teacher_is_distilled_and_the_tuned_program_compared()
    {
        var provider = new Recorder { Tuned = new Lab(call => Lab.AnswerIf(true, call.Question)) };
        var student = new Lab(call => Lab.AnswerIf(false, call.Question));
        var result = await new BootstrapFinetune<FieldMap, FieldMap>(Lab.Exact) { Provider = provider, Teachers = [TeacherLab().One()] }
            .CompileAsync(student.One(), Lab.Examples(3), Lab.Examples(4, "v"), Token);
        Assert.Equal((0, 1), (result.BaselineScore, result.BestScore));
    }

    [Fact]
    public async Task Jobs_of_a_service_are_created_once_and_waited_for()
    {
        await using var server = new FakeFineTuningServer();
        using var http = new HttpClient();
        var tuned = new Lab(call => Lab.AnswerIf(true, call.Question));
        var provider = new OpenAIFineTuning(http, server.Address, _ => tuned.Client, new() { PollInterval = TimeSpan.FromMilliseconds(1), Epochs = 2, Suffix = "hop", BaseModel = "gpt-small" });
        var options = new BootstrapFinetuneOptions { RunDirectory = directory, Resume = true };
        var result = await New(provider, options).CompileAsync(TeacherLab().Two(), Lab.Examples(3), cancellationToken: Token);
        var job = Assert.Single(server.Jobs);
        Assert.Equal(("gpt-small", 4), (job.Model, job.Lines.Count));
        Assert.Equal("ft:gpt-small:ftjob-1", result.Program.Model!.Name);
        using var body = JsonDocument.Parse(job.Body);
        Assert.Equal(2, body.RootElement.GetProperty("method").GetProperty("supervised").GetProperty("hyperparameters").GetProperty("n_epochs").GetInt32());
        Assert.Equal(job.Lines, (await File.ReadAllLinesAsync(Path.Combine(directory, "finetune", "all.jsonl"), Token)).Select(line => line));
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "finetune", "all.manifest.json"), Token));
        var root = manifest.RootElement;
        Assert.Equal(
            (job.Lines.Count, 3, 2, "all.jsonl"),
            (root.GetProperty("rows").GetInt32(), root.GetProperty("runs").GetInt32(), root.GetProperty("runs_accepted").GetInt32(), root.GetProperty("file").GetString()));
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(directory, "finetune", "all.jsonl"), Token))),
            root.GetProperty("sha256").GetString());
        Assert.Equal(job.Lines.Count, root.GetProperty("rows_by_predictor").EnumerateObject().Sum(entry => entry.Value.GetInt32()));

        // Once more with the same directory: the runs come from the journal, the job is the one that exists.
        var silent = new Lab(_ => throw new InvalidOperationException("There must be no call."));
        await New(provider, options).CompileAsync(silent.Two(), Lab.Examples(3), cancellationToken: Token);
        Assert.Single(server.Jobs);
        Assert.Empty(silent.Calls);
    }

    [Fact]
    public async Task A_failed_job_says_why()
    {
        await using var server = new FakeFineTuningServer { Failure = "the file has too few examples" };
        using var http = new HttpClient();
        var provider = new OpenAIFineTuning(http, server.Address, _ => TeacherLab().Client, new() { PollInterval = TimeSpan.FromMilliseconds(1), BaseModel = "gpt-small" });
        var error = await Assert.ThrowsAsync<HoneException>(() => New(provider, new()).CompileAsync(TeacherLab().One(), Lab.Examples(3), cancellationToken: Token));
        Assert.Contains("too few examples", error.Message, StringComparison.Ordinal);
        server.Inject(new(ServerFaultKind.ServerError, "files"));
        error = await Assert.ThrowsAsync<HoneException>(() => New(provider, new()).CompileAsync(TeacherLab().One(), Lab.Examples(3), cancellationToken: Token));
        Assert.Contains("500", error.Message, StringComparison.Ordinal);
    }

    private static Lab TeacherLab() => new(call => call.Path == "hint" ? FieldMap.Of(("hint", "h")) : Lab.AnswerIf(call.Question is "q1" or "q3", call.Question));

    private static string AnswerOf(FineTuneRow row) => row.Completion.Split('\n')[1];

    private static BootstrapFinetune<FieldMap, FieldMap> New(IFineTuneProvider provider, BootstrapFinetuneOptions options, Metric<FieldMap, FieldMap>? metric = null) =>
        new(metric ?? Lab.Exact, options) { Provider = provider };

    private sealed class Recorder : IFineTuneProvider
    {
        public List<FineTuneJob> Jobs { get; } = [];

        public Lab? Tuned { get; init; }

        public int MaxParallelJobs => 1;

        public void Check(LM model)
        {
        }

        public Task<LM> TuneAsync(FineTuneJob job, CancellationToken cancellationToken = default)
        {
            Jobs.Add(job);
            return Task.FromResult(job.Model with { Client = Tuned?.Client ?? job.Model.Client, Name = $"{job.Model.Name}-{job.Name}" });
        }
    }

    private sealed class Looping : Module<FieldMap, FieldMap>
    {
        private readonly Predict hint = Predict.Parse("question -> hint");
        private readonly Predict ans = Predict.Parse("question, hint -> answer");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            await hint.CallAsync(input, cancellationToken);
            var found = await hint.CallAsync(input.With("question", input["question"] + "!"), cancellationToken);
            return await ans.CallAsync(input.With("hint", found["hint"]), cancellationToken);
        }
    }
}
