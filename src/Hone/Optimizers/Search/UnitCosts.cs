namespace Hone.Optimizers;

/// <summary>The most that a unit of each kind has cost so far.</summary>
internal sealed class UnitCosts
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Usage> largest = new(StringComparer.Ordinal);

    public void Observe(Unit unit)
    {
        var cost = unit.UsageByRole.Values.Aggregate(default(Usage), (sum, usage) => sum + usage);
        lock (gate)
        {
            var before = largest.GetValueOrDefault(unit.Kind);
            largest[unit.Kind] = new(
                Math.Max(before.Calls, cost.Calls), Math.Max(before.InputTokens, cost.InputTokens), Math.Max(before.OutputTokens, cost.OutputTokens))
            {
                Cost = Math.Max(before.Cost, cost.Cost),
            };
        }
    }

    /// <summary>True when so many units fit into what remains even if each costs twice the most seen; false while none was seen.</summary>
    public bool FitsTwice(string kind, int units, (long? Calls, long? Tokens, decimal? Money) remaining)
    {
        Usage most;
        lock (gate)
        {
            if (!largest.TryGetValue(kind, out most))
                return false;
        }

        return (remaining.Calls ?? long.MaxValue) >= 2 * units * most.Calls
            && (remaining.Tokens ?? long.MaxValue) >= 2 * units * most.TotalTokens
            && (remaining.Money ?? decimal.MaxValue) >= 2 * units * most.Cost;
    }
}
