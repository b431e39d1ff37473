using System.Collections.Immutable;
using System.Diagnostics.Metrics;

namespace Hone.Optimizers;

/// <summary>What optimizers of prompts do and pay for, on Hone's meter. What comes from a journal is not counted again.</summary>
internal static class SearchMeters
{
    private static readonly Counter<long> Units = HoneDiagnostics.Meter.CreateCounter<long>(
        "hone.optimizer.units", "{unit}", "Runs of programs and requests that optimizers made, by kind.");

    private static readonly Counter<double> Cost = HoneDiagnostics.Meter.CreateCounter<double>(
        "hone.optimizer.cost", "{money}", "What they cost by the prices of the models, by role.");

    public static void Count(Unit unit)
    {
        Units.Add(1, new KeyValuePair<string, object?>("hone.optimizer.kind", unit.Kind));
        Count(unit.UsageByRole);
    }

    public static void Count(ImmutableSortedDictionary<string, Usage> usageByRole)
    {
        foreach (var (role, usage) in usageByRole)
            Cost.Add((double)usage.Cost, new KeyValuePair<string, object?>(HoneDiagnostics.Role, role));
    }
}
