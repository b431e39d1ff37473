using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>
/// Runs units in waves, side by side, each at most once in the life of a run directory. A wave is given in order; what its units cost is judged in that
/// order, so that what a budget allows does not depend on how many ran at once.
/// </summary>
internal sealed class UnitRunner(OptimizationRun run, OptimizerOptions options, RunCallBudget? calls, SearchEvents events, RunAllowance? allowance = null)
{
    private const string StopFile = "stop";

    // How many units may start between two looks for the file: a look costs as much as a small unit.
    private const int StartsBetweenLooks = 32;

    private readonly Lock gate = new();
    private readonly Dictionary<string, JsonElement> journaled = ReadJournal(run.Entries);
    private readonly Dictionary<string, object> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> counted = new(StringComparer.Ordinal);
    private readonly HashSet<string> paid = new(StringComparer.Ordinal);
    private readonly UnitCosts costs = new();
    private readonly SearchJournal journal = new(run);
    private ImmutableSortedDictionary<string, Usage> asked = ImmutableSortedDictionary.Create<string, Usage>(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, Usage> wasted = ImmutableSortedDictionary.Create<string, Usage>(StringComparer.Ordinal);
    private RunCallBudget? calls = calls;
    private TimeSpan? lastKept;
    private long setAside;
    private long runsOfSteps;

    /// <summary>Units that an earlier process had finished.</summary>
    public int JournaledCount => journaled.Count;

    /// <summary>Units that this process has done itself.</summary>
    public int ExecutedCount { get; private set; }

    /// <summary>Runs of the program that the search has asked for, those taken from the journal included.</summary>
    public long ProgramRuns { get; private set; }

    /// <summary>Runs that were under way when an earlier process was killed.</summary>
    public long LostRuns { get; private set; }

    /// <summary>What the units have cost that the search asked for, whoever paid, with the attempts that were broken off and made again.</summary>
    public ImmutableSortedDictionary<string, Usage> UsageByRole
    {
        get
        {
            lock (gate)
                return asked.Plus(wasted);
        }
    }

    /// <summary>Runs of the program that the budget still allows; those that are set aside are not among them.</summary>
    public long RemainingRuns => Math.Min(Left(options.Budget.MaxProgramRuns), Left(allowance?.ProgramRuns));

    /// <summary>Time that the run had taken when its last unit was done, that of earlier processes included.</summary>
    public TimeSpan Duration => run.Directory is null ? run.Elapsed : lastKept ?? ElapsedBefore;

    private TimeSpan ElapsedBefore => TimeSpan.FromMilliseconds(
        run.Entries.LastOrDefault(entry => entry.TryGetProperty(SearchJournal.ElapsedKey, out _)) is { ValueKind: JsonValueKind.Object } last
            ? last.GetProperty(SearchJournal.ElapsedKey).GetInt64()
            : 0);

    /// <summary>What the budget leaves to a step of this run.</summary>
    /// <param name="runsAside">Runs of the program that are kept for scoring what it gives.</param>
    /// <param name="callsAside">Calls that are kept for it.</param>
    public RunAllowance Allow(long runsAside, long callsAside)
    {
        var limits = new CallBudgetLimits { MaxCalls = calls?.All.Min(budget => budget.Left().Calls) is { } left ? Math.Max(0, left - callsAside) : null };
        return new(
            RemainingRuns == long.MaxValue ? null : Math.Max(0, RemainingRuns - runsAside),
            calls is null ? null : new RunCallBudget(limits, ImmutableSortedDictionary<string, CallBudgetLimits>.Empty, options.Time, calls),
            () => run.Exhausted(0) is not null || allowance?.IsOutOfTime == true);
    }

    /// <summary>Counts runs of the program that a step has made.</summary>
    public void CountRunsOfStep(long runs) => runsOfSteps += runs;

    /// <summary>Keeps so many runs of the program for what comes after the search.</summary>
    public void SetAside(long runs) => setAside = runs;

    /// <summary>Gives free what was set aside.</summary>
    /// <param name="whole">The budget of calls for what comes now; it goes on from what was spent. Null keeps the one there is.</param>
    public void UseSetAside(RunCallBudget? whole)
    {
        setAside = 0;
        if (whole is null || calls is null)
            return;
        foreach (var (role, spent) in calls.SpentByRole)
            whole.ContinueFrom(role, spent);
        journal.Follow(whole);
        calls = whole;
    }

    /// <summary>
    /// Counts the time, the runs and the calls of earlier processes against the budget, units that were cut off half-way included. Of calls that were under way
    /// when a process was killed nothing is known: they count as the most that they can have cost.
    /// </summary>
    public void ContinueSpending()
    {
        run.ContinueFrom(ElapsedBefore);
        var (spent, lost) = journal.Read();
        var most = lost.Values.Aggregate(default(Usage), (sum, usage) => sum + usage);
        if (most != default)
            events.Warn(FormattableString.Invariant(
                $"Calls were under way when an earlier process ended. They count as the most that they can have cost: {most.Calls} calls, {most.TotalTokens} tokens, {most.Cost:0.######} in money."));
        wasted = journal.Wasted();
        (var units, LostRuns) = journal.CountLost();
        if (units > 0 && most == default)
            events.Warn(FormattableString.Invariant(
                $"{units} runs or requests were under way when an earlier process ended. They are made again; what they had cost by then is not known and not part of the figures."));
        if (calls is null)
            return;
        foreach (var (role, usage) in spent)
            calls.ContinueFrom(role, new(usage.Calls, usage.InputTokens, usage.OutputTokens, usage.Cost));
        journal.Follow(calls);
    }

    /// <summary>How many further runs of the program these units would be.</summary>
    public long NewRuns(IEnumerable<Unit> units) => units.Where(unit => unit.IsProgramRun && !counted.Contains(unit.Key)).DistinctBy(unit => unit.Key).Count();

    /// <summary>Sets the outcome of every unit.</summary>
    /// <param name="phase">What is done, for listeners.</param>
    /// <param name="units">The units in order.</param>
    /// <param name="ahead">Units that will be asked for later and join these as the last ones; what they fail with is left to then.</param>
    /// <param name="maxErrors">Crashed runs at which the wave ends the run; null for no limit.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="SearchEndedException">A budget is spent, the run was stopped, or a model stayed out of reach. Units before the failing one have outcomes.</exception>
    public async Task RunAsync(string phase, IReadOnlyList<Unit> units, IReadOnlyList<Unit> ahead, int? maxErrors, CancellationToken cancellationToken)
    {
        Reserve(units);
        var missing = new List<Unit>();
        var planned = new HashSet<string>(StringComparer.Ordinal);
        Plan(units);
        var own = missing.Count;
        Plan(ahead);
        if (units.Count > 0)
            events.Tell(new WorkStarted(phase, units[0].IsProgramRun ? WorkKind.Runs : WorkKind.Requests, units.Count, units.Count - own));
        try
        {
            if (missing.Count > 0)
                await ExecuteAsync(phase, missing, own, maxErrors, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            foreach (var unit in units.Concat(ahead))
            {
                if (unit.Outcome is null && known.TryGetValue(unit.Key, out var outcome))
                    unit.Outcome = outcome;
                if (unit.Outcome is not null && paid.Add(unit.Key))
                    asked = asked.Plus(unit.UsageByRole);
            }
        }

        if (missing.Count > 0)
            events.TellSpent(ProgramRuns, UsageByRole, options.Budget.MaxProgramRuns is null ? null : RemainingRuns, calls);
        if (missing.Count > 0 && run.Directory is { } directory)
            events.Tell(new RunSaved(directory, known.Count));
        ThrowIfTooManyCrashed(units, maxErrors);

        void Plan(IReadOnlyList<Unit> asked)
        {
            foreach (var unit in asked)
            {
                if (!Recall(unit) && planned.Add(unit.Key))
                    missing.Add(unit);
            }
        }
    }

    // In the order of the wave: what counts does not depend on how many ran at once. What came after the last crash that was allowed is not looked at.
    private static void ThrowIfTooManyCrashed(IReadOnlyList<Unit> units, int? maxErrors)
    {
        if (maxErrors is not { } most)
            return;
        var crashed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < units.Count; i++)
        {
            if (units[i] is not { Outcome: not null, IsCrash: true } || !crashed.Add(units[i].Key) || crashed.Count < most)
                continue;
            var error = units[i].Error;
            foreach (var later in units.Skip(i + 1))
                later.Outcome = null;
            throw new SearchEndedException(
                StopReason.TooManyErrors, $"{most} runs failed side by side, as many as {nameof(OptimizerOptions.MaxErrors)} allows. The last error: {error}");
        }
    }

    private long Left(long? most) => most is { } runs ? Math.Max(0, runs - setAside - ProgramRuns - runsOfSteps - LostRuns) : long.MaxValue;

    private void Reserve(IReadOnlyList<Unit> units)
    {
        var fresh = NewRuns(units);
        if (fresh > RemainingRuns)
            throw new SearchEndedException(
                StopReason.ProgramRunBudget, $"The budget of program runs is spent: {ProgramRuns + runsOfSteps + LostRuns} were made and {fresh} more are needed.");
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

    // Started in order. Everything that was started is waited for: it is paid. Only the first ones are the wave's own: the others end nothing.
    private async Task ExecuteAsync(string phase, List<Unit> units, int own, int? maxErrors, CancellationToken cancellationToken)
    {
        if (options.Control is { } control)
            await control.PassAsync(_ => Task.CompletedTask, cancellationToken).ConfigureAwait(false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, options.Stop, options.Control?.Stopped ?? default);
        var errors = new Exception?[units.Count];
        var running = new List<Task>();
        var (completed, crashed) = (0, 0);
        var hasFailed = false;
        var started = 0;
        for (var i = 0; i < units.Count; i++)
        {
            while (running.Count > 0 && (running.Count >= options.MaxParallelism || !MayStart(units[i], running.Count)))
                running.Remove(await Task.WhenAny(running).ConfigureAwait(false));
            if (Volatile.Read(ref hasFailed) || StopNow(looksForFile: i % StartsBetweenLooks == 0) is not null || either.IsCancellationRequested)
                break;
            started = i + 1;
            var task = WorkAsync(i);
            if (!task.IsCompleted)
                running.Add(task);
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        KeepTime();
        ThrowFirst(units[..own], errors[..own], started, cancellationToken);

        async Task WorkAsync(int index)
        {
            errors[index] = await AttemptAsync(units[index], either.Token).ConfigureAwait(false);
            if (index >= own)
                return;
            if (errors[index] is not null || (units[index].IsCrash && Interlocked.Increment(ref crashed) >= maxErrors))
                Volatile.Write(ref hasFailed, true);
            events.Report(new OptimizerProgress(phase, Interlocked.Increment(ref completed), own));
        }
    }

    private void KeepTime()
    {
        lastKept = TimeSpan.FromMilliseconds(Math.Round(run.Elapsed.TotalMilliseconds));
        journal.Append(line => line.WriteNumber(SearchJournal.ElapsedKey, (long)lastKept.Value.TotalMilliseconds));
        journal.Flush();
    }

    private void ThrowFirst(List<Unit> units, Exception?[] errors, int started, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (StopNow(looksForFile: true) is { } ended && units.Any(unit => unit.Outcome is null))
        {
            // They were counted when they were asked for, and are not made.
            ProgramRuns -= units.Skip(started).Count(unit => unit.IsProgramRun && counted.Remove(unit.Key));
            throw ended;
        }

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
        : allowance?.IsOutOfTime == true ? new(StopReason.TimeBudget, "The time that the sequence has for its steps is spent.")
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
                CountWaste(unit);
                var wait = options.OutageDelay * Math.Pow(2, attempt);
                events.Tell(new OptimizerWarning($"A model or a service is out of reach, next attempt in {wait}: {error.Message}"));
                await Task.Delay(wait, options.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (cancellationToken.IsCancellationRequested)
                    return new OperationCanceledException(cancellationToken);
            }
            catch (Exception error)
            {
                CountWaste(unit);
                return Ended(error);
            }
        }
    }

    // It is paid, whatever becomes of the work.
    private void CountWaste(Unit unit)
    {
        if (unit.Wasted is not { IsEmpty: false } cost)
            return;
        unit.Wasted = null;
        lock (gate)
            wasted = wasted.Plus(cost);
        SearchMeters.Count(cost);
        journal.Waste(cost);
    }

    private async Task ExecuteAsync(Unit unit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        journal.Begin(unit);
        var ticket = calls is null ? null : new RunCallTicket(calls);
        using (ticket is null ? null : HoneScope.Under(ticket))
            await unit.ExecuteAsync(cancellationToken).ConfigureAwait(false);
        if (ticket?.Refusal is { } refusal)
        {
            (unit.Wasted, unit.Outcome) = (unit.UsageByRole, null);
            throw Ended(refusal);
        }

        lock (gate)
        {
            known[unit.Key] = unit.Outcome!;
            costs.Observe(unit);
            ExecutedCount++;
            SearchMeters.Count(unit);
        }

        journal.Append(line =>
        {
            line.WriteString(SearchJournal.UnitKey, unit.Key);
            line.WritePropertyName("result");
            unit.Save(line);
        });
    }

    private Exception Ended(Exception error)
    {
        if (SearchFaults.Refusal(error) is { } refusal)
            return new SearchEndedException(ReasonOf(refusal), refusal.Message, error);
        return SearchFaults.IsOutage(error)
            ? new SearchEndedException(StopReason.Outage, $"A model or a service stayed out of reach: {error.Message}", error)
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

    private static Dictionary<string, JsonElement> ReadJournal(IReadOnlyList<JsonElement> entries)
    {
        var units = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (entry.TryGetProperty(SearchJournal.UnitKey, out var key))
                units[key.GetString()!] = entry;
        }

        return units;
    }
}
