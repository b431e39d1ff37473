using System.Text.Json;
using Hone.Optimizers;
using QA = Hone.Optimizers.OptimizationResult<Hone.FieldMap, Hone.FieldMap>;

namespace Hone.Tests.Optimizers.Search;

/// <summary>How a run is set up beside what an optimizer is set to.</summary>
internal sealed record LabSetup(int Parallelism)
{
    public string? Directory { get; init; }

    public bool Resume { get; init; }

    public OptimizationBudget Budget { get; init; } = new();
}

/// <summary>What every optimizer on the engine promises, checked in one place.</summary>
internal sealed class Durability(
    Func<Lab> world,
    Func<LabSetup, PromptOptimizer<FieldMap, FieldMap>> make,
    Func<Lab, Program<FieldMap, FieldMap>> program,
    Example<FieldMap, FieldMap>[] train,
    Example<FieldMap, FieldMap>[] validation)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The same evidence and calls at any degree of parallelism and in a second run; the student as before; no more than was estimated.</summary>
    public async Task<QA> CheckAsync()
    {
        var (expected, calls, _) = await RunAsync(new(1));
        var estimate = make(new(1)).Estimate(program(world()), train, validation);
        Assert.True(expected.ProgramRuns <= estimate.ProgramRuns, $"{expected.ProgramRuns} runs, {estimate.ProgramRuns} estimated.");
        var proposals = calls.Count(call => call.Contains("|prompt|", StringComparison.Ordinal));
        Assert.True(proposals <= estimate.ProposalCalls, $"{proposals} proposals, {estimate.ProposalCalls} estimated.");
        Assert.Equal(proposals, expected.UsageByRole.GetValueOrDefault("prompt").Calls);
        foreach (var parallelism in new[] { 1, 4, 32 })
        {
            var (result, same, _) = await RunAsync(new(parallelism));
            Assert.Equal(Lab.Evidence(expected), Lab.Evidence(result));
            Assert.Equal(calls, same);
        }

        return expected;
    }

    /// <summary>Cut off by a budget and resumed, a run ends as the unbroken one, and nothing is paid twice.</summary>
    /// <param name="hasSingleCalls">True when a run of the program is a single call: a budget of calls can cut others in half, and half a run is paid again.</param>
    public async Task CheckResumptionAsync(bool hasSingleCalls = true)
    {
        var (expected, calls, _) = await RunAsync(new(4));
        foreach (var share in new[] { 0, 0.3, 0.5, 0.8, 0.95 })
        {
            await ResumeAsync(new() { MaxProgramRuns = (long)(expected.ProgramRuns * share) }, result => result.ProgramRuns, expected, calls);
            if (hasSingleCalls)
                await ResumeAsync(new() { MaxCalls = (long)(calls.Length * share) }, result => result.UsageByRole.Values.Sum(usage => usage.Calls), expected, calls);
        }
    }

    /// <summary>Whatever a run may cost, it costs no more, gives a program, and more never gives a worse one.</summary>
    public async Task CheckBudgetsAsync()
    {
        var (whole, calls, _) = await RunAsync(new(4));
        var before = double.MinValue;
        for (var runs = 0; runs <= whole.ProgramRuns; runs++)
        {
            var (result, _, _) = await RunAsync(new(4) { Budget = new() { MaxProgramRuns = runs } });
            Assert.True(result.ProgramRuns <= runs);
            Assert.True((result.BestScore ?? double.MinValue) >= before, $"{result.BestScore} after {before} with {runs} runs");
            before = result.BestScore ?? before;
        }

        Assert.Equal(whole.BestScore, before);
        before = double.MinValue;
        for (var most = 0; most <= calls.Length; most++)
        {
            var (result, made, _) = await RunAsync(new(4) { Budget = new() { MaxCalls = most } });
            Assert.True(made.Length <= most);
            Assert.True((result.BestScore ?? double.MinValue) >= before);
            before = result.BestScore ?? before;
        }

        Assert.Equal(whole.BestScore, before);
        await CheckMeteredBudgetsAsync(whole.BestScore);
    }

    // Tokens and money, on a model with a price. The scripted model does not say what its prompts took, so that the budget counts its own estimates: much
    // more than what the result reports.
    private async Task CheckMeteredBudgetsAsync(double? best)
    {
        var priced = await RunPricedAsync(new());
        var usage = priced.UsageByRole.Values.Aggregate(default(Usage), (sum, role) => sum + role);
        Assert.True(usage.Cost > 0);
        await ClimbAsync(share => new() { MaxTokens = (long)(usage.TotalTokens * share) }, (spent, share) => spent.TotalTokens <= usage.TotalTokens * share);
        await ClimbAsync(share => new() { MaxCost = usage.Cost * (decimal)share }, (spent, share) => spent.Cost <= usage.Cost * (decimal)share);

        async Task ClimbAsync(Func<double, OptimizationBudget> budget, Func<Usage, double, bool> holds)
        {
            var before = double.MinValue;
            QA? last = null;
            foreach (var share in new[] { 0, 1, 10, 100, 10_000 })
            {
                var result = last = await RunPricedAsync(budget(share));
                var spent = result.UsageByRole.Values.Aggregate(default(Usage), (sum, role) => sum + role);
                Assert.True(holds(spent, share), $"{spent} with {budget(share)}");
                Assert.True((result.BestScore ?? double.MinValue) >= before, $"{result.BestScore} after {before} with {budget(share)}");
                before = result.BestScore ?? before;
            }

            Assert.True(best == before, $"{before} in the end, {best} without a budget: {last?.StopReason}, {string.Join(' ', last?.Warnings ?? [])}");
        }
    }

    private async Task<QA> RunPricedAsync(OptimizationBudget budget)
    {
        var lab = world();
        var student = program(lab);
        student = student.WithModel(student.Model! with { Price = new(1, 2), Options = new() { MaxOutputTokens = 64 } });
        return await make(new(4) { Budget = budget }).CompileAsync(student, train, validation, Token);
    }

    private async Task ResumeAsync(OptimizationBudget budget, Func<QA, long> spent, QA expected, string[] calls)
    {
        var directory = Directory.CreateTempSubdirectory("hone-durable-").FullName;
        try
        {
            var (cut, first, _) = await RunAsync(new(4) { Directory = directory, Budget = budget });
            Assert.True(spent(cut) <= (budget.MaxProgramRuns ?? budget.MaxCalls), $"{spent(cut)} spent of {budget}.");
            Assert.True(cut.BestScore is null || cut.BestScore >= cut.BaselineScore);
            var (resumed, second, _) = await RunAsync(new(32) { Directory = directory, Resume = true });
            Assert.Equal(Lab.Evidence(expected), Lab.Evidence(resumed));
            Assert.Equal(calls, first.Concat(second).Order(StringComparer.Ordinal));
            var (replayed, none, _) = await RunAsync(new(1) { Directory = directory, Resume = true });
            Assert.Equal(Lab.Evidence(expected), Lab.Evidence(replayed));
            Assert.Empty(none);

            // The file says all that the result does.
            var loaded = await OptimizationResult.LoadAsync(directory, program(world()), Token);
            Assert.Equal(Lab.Evidence(replayed), Lab.Evidence(loaded));
            Assert.Equal(replayed.Candidates.Select(candidate => replayed.Program.With(candidate.State).SaveState()), loaded.Candidates.Select(candidate => loaded.Program.With(candidate.State).SaveState()));
            var written = await File.ReadAllTextAsync(Path.Combine(directory, "result.json"), Token);
            Assert.Equal(written, OptimizationResultJson.Write(JsonDocument.Parse(written).RootElement.GetProperty("optimizer").GetString()!, loaded));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<(QA Result, string[] Calls, Lab Lab)> RunAsync(LabSetup setup)
    {
        var lab = world();
        var student = program(lab);
        var state = student.SaveState();
        var result = await make(setup).CompileAsync(student, train, validation, Token);
        Assert.Equal(state, student.SaveState());
        return (result, Lab.Shown(lab.Calls), lab);
    }

}

/// <summary>Collects events in order.</summary>
internal sealed class EventLog : IProgress<OptimizerEvent>
{
    private readonly Lock gate = new();
    private readonly List<OptimizerEvent> events = [];

    public IReadOnlyList<T> Of<T>()
    {
        lock (gate)
            return [.. events.OfType<T>()];
    }

    public void Report(OptimizerEvent value)
    {
        lock (gate)
            events.Add(value);
    }
}
