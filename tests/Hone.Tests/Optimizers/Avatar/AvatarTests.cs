using Hone.Optimizers;
using Microsoft.Extensions.Time.Testing;

namespace Hone.Tests.Optimizers.Avatar;

/// <summary>Scenario AVA-1.</summary>
public sealed class AvatarTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-avatar-").FullName;

    public static TheoryData<int> Parallelisms => [1, 4, 32];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Parallelisms))]
    public async Task Ava1_The_instruction_learns_from_contrast(int parallelism)
    {
        var evidence = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var lab = World();
            var program = lab.One();
            var result = await Optimizer(new() { MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(4), cancellationToken: Token);
            Assert.Contains("USE-SEARCH", result.Program.State["ans"].Instructions, StringComparison.Ordinal);
            Assert.Equal((0.25, 1, StopReason.TargetReached), (result.BaselineScore!.Value, result.BestScore!.Value, result.StopReason));
            Assert.Equal(8, result.ProgramRuns);
            Assert.Null(program.State["ans"].Instructions);
            var compared = lab.Calls.Single(call => call.Inputs.ContainsKey("positives"));
            Assert.Contains("q1", compared.Text("positives"), StringComparison.Ordinal);
            Assert.DoesNotContain("q1", compared.Text("negatives"), StringComparison.Ordinal);
            Assert.Contains("q3", compared.Text("negatives"), StringComparison.Ordinal);
            evidence.Add(Lab.Evidence(result));
        }

        Assert.Single(evidence.Distinct());
    }

    // The reference throws.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Ava1_A_perfect_agent_is_returned_as_it_came(int parallelism)
    {
        var lab = World();
        var program = lab.One("USE-SEARCH");
        var result = await Optimizer(new() { MaxParallelism = parallelism }).CompileAsync(program, Lab.Examples(4), cancellationToken: Token);
        Assert.Equal(program.State, result.Program.State);
        Assert.Equal((0, 4), (result.BestIndex, lab.Calls.Count));
    }

    // The reference returns the last instruction without ever having run it.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public async Task Ava1_A_worse_instruction_is_not_kept(int parallelism)
    {
        var lab = World("use nothing");
        var result = await Optimizer(new() { MaxIterations = 3, MaxParallelism = parallelism }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(0, result.BestIndex);
        Assert.Equal(2, result.Candidates.Length);
        Assert.True(result.ProgramRuns <= Optimizer(new() { MaxIterations = 3 }).Estimate(lab.One(), Lab.Examples(4), Lab.Examples(3, "v")).ProgramRuns);
    }

    [Fact]
    public async Task Nothing_to_compare_ends_with_a_warning()
    {
        var lab = World();
        var result = await new AvatarOptimizer<FieldMap, FieldMap>(Metric.From<FieldMap, FieldMap>((_, _) => 0.5)).CompileAsync(lab.One(), Lab.Examples(3), cancellationToken: Token);
        Assert.Equal(0, result.BestIndex);
        Assert.Contains(result.Warnings, warning => warning.Contains("to compare", StringComparison.Ordinal));
        Assert.Throws<HoneException>(() => Optimizer(new() { LowerBound = 1 }));
        await Assert.ThrowsAsync<HoneException>(() => Optimizer(new() { Predictor = "nobody" }).CompileAsync(lab.One(), Lab.Examples(3), cancellationToken: Token));
    }

    // Of the same sample a cache would give the same failure.
    [Fact]
    public async Task A_question_that_failed_is_asked_again_as_another_sample()
    {
        var lab = new Lab(call =>
            call.Inputs.ContainsKey("positives") ? call.Sample < SampleIds.Series ? throw new InvalidOperationException("no answer") : FieldMap.Of(("feedback", "The good run searched."))
            : call.Inputs.ContainsKey("previous_instruction") ? FieldMap.Of(("new_instruction", "USE-SEARCH"))
            : Lab.AnswerIf(call.Question == "q1" || call.Has("USE-SEARCH"), call.Question));
        var result = await Optimizer(new()).CompileAsync(lab.One(), Lab.Examples(4), cancellationToken: Token);
        Assert.Equal(1, result.BestScore);
        Assert.Equal(2, lab.Calls.Where(call => call.Inputs.ContainsKey("positives")).Select(call => call.Sample).Distinct().Count());
    }

    [Fact]
    public async Task Cut_after_every_call_nothing_is_paid_twice()
    {
        var whole = World("USE-SEARCH too late", learnsAt: 3);
        var options = new AvatarOptions { Time = new FakeTimeProvider() };
        var unbroken = await Optimizer(options).CompileAsync(whole.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        var lab = World("USE-SEARCH too late", learnsAt: 3);
        var resumed = options with { RunDirectory = Path.Combine(folder, "run"), Resume = true };
        for (var cut = 1; cut < whole.Calls.Count; cut++)
        {
            await Optimizer(resumed with { Budget = new() { MaxCalls = cut } }).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
            Assert.Equal(cut, lab.Calls.Count);
        }

        var result = await Optimizer(resumed).CompileAsync(lab.One(), Lab.Examples(4), Lab.Examples(3, "v"), Token);
        Assert.Equal(Lab.Evidence(unbroken), Lab.Evidence(result));
        Assert.Equal(whole.Calls.Count, lab.Calls.Count);
        Assert.Equal(1, result.BestScore);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static AvatarOptimizer<FieldMap, FieldMap> Optimizer(AvatarOptions options) => new(Lab.Exact, options);

    // q1 is always solved, everything else while the instructions say USE-SEARCH.
    private static Lab World(string proposal = "Always USE-SEARCH before answering.", long learnsAt = 1) => new(call =>
        call.Inputs.ContainsKey("positives") ? FieldMap.Of(("feedback", "The good run searched."))
        : call.Inputs.ContainsKey("previous_instruction") ? FieldMap.Of(("new_instruction", $"```\n{(call.Sample >= learnsAt ? proposal : "Think.")}\n```"))
        : Lab.AnswerIf(call.Question == "q1" || call.Has("USE-SEARCH"), call.Question));
}
