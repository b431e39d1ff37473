using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>
/// Runs units in waves, side by side, each at most once in the life of a run directory. A wave is given in order; what its units cost is judged in that
/// order, so that what a budget allows does not depend on how many ran at once.
/// </summary>
internal sealed class UnitRunner(OptimizationRun run, OptimizerOptions options, RunCallBudget? calls, Action<OptimizerEvent> tell)
{
    private const string StopFile = "stop";

    // How many units may start between two looks for the file: a look costs as much as a small unit.
    private const int StartsBetweenLooks = 32;
    private const string ElapsedKey = "elapsedMs";

    private readonly Lock gate = new();
    private readonly Dictionary<string, JsonElement> journaled = ReadJournal(run.Entries);
    private readonly Dictionary<string, object> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> counted = new(StringComparer.Ordinal);
    private readonly HashSet<string> paid = new(StringComparer.Ordinal);
    private readonly UnitCosts costs = new();
    private TimeSpan? lastKept;

    /// <summary>Units that an earlier process had finished.</summary>
    public int JournaledCount => journaled.Count;

    /// <summary>Units that this process has done itself.</summary>
    public int ExecutedCount { get; private set; }

    /// <summary>Runs of the program that the search has asked for, those taken from the journal included.</summary>
    public long ProgramRuns { get; private set; }

    /// <summary>What the units have cost that the search asked for, whoever paid.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageByRole { get; private set; } = ImmutableSortedDictionary.Create<string, Usage>(StringComparer.Ordinal);

    /// <summary>Runs of the program that the budget still allows.</summary>
    public long RemainingRuns => options.Budget.MaxProgramRuns is { } most ? most - ProgramRuns : long.MaxValue;

    /// <summary>Time that the run had taken when its last unit was done, that of earlier processes included.</summary>
    public TimeSpan Duration => run.Directory is null ? run.Elapsed : lastKept ?? ElapsedBefore;

    private TimeSpan ElapsedBefore => TimeSpan.FromMilliseconds(
        run.Entries.LastOrDefault(entry => entry.TryGetProperty(ElapsedKey, out _)) is { ValueKind: JsonValueKind.Object } last
            ? last.GetProperty(ElapsedKey).GetInt64()
            : 0);

    /// <summary>Counts the time and the calls of the journal's units against the budget.</summary>
    public void ContinueSpending()
    {
        run.ContinueFrom(ElapsedBefore);
        if (calls is null)
            return;
        foreach (var line in journaled.Values)
        {
            foreach (var (role, usage) in UsageOf(line))
                calls.ContinueFrom(role, new(usage.Calls, usage.InputTokens, usage.OutputTokens, usage.Cost));
        }
    }

    /// <summary>How many further runs of the program these units would be.</summary>
    public long NewRuns(IEnumerable<Unit> units) => units.Where(unit => unit.IsProgramRun && !counted.Contains(unit.Key)).DistinctBy(unit => unit.Key).Count();

    /// <summary>Sets the outcome of every unit.</summary>
    /// <exception cref="SearchEndedException">A budget is spent, the run was stopped, or a model stayed out of reach. Units before the failing one have outcomes.</exception>
    public async Task RunAsync(string phase, IReadOnlyList<Unit> units, CancellationToken cancellationToken)
    {
        Reserve(units);
        var missing = new List<Unit>();
        var planned = new HashSet<string>(StringComparer.Ordinal);
        foreach (var unit in units)
        {
            if (!Recall(unit) && planned.Add(unit.Key))
                missing.Add(unit);
        }

        try
        {
            if (missing.Count > 0)
                await ExecuteAsync(phase, missing, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var unit in units)
            {
                if (unit.Outcome is null && known.TryGetValue(unit.Key, out var outcome))
                    unit.Outcome = outcome;
                if (unit.Outcome is not null && paid.Add(unit.Key))
                    UsageByRole = UsageByRole.Plus(unit.UsageByRole);
            }
        }

        if (missing.Count > 0)
            tell(new OptimizerSpent(ProgramRuns, UsageByRole));
    }

    private void Reserve(IReadOnlyList<Unit> units)
    {
        var fresh = NewRuns(units);
        if (fresh > RemainingRuns)
            throw new SearchEndedException(
                StopReason.ProgramRunBudget, $"The budget of {options.Budget.MaxProgramRuns} program runs is spent: {ProgramRuns} were made and {fresh} more are needed.");
        foreach (var unit in units)
        {
            if (unit.IsProgramRun && counted.Add(unit.Key))
                ProgramRuns++;
        }
    }

    private bool Recall(Unit unit)
    {
        if (known.TryGetValue(unit.Key, out var outcome))
        {
            unit.Outcome = outcome;
            return true;
        }

        if (!journaled.TryGetValue(unit.Key, out var line))
            return false;
        unit.Load(line.GetProperty("result"));
        known.Add(unit.Key, unit.Outcome!);
        costs.Observe(unit);
        return true;
    }

