using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>
/// The journal of a search. A process that is killed cannot say any more what it had under way, so it says so before: a line is written before each unit of
/// work. With a budget of calls every line also says what the budget has counted, and one is written before each call, with what that may cost.
/// Thread-safe; does nothing for a run in memory.
/// </summary>
internal sealed class SearchJournal(OptimizationRun run)
{
    private const string SpentKey = "spent";
    private const string UnderWayKey = "underWay";
    private const string LostKey = "lost";
    private const string BegunKey = "begun";
    private const string LostUnitsKey = "lostUnits";
    private const string LostRunsKey = "lostRuns";
    private const string WastedKey = "wasted";

    /// <summary>A unit that is done.</summary>
    public const string UnitKey = "unit";

    /// <summary>The end of a wave, in order: nothing is under way.</summary>
    public const string ElapsedKey = "elapsedMs";

    private static readonly ImmutableSortedDictionary<string, Usage> NoUsage = ImmutableSortedDictionary.Create<string, Usage>(StringComparer.Ordinal);

    private readonly Lock gate = new();
    private RunCallBudget? calls;

    /// <summary>What a journal says of calls: spent in all, and how much of that is only what calls may have cost that a killed process had under way.</summary>
    public (ImmutableSortedDictionary<string, Usage> Spent, ImmutableSortedDictionary<string, Usage> Lost) Read()
    {
        var (spent, underWay, lost) = Entries();
        return (spent.Plus(underWay), lost.Plus(underWay));
    }

    /// <summary>Keeps what this budget counts from now on. It goes on from what the journal said.</summary>
    public void Follow(RunCallBudget budget)
    {
        if (run.Journal is null)
            return;
        var isFirst = calls is null;
        if (calls is not null)
            calls.Reserved = null;
        calls = budget;
        budget.Reserved = () => Append(_ => { });
        if (isFirst && Entries().UnderWay is { IsEmpty: false } lost)
            Append(line => UsageJson.Write(line, LostKey, lost));
    }

    /// <summary>Says that a unit begins.</summary>
    public void Begin(Unit unit)
    {
        if (run.Journal is not null)
            Append(line => line.WriteString(BegunKey, unit.Key));
    }

    /// <summary>How many units earlier processes had begun when they were killed, and how many of them were runs of programs; of those of the last one a line is kept.</summary>
    public (long Units, long Runs) CountLost()
    {
        var (open, units, runs) = (new HashSet<string>(StringComparer.Ordinal), 0L, 0L);
        foreach (var line in run.Entries)
        {
            if (line.TryGetProperty(BegunKey, out var begun))
                open.Add(begun.GetString()!);
            else if (line.TryGetProperty(UnitKey, out var done))
                open.Remove(done.GetString()!);
            else if (line.TryGetProperty(ElapsedKey, out _) || line.TryGetProperty(LostUnitsKey, out _))
                open.Clear();
            if (line.TryGetProperty(LostUnitsKey, out var known))
                (units, runs) = (units + known.GetInt64(), runs + line.GetProperty(LostRunsKey).GetInt64());
        }

        var openRuns = open.Count(key => key.StartsWith(RunUnit.KeyPrefix, StringComparison.Ordinal));
        if (open.Count > 0)
        {
            Append(line =>
            {
                line.WriteNumber(LostUnitsKey, open.Count);
                line.WriteNumber(LostRunsKey, openRuns);
            });
        }

        return (units + open.Count, runs + openRuns);
    }

    /// <summary>Says what an attempt had cost that was broken off.</summary>
    public void Waste(ImmutableSortedDictionary<string, Usage> cost) => Append(line => UsageJson.Write(line, WastedKey, cost));

    /// <summary>What attempts of earlier processes had cost that were broken off.</summary>
    public ImmutableSortedDictionary<string, Usage> Wasted() =>
        run.Entries.Aggregate(NoUsage, (sum, line) => sum.Plus(UsageOf(line, WastedKey)));

    /// <summary>Appends a line.</summary>
    /// <param name="members">Writes the members of its object.</param>
    public void Append(Action<Utf8JsonWriter> members)
    {
        // What was spent is read under the lock, too: a later line must not tell of an earlier moment.
        lock (gate)
        {
            run.Journal?.Append(line =>
            {
                members(line);
                if (calls is null)
                    return;
                var (spent, reserved) = calls.ByRole;
                UsageJson.WriteAlways(line, SpentKey, UsageOf(spent));
                UsageJson.Write(line, UnderWayKey, UsageOf(reserved));
            });
        }
    }

    /// <summary>Forces what was appended onto the disk.</summary>
    public void Flush()
    {
        lock (gate)
            run.Journal?.Flush();
    }

    private (ImmutableSortedDictionary<string, Usage> Spent, ImmutableSortedDictionary<string, Usage> UnderWay, ImmutableSortedDictionary<string, Usage> Lost) Entries()
    {
        var (spent, underWay, lost) = (NoUsage, NoUsage, NoUsage);
        foreach (var line in run.Entries)
        {
            if (line.TryGetProperty(SpentKey, out var counted))
                (spent, underWay) = (UsageJson.Read(counted), UsageOf(line, UnderWayKey));
            else if (line.TryGetProperty(UnitKey, out _))
                spent = spent.Plus(UsageOf(line.GetProperty("result"), "usage"));
            else
                spent = spent.Plus(UsageOf(line, WastedKey));
            lost = lost.Plus(UsageOf(line, LostKey));
        }

        return (spent, underWay, lost);
    }

    private static ImmutableSortedDictionary<string, Usage> UsageOf(ImmutableSortedDictionary<string, Spending> byRole) => byRole.ToImmutableSortedDictionary(
        role => role.Key, role => new Usage(role.Value.Calls, role.Value.InputTokens, role.Value.OutputTokens) { Cost = role.Value.Money }, StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, Usage> UsageOf(JsonElement line, string name) =>
        line.TryGetProperty(name, out var usage) ? UsageJson.Read(usage) : NoUsage;
}
