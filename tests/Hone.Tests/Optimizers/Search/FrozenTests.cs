using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Search;

/// <summary>A frozen predictor is left alone by every optimizer; the other one is not.</summary>
public sealed class FrozenTests
{
    private static readonly Demo Own = new(FieldMap.Of(("question", "own"), ("hint", "own hint")));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Optimizers =>
        ["labeled", "bootstrap", "random", "demos", "knn", "copro", "rules", "mipro", "simba", "gepa", "avatar"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public async Task A_frozen_predictor_stays_as_it_is(string optimizer)
    {
        var lab = NewLab();
        var program = Program(lab);
        var result = await Optimizer(optimizer, "hint").CompileAsync(program, Lab.Examples(6), Lab.Examples(4, "v"), Token);
        Assert.All(result.Candidates, candidate => Assert.Equal(program.State["hint"], candidate.State["hint"]));
        Assert.All(result.Candidates.Select(candidate => candidate.State).SelectMany(state => state.DemoBanks.Values).SelectMany(bank => bank.Examples), example =>
        {
            Assert.DoesNotContain("hint", example.Labeled.Keys);
            Assert.DoesNotContain("hint", example.Harvested?.Keys ?? []);
        });
        Assert.Contains(result.Candidates, candidate => !candidate.State["ans"].Equals(program.State["ans"]) || !candidate.State.DemoBanks.IsEmpty);

        // Without it, the same search does change the predictor.
        result = await Optimizer(optimizer, null).CompileAsync(program, Lab.Examples(6), Lab.Examples(4, "v"), Token);
        Assert.Contains(result.Candidates, candidate => !candidate.State["hint"].Equals(program.State["hint"]) || !candidate.State.DemoBanks.IsEmpty);
    }

    [Fact]
    public async Task An_unknown_path_is_refused_before_anything_is_paid()
    {
        var lab = NewLab();
        var error = await Assert.ThrowsAsync<HoneException>(() => Optimizer("random", "hnit").CompileAsync(Program(lab), Lab.Examples(6), Lab.Examples(4, "v"), Token));
        Assert.Contains("'hnit'", error.Message, StringComparison.Ordinal);
        Assert.Contains("hint, ans", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<HoneException>(() =>
            new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Frozen = ["hint", "ans"] }).CompileAsync(Program(lab), Lab.Examples(6), cancellationToken: Token));
        Assert.Contains("nothing is left", error.Message, StringComparison.Ordinal);
        Assert.Empty(lab.Calls);
    }

    [Fact]
    public void The_path_of_a_module_freezes_what_is_in_it()
    {
        var options = new LabeledFewShotOptions { Frozen = ["search"] };
        Assert.True(options.IsFrozen("search"));
        Assert.True(options.IsFrozen("search.query"));
        Assert.False(options.IsFrozen("searching.query"));
        Assert.False(options.IsFrozen("sea"));
    }

    private static Program<FieldMap, FieldMap> Program(Lab lab)
    {
        var program = lab.Two();
        return program.With(program.State.With("hint", new() { Instructions = "own", Demos = [Own] }));
    }

    // Texts help the answer, demos too; samples differ, so that there is a contrast.
    private static Lab NewLab()
    {
        var texts = 0;
        return new(call => call.Role is "prompt" or "reflection"
            ? FieldMap.Of(
                ("proposed_instructions", $"ALPHA {Interlocked.Increment(ref texts)}"), ("rules", $"ALPHA {texts}"), ("new_instruction", $"ALPHA {texts}"), ("observations", "none"),
                ("description", "none"), ("feedback", "none"), ("discussion", "none"), ("reasoning", "none"),
                ("advice", FieldMap.Of(("ans", "ALPHA"), ("hint", "ALPHA"))))
            : call.Path == "hint"
                ? FieldMap.Of(("hint", "h"))
                : Lab.AnswerIf(call.Has("ALPHA") || call.Demos.Length > 3 || call.Question is "q1" or "q4" || (call.Temperature == 1 && call.Sample % 2 == 0), call.Question));
    }

    private static PromptOptimizer<FieldMap, FieldMap> Optimizer(string name, string? frozen)
    {
        System.Collections.Immutable.ImmutableArray<string> paths = frozen is null ? [] : [frozen];
        return name switch
        {
            "labeled" => new LabeledFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Frozen = paths }),
            "bootstrap" => new BootstrapFewShot<FieldMap, FieldMap>(Lab.Exact, new() { Frozen = paths }),
            "random" => new BootstrapRandomSearch<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 1, Frozen = paths, PerfectScore = null }),
            "demos" => new BootstrapDemoSearch<FieldMap, FieldMap>(Lab.Exact, new() { Trials = 3, Frozen = paths, PerfectScore = null }),
            "knn" => new KnnFewShot<FieldMap, FieldMap>(new Letters(), Lab.Exact, new() { Frozen = paths }),
            "copro" => new Copro<FieldMap, FieldMap>(Lab.Exact, new() { Breadth = 2, Depth = 1, Frozen = paths, PerfectScore = null }),
            "rules" => new InferRules<FieldMap, FieldMap>(Lab.Exact, new() { Candidates = 1, Frozen = paths, PerfectScore = null }),
            "mipro" => new MiproV2<FieldMap, FieldMap>(Lab.Exact, new() { Auto = null, Candidates = 3, Trials = 6, Minibatch = false, Frozen = paths, PerfectScore = null }),
            "simba" => new Simba<FieldMap, FieldMap>(Lab.Exact, new() { BatchSize = 6, Candidates = 2, MaxSteps = 1, MaxDemos = 1, Frozen = paths }),
            "gepa" => new Gepa<FieldMap, FieldMap>(Lab.Exact, new() { MaxMetricCalls = 60, ComponentSelector = ComponentSelectors.All, Frozen = paths, PerfectScore = null }),
            _ => new AvatarOptimizer<FieldMap, FieldMap>(Lab.Exact, new() { MaxIterations = 2, Frozen = paths, PerfectScore = null }),
        };
    }

    private sealed class Letters : Microsoft.Extensions.AI.IEmbeddingGenerator<string, Microsoft.Extensions.AI.Embedding<float>>
    {
        public Task<Microsoft.Extensions.AI.GeneratedEmbeddings<Microsoft.Extensions.AI.Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, Microsoft.Extensions.AI.EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new Microsoft.Extensions.AI.GeneratedEmbeddings<Microsoft.Extensions.AI.Embedding<float>>(
                values.Select(value => new Microsoft.Extensions.AI.Embedding<float>(new float[] { value.Length, value[^1] }))));

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
