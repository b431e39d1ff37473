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

    public CancellationToken Stop { get; init; }
}

/// <summary>What every optimizer on the engine promises, checked in one place.</summary>
internal sealed class Durability(
    Func<Lab> world,
    Func<LabSetup, PromptOptimizer<FieldMap, FieldMap>> make,
    Func<Lab, Program<FieldMap, FieldMap>> program,
    Example<FieldMap, FieldMap>[] train,
    Example<FieldMap, FieldMap>[] validation)
{
    private const int Many = 64;

    /// <summary>What a result is loaded into, where that is not the program itself.</summary>
    public Func<Lab, Program<FieldMap, FieldMap>>? LoadedInto { get; init; }

    /// <summary>True when a run that was cut looks at programs that an unbroken one never sees: what a step had found when its sequence ended.</summary>
    public bool LooksAtHalves { get; init; }

    private static readonly ModelPrice Price = new(1, 2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The same evidence and calls at any degree of parallelism and in a second run; the student as before; no more than was estimated.</summary>
    public async Task<QA> CheckAsync()
    {
        var (expected, calls, _) = await RunAsync(new(1));
        var estimate = make(new(1)).Estimate(program(world()), train, validation);
        Assert.True(expected.ProgramRuns <= estimate.ProgramRuns, $"{expected.ProgramRuns} runs, {estimate.ProgramRuns} estimated.");
        var role = calls.Any(call => call.Contains("|reflection|", StringComparison.Ordinal)) ? "reflection" : "prompt";
        var proposals = calls.Count(call => call.Contains($"|{role}|", StringComparison.Ordinal));
        Assert.True(proposals <= estimate.ProposalCalls, $"{proposals} proposals, {estimate.ProposalCalls} estimated.");
        Assert.Equal(proposals, expected.UsageByRole.GetValueOrDefault(role).Calls);
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

    /// <summary>
    /// Cut off by a budget of runs, calls, tokens or money, at any value from nothing to what it costs, with 64 units at once: it costs no more, says what ended
    /// it, gives the best so far, never below the program as it came, and more never gives a worse one. Nor does it depend on parallelism where the cut is.
    /// </summary>
    public async Task CheckBudgetsAsync()
    {
        var whole = await RunPricedAsync(Many, new());
        Assert.True(whole.Result.Candidates.Length > 1, "There is nothing to choose from.");
        var tokens = whole.Lab.Tokens.Input + whole.Lab.Tokens.Output;
        await ClimbAsync(whole, 30, whole.Result.ProgramRuns, most => new() { MaxProgramRuns = (long)most }, run => run.Result.ProgramRuns, StopReason.ProgramRunBudget);
        await ClimbAsync(whole, 30, whole.Lab.Calls.Count, most => new() { MaxCalls = (long)most }, run => run.Lab.Calls.Count, StopReason.CallBudget);
        await ClimbAsync(whole, 12, tokens, most => new() { MaxTokens = (long)most }, run => run.Lab.Tokens.Input + run.Lab.Tokens.Output, StopReason.TokenBudget);
        await ClimbAsync(whole, 12, CostOf(whole.Lab), most => new() { MaxCost = most }, run => CostOf(run.Lab), StopReason.CostBudget);

        // With more than all of it, a run ends as it does without a budget: what calls reserve and do not need is given back.
        foreach (var budget in new OptimizationBudget[] { new() { MaxTokens = tokens + 50_000 }, new() { MaxCost = CostOf(whole.Lab) + 1 } })
            Assert.Equal(Lab.Evidence(whole.Result), Lab.Evidence((await RunPricedAsync(Many, budget)).Result));
    }

    private async Task ClimbAsync(
        (QA Result, Lab Lab) whole, int steps, decimal cost, Func<decimal, OptimizationBudget> budgetOf, Func<(QA Result, Lab Lab), decimal> spent, StopReason reason)
    {
        var before = double.MinValue;
        for (var step = 0; step <= steps; step++)
        {
            var most = reason == StopReason.CostBudget ? cost * step / steps : Math.Floor(cost * step / steps);
            var (result, lab) = await RunPricedAsync(Many, budgetOf(most));
            var what = $"{budgetOf(most)}: {result.StopReason}, {result.BaselineScore} before, {result.BestScore} after, {before} with less";
            Assert.True(spent((result, lab)) <= most, $"{spent((result, lab))} of {what}");
            if (most < cost)
                Assert.True(result.StopReason == reason, what);
            Assert.True(result.BestScore is null || result.BestScore >= result.BaselineScore, what);
            Assert.True((result.BestScore ?? double.MinValue) >= before, what);
            before = result.BestScore ?? before;
            if (step % 7 == 3)
                Assert.Equal(Lab.Evidence(result), Lab.Evidence((await RunPricedAsync(1, budgetOf(most))).Result));
            if (step == steps && reason is StopReason.ProgramRunBudget or StopReason.CallBudget && most == cost && !LooksAtHalves)
                Assert.Equal(Lab.Evidence(whole.Result), Lab.Evidence(result));
        }
    }

    private static decimal CostOf(Lab lab) => Price.CostOf(lab.Tokens.Input, lab.Tokens.Output);

    private async Task<(QA Result, Lab Lab)> RunPricedAsync(int parallelism, OptimizationBudget budget)
    {
        var lab = world();
        var student = program(lab);
        student = student.WithModel(student.Model! with { Price = Price, Options = new() { MaxOutputTokens = 256 } });
        return (await make(new(parallelism) { Budget = budget }).CompileAsync(student, train, validation, Token), lab);
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
            if (!LooksAtHalves)
                Assert.Equal(calls, first.Concat(second).Order(StringComparer.Ordinal));
            var (replayed, none, _) = await RunAsync(new(1) { Directory = directory, Resume = true });
            Assert.Equal(Lab.Evidence(expected), Lab.Evidence(replayed));
            Assert.Empty(none);

            // The file says all that the result does.
            var loaded = await OptimizationResult.LoadAsync(directory, (LoadedInto ?? program)(world()), Token);
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