    // Started in order. Everything that was started is waited for: it is paid.
    private async Task ExecuteAsync(string phase, List<Unit> units, CancellationToken cancellationToken)
    {
        if (options.Control is { } control)
            await control.PassAsync(_ => Task.CompletedTask, cancellationToken).ConfigureAwait(false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stop, options.Control?.Stopped ?? default);
        var errors = new Exception?[units.Count];
        var running = new List<Task>();
        var completed = 0;
        var hasFailed = false;
        for (var i = 0; i < units.Count; i++)
        {
            while (running.Count > 0 && (running.Count >= options.MaxParallelism || !MayStart(units[i], running.Count)))
                running.Remove(await Task.WhenAny(running).ConfigureAwait(false));
            if (Volatile.Read(ref hasFailed) || StopNow(looksForFile: i % StartsBetweenLooks == 0) is not null || either.IsCancellationRequested)
                break;
            var task = WorkAsync(i);
            if (!task.IsCompleted)
                running.Add(task);
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        KeepTime();
        ThrowFirst(units, errors, cancellationToken);

        async Task WorkAsync(int index)
        {
            errors[index] = await AttemptAsync(units[index], either.Token).ConfigureAwait(false);
            if (errors[index] is not null)
                Volatile.Write(ref hasFailed, true);
            options.Progress?.Report(new OptimizerProgress(phase, Interlocked.Increment(ref completed), units.Count));
        }
    }

    private void KeepTime()
    {
        if (run.Journal is not { } journal)
            return;
        lastKept = TimeSpan.FromMilliseconds(Math.Round(run.Elapsed.TotalMilliseconds));
        journal.Append(new JsonObject { [ElapsedKey] = (long)lastKept.Value.TotalMilliseconds });
        journal.Flush();
    }

    private void ThrowFirst(List<Unit> units, Exception?[] errors, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (StopNow(looksForFile: true) is { } ended && units.Any(unit => unit.Outcome is null))
            throw ended;
        foreach (var error in errors)
        {
            if (error is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        }
    }

    private SearchEndedException? StopNow(bool looksForFile) =>
        options.Stop.IsCancellationRequested || options.Control?.IsStopRequested == true
            ? new(StopReason.Requested, "The run was asked to stop.")
        : looksForFile && run.Directory is { } directory && File.Exists(Path.Combine(directory, StopFile))
            ? new(StopReason.Requested, $"The run directory has a file named '{StopFile}'. Delete it to go on.")
        : run.Exhausted(0) is { } reason ? new(reason, "The time of the budget is spent.")
        : null;

    // Near a limit one unit runs at a time, as if nothing ever ran side by side: then the budget refuses the same call as it would have in order.
    private bool MayStart(Unit unit, int running) => calls is null || calls.All.All(budget => costs.FitsTwice(unit.Kind, running + 1, budget.Remaining()));

    private async Task<Exception?> AttemptAsync(Unit unit, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await ExecuteAsync(unit, cancellationToken).ConfigureAwait(false);
                return null;
            }
            catch (Exception error) when (attempt < options.OutageRetries && SearchFaults.Refusal(error) is null && SearchFaults.IsOutage(error))
            {
                var wait = options.OutageDelay * Math.Pow(2, attempt);
                tell(new OptimizerWarning($"A model is out of reach, next attempt in {wait}: {error.Message}"));
                await Task.Delay(wait, options.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (cancellationToken.IsCancellationRequested)
                    return new OperationCanceledException(cancellationToken);
            }
            catch (Exception error)
            {
                return Ended(error);
            }
        }
    }

    private async Task ExecuteAsync(Unit unit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var ticket = calls is null ? null : new RunCallTicket(calls);
        using (ticket is null ? null : HoneScope.Under(ticket))
            await unit.ExecuteAsync(cancellationToken).ConfigureAwait(false);
        if (ticket?.Refusal is { } refusal)
        {
            unit.Outcome = null;
            throw Ended(refusal);
        }

        lock (gate)
        {
            known[unit.Key] = unit.Outcome!;
            costs.Observe(unit);
            ExecutedCount++;
            run.Journal?.Append(new JsonObject { ["unit"] = unit.Key, ["result"] = unit.Save() });
        }
    }

    private Exception Ended(Exception error)
    {
        if (SearchFaults.Refusal(error) is { } refusal)
            return new SearchEndedException(ReasonOf(refusal), refusal.Message, error);
        return SearchFaults.IsOutage(error)
            ? new SearchEndedException(StopReason.Outage, $"A model stayed out of reach: {error.Message}", error)
            : error;
    }

    private StopReason ReasonOf(BudgetExceededException refusal) =>
        calls is not { RefusalCount: > 0 } ? StopReason.ModelBudget
        : refusal.Limit switch
        {
            nameof(CallBudgetLimits.MaxMoney) => StopReason.CostBudget,
            nameof(CallBudgetLimits.MaxTokens) or nameof(CallBudgetLimits.MaxInputTokens) or nameof(CallBudgetLimits.MaxOutputTokens) => StopReason.TokenBudget,
            nameof(CallBudgetLimits.MaxTime) => StopReason.TimeBudget,
            _ => StopReason.CallBudget,
        };

    private static ImmutableSortedDictionary<string, Usage> UsageOf(JsonElement line) =>
        line.GetProperty("result").TryGetProperty("usage", out var usage) ? UsageJson.Read(usage) : ImmutableSortedDictionary<string, Usage>.Empty;

    private static Dictionary<string, JsonElement> ReadJournal(IReadOnlyList<JsonElement> entries)
    {
        var units = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.TryGetProperty("unit", out var key))
                units[key.GetString()!] = entry;
        }

        return units;
    }
}
