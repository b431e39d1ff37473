using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FinancialAnalysis;

/// <summary>What to report on, and the figures as a table.</summary>
public sealed record Ask(string Quarter, string Figures);

/// <summary>A report; margins and growth in percent, with one decimal.</summary>
public sealed partial record Report(
    double GrossMargin,
    double OperatingMargin,
    [property: Description("Since the quarter before; null when there is none")] double? RevenueGrowth,
    [property: Description("One sentence, with no number that is not above")] string Verdict)
{
    /// <summary>Every number of the verdict is one of the report's.</summary>
    internal bool IsConsistent() => Percent().Matches(Verdict).All(match =>
        new[] { GrossMargin, OperatingMargin, Math.Abs(RevenueGrowth ?? 0) }.Contains(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"(\d+(?:\.\d+)?) %")]
    private static partial Regex Percent();
}
