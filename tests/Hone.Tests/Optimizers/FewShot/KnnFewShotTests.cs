using System.Globalization;
using System.Text.RegularExpressions;
using Hone.Optimizers;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.FewShot;

/// <summary>Scenarios KNN-1 and KNN-2: a question qN points into the direction of 10·N degrees.</summary>
public sealed partial class KnnFewShotTests : IDisposable
{
    private static readonly string[] OneToFive = ["q1", "q2", "q3", "q4", "q5"];

    private readonly string folder = Directory.CreateTempSubdirectory("hone-knn-").FullName;

    public static TheoryData<int> Parallelisms => [1, 4, 32];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(2, "q2 q3", 1)]
    [InlineData(2, "q2 q3", 4)]
    [InlineData(2, "q2 q3", 32)]
    [InlineData(10, "q2 q3 q1 q4 q5", 1)]
    [InlineData(10, "q2 q3 q1 q4 q5", 4)]
    [InlineData(10, "q2 q3 q1 q4 q5", 32)]
    public async Task Knn1_Demos_are_the_nearest_examples_the_most_similar_first(int nearest, string expected, int parallelism)
    {
        var lab = World();
        var program = await CompileAsync(lab.One(), new() { Nearest = nearest, MaxBootstrappedDemos = 0, MaxParallelism = parallelism });
        Assert.Empty(lab.Calls);
        await program.RunBatchAsync([.. Enumerable.Repeat(Ask("q2.2"), 12)], new() { MaxParallelism = parallelism }, cancellationToken: Token);
        Assert.Equal(12, lab.Calls.Count);
        Assert.All(lab.Calls, call => Assert.Equal(expected, string.Join(' ', Shown(call))));
    }

    [Fact]
    public async Task Ties_go_to_the_lower_index()
    {
        var lab = World();
        Example<FieldMap, FieldMap>[] train = [Lab.Example("q1"), Lab.Example("q3"), Lab.Example("q1"), Lab.Example("q3")];
        var result = await Optimizer(new() { Nearest = 2, MaxBootstrappedDemos = 0 }).CompileAsync(lab.One(), train, cancellationToken: Token);
        var bank = result.Program.State.DemoBanks["self"];
        await result.Program.With(result.Program.State with { DemoBanks = result.Program.State.DemoBanks.SetItem("self", bank with { Nearest = 3 }) }).CallAsync(Ask("q2"), Token);
        Assert.Equal(["q1", "q3", "q1"], Shown(Assert.Single(lab.Calls)));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Knn2_One_call_one_embedding_one_demo_and_the_same_after_loading(int parallelism)
    {
        var lab = World();
        var embeddings = new Circle();
        var program = await CompileAsync(lab.One(), new() { Nearest = 1, MaxBootstrappedDemos = 0, MaxParallelism = parallelism }, embeddings);
        Assert.Equal((await CompileAsync(World().One(), new() { Nearest = 1, MaxBootstrappedDemos = 0, MaxParallelism = 1 })).SaveState(), program.SaveState());
        var before = embeddings.Count;
        await program.CallAsync(Ask("q3.4"), Token);
        Assert.Equal(["q3"], Shown(Assert.Single(lab.Calls)));
        Assert.Equal("a3", Assert.Single(lab.Calls[0].Demos)["answer"]);
        Assert.Equal(1, embeddings.Count - before);

        var path = Path.Combine(folder, "program.json");
        await program.SaveAsync(path, Token);
        var (other, fresh) = (World(), new Circle());
        var loaded = await new KnnDemos<FieldMap, FieldMap>(other.One().Module, fresh).WithModel(other.Model).LoadStateAsync(path, Token);
        Assert.Equal(program.State.DemoBanks["self"], loaded.State.DemoBanks["self"]);
        Assert.Equal(program.SaveState(), loaded.SaveState());
        await loaded.CallAsync(Ask("q3.4"), Token);
        Assert.Equal(["q3"], Shown(Assert.Single(other.Calls)));
        Assert.Equal(1, fresh.Count);
    }

    [Fact]
    public async Task The_result_of_a_run_loads_into_a_program_with_embeddings_of_its_own()
    {
        var lab = World();
        var directory = Path.Combine(folder, "run");
        var result = await Optimizer(new() { Nearest = 2, RunDirectory = directory, PerfectScore = null }).CompileAsync(lab.One(), Examples(OneToFive), Examples(["q2", "q4"]), Token);
        var around = new KnnDemos<FieldMap, FieldMap>(lab.One().Module, new Circle()).WithModel(lab.Model);
        var loaded = await OptimizationResult.LoadAsync(directory, around, Token);
        Assert.Equal(Lab.Evidence(result), Lab.Evidence(loaded));
        Assert.Equal(result.Candidates[1].State.DemoBanks["self"], loaded.Candidates[1].State.DemoBanks["self"]);
        var error = await Assert.ThrowsAsync<HoneException>(() => OptimizationResult.LoadAsync(directory, lab.One(), Token));
        Assert.Contains("KnnDemos", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Knn2_The_order_of_arguments_does_not_matter(int parallelism)
    {
        var lab = World();
        var embeddings = new Circle();
        var student = Predict.Parse("topic, question -> answer", "base").WithModel(lab.Model);
        Example<FieldMap, FieldMap>[] train =
        [
            new(FieldMap.Of(("question", "q1"), ("topic", "x")), Lab.Answer("a1")),
            new(FieldMap.Of(("topic", "x"), ("question", "q5")), Lab.Answer("a5")),
        ];
        var result = await new KnnFewShot<FieldMap, FieldMap>(embeddings, options: new() { Nearest = 1, MaxBootstrappedDemos = 0, MaxParallelism = parallelism }).CompileAsync(student, train, cancellationToken: Token);
        await result.Program.CallAsync(FieldMap.Of(("question", "q4"), ("topic", "x")), Token);
        await result.Program.CallAsync(FieldMap.Of(("topic", "x"), ("question", "q4")), Token);
        Assert.All(lab.Calls, call => Assert.Equal(["q5"], Shown(call)));
        Assert.Equal(["topic: x | question: q1", "topic: x | question: q5", "topic: x | question: q4", "topic: x | question: q4"], embeddings.Texts);
        Assert.Equal(["self"], result.Program.Predictors.Select(entry => entry.Key));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Every_example_is_run_once_and_calls_only_choose(int parallelism)
    {
        var lab = World();
        var program = lab.Two();
        var optimizer = Optimizer(new() { Nearest = 2, MaxParallelism = parallelism, MaxLabeledDemos = 0 });
        var result = await optimizer.CompileAsync(program, Examples(OneToFive), cancellationToken: Token);
        Assert.Equal((5, 10), (result.ProgramRuns, lab.Calls.Count));
        Assert.True(result.ProgramRuns <= optimizer.Estimate(program, Examples(OneToFive)).ProgramRuns);
        Assert.Equal(program.Predictors.Select(entry => entry.Key), result.Program.Predictors.Select(entry => entry.Key));
        Assert.Equal(ProgramState.Default, program.State);

        var answers = await result.Program.RunBatchAsync([Ask("q2.2"), Ask("q4.4"), Ask("q1.1")], new() { MaxParallelism = parallelism }, cancellationToken: Token);
        Assert.Equal(16, lab.Calls.Count);
        Assert.Equal([2, 2, 2], answers.Select(answer => answer.Value!.Trace.Calls.Length));
        Assert.Equal(["hint", "ans"], answers[0].Value!.Trace.Calls.Select(call => call.Path));
        foreach (var (question, expected) in new[] { ("q2.2", "q2 q3"), ("q4.4", "q4 q5"), ("q1.1", "q1 q2") })
            Assert.All(lab.Calls.Where(call => call.Question == question), call => Assert.Equal(expected, string.Join(' ', Shown(call))));
        Assert.All(lab.Calls.Where(call => call.Question == "q2.2" && call.Path == "ans"), call => Assert.All(call.Demos, demo => Assert.StartsWith("h", (string)demo["hint"]!, StringComparison.Ordinal)));
        Assert.Equal(Lab.Evidence(await Optimizer(new() { Nearest = 2, MaxLabeledDemos = 0 }).CompileAsync(World().Two(), Examples(OneToFive), cancellationToken: Token)), Lab.Evidence(result));
    }

    [Fact]
    public async Task What_a_teacher_got_wrong_is_shown_as_it_is()
    {
        var lab = new Lab(call => Lab.AnswerIf(call.Question != "q2", call.Question));
        var program = await CompileAsync(lab.One(), new() { Nearest = 3, MaxLabeledDemos = 2, MaxBootstrappedDemos = 1 });
        await program.CallAsync(Ask("q2.2"), Token);

        // q2 failed; q3 is the first that did not; of the others the nearer one stands beside it.
        Assert.Equal(["q3", "q2"], Shown(lab.Calls[^1]));
        Assert.All(lab.Calls[^1].Demos, demo => Assert.Equal("a" + ((string)demo["question"]!)[1..], demo["answer"]));
    }

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task On_demand_an_example_is_run_when_a_call_needs_it_and_never_again(int parallelism)
    {
        var lab = World();
        var options = new KnnFewShotOptions { Nearest = 2, MaxLabeledDemos = 0, OnDemand = true };
        var result = await Optimizer(options).CompileAsync(lab.One(), Examples(OneToFive), cancellationToken: Token);
        Assert.Equal((0, 0), (result.ProgramRuns, lab.Calls.Count));
        FieldMap[] questions = [.. Enumerable.Range(0, 12).Select(i => Ask($"q{(i % 2 == 0 ? "2.2" : "3.2")}"))];
        await result.Program.RunBatchAsync(questions, new() { MaxParallelism = parallelism }, cancellationToken: Token);
        Assert.Equal(["q2", "q3", "q4"], lab.Calls.Select(call => call.Question).Where(OneToFive.Contains).Order());
        Assert.Equal(15, lab.Calls.Count);
        Assert.All(lab.Calls.Where(call => call.Question == "q2.2"), call => Assert.Equal(["q2", "q3"], Shown(call)));
        Assert.All(lab.Calls.Where(call => call.Question == "q3.2"), call => Assert.Equal(["q3", "q4"], Shown(call)));

        // Completed, it is what it would have been at once.
        var complete = await result.Program.CompleteDemosAsync(Token);
        Assert.Equal(17, lab.Calls.Count);
        var eager = await Optimizer(options with { OnDemand = false }).CompileAsync(World().One(), Examples(OneToFive), cancellationToken: Token);
        Assert.Equal(eager.Program.State, complete.State);
        Assert.Null(result.Program.State.DemoBanks["self"].Examples[0].Harvested);
    }

    [Fact]
    public async Task The_program_is_scored_like_any_candidate()
    {
        var lab = new Lab(call => Lab.AnswerIf(OneToFive.Contains(call.Question) || call.Demos.Length > 0, call.Question));
        var validation = Examples("q1.4", "q3.3");
        var optimizer = Optimizer(new() { Nearest = 1 });
        var result = await optimizer.CompileAsync(lab.One(), Examples(OneToFive), validation, Token);
        Assert.Equal((0, 1, 1), (result.BaselineScore!.Value, result.BestScore!.Value, result.BestIndex));
        Assert.IsType<KnnDemos<FieldMap, FieldMap>>(result.Program.Module);
        Assert.Equal(optimizer.Estimate(lab.One(), Examples(OneToFive), validation).ProgramRuns, result.ProgramRuns);
    }

    [Fact]
    public async Task Cut_after_every_call_nothing_is_paid_twice()
    {
        var (whole, lab) = (World(), World());
        var options = new KnnFewShotOptions { Nearest = 2, Time = new FakeTimeProvider() };
        var validation = Examples("q1.4", "q3.3");
        var unbroken = await Optimizer(options).CompileAsync(whole.One(), Examples(OneToFive), validation, Token);
        var resumed = options with { RunDirectory = Path.Combine(folder, "run"), Resume = true };
        for (var cut = 1; cut < whole.Calls.Count; cut++)
        {
            await Optimizer(resumed with { Budget = new() { MaxCalls = cut } }).CompileAsync(lab.One(), Examples(OneToFive), validation, Token);
            Assert.Equal(cut, lab.Calls.Count);
        }

        var result = await Optimizer(resumed).CompileAsync(lab.One(), Examples(OneToFive), validation, Token);
        Assert.Equal(Lab.Evidence(unbroken), Lab.Evidence(result));
        Assert.Equal(whole.Calls.Count, lab.Calls.Count);
    }

    [Fact]
    public async Task Embeddings_are_journaled_and_made_once()
    {
        var (first, second) = (new Circle(), new Circle());
        var options = new KnnFewShotOptions { Nearest = 2, RunDirectory = Path.Combine(folder, "embedded"), Resume = true, PerfectScore = null };
        var validation = Examples("q1.4", "q3.3");
        string[] all = [.. Enumerable.Range(1, 450).Select(i => FormattableString.Invariant($"q{i / 100.0}"))];
        var unbroken = await new KnnFewShot<FieldMap, FieldMap>(first, Lab.Exact, options with { RunDirectory = null, Resume = false }).CompileAsync(World().One(), Examples(all), validation, Token);
        Assert.Equal(450 + 2, first.Count);

        // The budget ends the run after the embeddings; the second process makes those of the inputs that are left alone.
        first = new Circle();
        var cut = await new KnnFewShot<FieldMap, FieldMap>(first, Lab.Exact, options with { Budget = new() { MaxProgramRuns = 450 + 2 } }).CompileAsync(World().One(), Examples(all), validation, Token);
        Assert.Equal(StopReason.ProgramRunBudget, cut.StopReason);
        Assert.Equal(450, first.Count);
        var resumed = await new KnnFewShot<FieldMap, FieldMap>(second, Lab.Exact, options).CompileAsync(World().One(), Examples(all), validation, Token);
        Assert.Equal(2, second.Count);
        Assert.Equal(Lab.Evidence(unbroken), Lab.Evidence(resumed));
        Assert.Equal(unbroken.Candidates[1].State.DemoBanks["self"], resumed.Candidates[1].State.DemoBanks["self"]);
    }

    [Fact]
    public async Task Paths_of_tools_and_of_modules_around_stay()
    {
        var world = new ToolWorld(_ => FieldMap.Empty);
        var agent = await Optimizer(new() { MaxBootstrappedDemos = 0 }).CompileAsync(ToolWorld.Agent().WithModel(world.Model), Examples(OneToFive), cancellationToken: Token);
        Assert.Equal(["lookup", "convert"], agent.Program.Tools.Select(tool => tool.Key));
        Assert.Equal(["react"], agent.Program.Predictors.Select(entry => entry.Key));
        Assert.Contains("no page on q2.2", (string)(await agent.Program.CallAsync(Ask("q2.2"), Token))["answer"]!, StringComparison.Ordinal);

        var lab = World();
        var compiled = await CompileAsync(lab.Two(), new() { Nearest = 1, MaxBootstrappedDemos = 0 });
        var around = new Around(compiled.Module);
        var bank = ProgramState.Default.DemoBanks.Add("inner", compiled.State.DemoBanks["self"]);
        var program = new Program<FieldMap, FieldMap>(around, lab.Model, ProgramState.Default with { DemoBanks = bank });
        Assert.Equal(["inner.hint", "inner.ans"], program.Predictors.Select(entry => entry.Key));
        program = around.WithModel(lab.Model).LoadState(program.SaveState());
        await program.CallAsync(Ask("q4.1"), Token);
        Assert.Equal(["q4"], Shown(lab.Calls.Last(call => call.Path == "inner.ans")));
        var error = Assert.Throws<HoneException>(() => new Program<FieldMap, FieldMap>(around, lab.Model, compiled.State));
        Assert.Contains("'self'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_missing_is_said()
    {
        var lab = World();
        var program = new KnnDemos<FieldMap, FieldMap>(lab.One().Module, new Circle()).WithModel(lab.Model);
        Assert.Contains("no demo bank", (await Assert.ThrowsAsync<HoneException>(() => program.CallAsync(Ask("q1"), Token))).Message, StringComparison.Ordinal);
        Assert.Contains("no demo bank", Assert.Throws<HoneException>(() => program.LoadState(lab.One().SaveState())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HoneException>(() => program.CompleteDemosAsync(Token));
        var compiled = await CompileAsync(lab.One(), new() { MaxBootstrappedDemos = 0 });
        Assert.Contains("KnnDemos", Assert.Throws<HoneException>(() => lab.One().LoadState(compiled.SaveState())).Message, StringComparison.Ordinal);
        Assert.Contains("question", (await Assert.ThrowsAsync<HoneException>(() => compiled.CallAsync(FieldMap.Empty, Token))).Message, StringComparison.Ordinal);
        var other = new KnnDemos<FieldMap, FieldMap>(lab.One().Module, new Circle(3)).WithModel(lab.Model).LoadState(compiled.SaveState());
        Assert.Contains("dimensions", (await Assert.ThrowsAsync<HoneException>(() => other.CallAsync(Ask("q1"), Token))).Message, StringComparison.Ordinal);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static FieldMap Ask(string question) => FieldMap.Of(("question", question));

    private static Example<FieldMap, FieldMap>[] Examples(params string[] questions) => [.. questions.Select(Lab.Example)];

    private static string[] Shown(LabCall call) => [.. call.Demos.Select(demo => (string)demo["question"]!)];

    private static KnnFewShot<FieldMap, FieldMap> Optimizer(KnnFewShotOptions options) => new(new Circle(), Lab.Exact, options);

    private static async Task<Program<FieldMap, FieldMap>> CompileAsync(Program<FieldMap, FieldMap> student, KnnFewShotOptions options, Circle? embeddings = null) =>
        (await new KnnFewShot<FieldMap, FieldMap>(embeddings ?? new(), Lab.Exact, options).CompileAsync(student, Examples(OneToFive), cancellationToken: Token)).Program;

    private static Lab World() => new(call => call.Path.EndsWith("hint", StringComparison.Ordinal)
        ? FieldMap.Of(("hint", "h" + call.Question[1..]))
        : Lab.AnswerIf(true, call.Question));

    private sealed class Around(Module<FieldMap, FieldMap> inner) : Module<FieldMap, FieldMap>
    {
        private readonly Module<FieldMap, FieldMap> inner = inner;

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => inner.CallAsync(input, cancellationToken);
    }

    private sealed partial class Circle(int dimensions = 2) : IEmbeddingGenerator<string, Embedding<float>>
    {
        private readonly Lock gate = new();
        private readonly List<string> texts = [];

        public IReadOnlyList<string> Texts
        {
            get
            {
                lock (gate)
                    return [.. texts];
            }
        }

        public int Count => Texts.Count;

        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            string[] all = [.. values];
            lock (gate)
                texts.AddRange(all);
            return Task.FromResult<GeneratedEmbeddings<Embedding<float>>>([.. all.Select(text => new Embedding<float>(Vector(text)))]);
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }

        private float[] Vector(string text)
        {
            var angle = double.Parse(Number().Match(text).Groups[1].ValueSpan, CultureInfo.InvariantCulture) * 10 * Math.PI / 180;
            var vector = new float[dimensions];
            (vector[0], vector[1]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            return vector;
        }

        [GeneratedRegex(@"q([\d.]+)")]
        private static partial Regex Number();
    }
}
