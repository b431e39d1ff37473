using System.ComponentModel;
using System.Globalization;
using Hone;
using Microsoft.Extensions.AI;

namespace FinancialAnalysis;

/// <summary>The figures of a made-up company, tools that compute with them, and how reports are checked.</summary>
internal sealed class Books(List<FieldMap> rows)
{
    /// <summary>Thousands of euros.</summary>
    public const string Csv = """
        quarter,revenue,cost_of_sales,operating_expenses
        2025-Q1,4127,2388,1104
        2025-Q2,4519,2561,1173
        2025-Q3,4388,2672,1216
        2025-Q4,5236,2874,1259
        """;

    public IReadOnlyList<Example<Ask, Report>> Examples => [.. rows.Select(row => $"{row["quarter"]}").Select(quarter => new Example<Ask, Report>(
        new(quarter, Csv),
        new(Margin(quarter, ["cost_of_sales"]), Margin(quarter, ["cost_of_sales", "operating_expenses"]), IndexOf(quarter) == 0 ? null : Growth("revenue", quarter), "")) { Id = quarter })];

    /// <summary>Each number to a tenth of a percent, and no number in the text that is not one of them.</summary>
    public Metric<Ask, Report> Metric { get; } = Hone.Metric.Combine(
        Number("gross margin", report => report.GrossMargin), Number("operating margin", report => report.OperatingMargin), Number("revenue growth", report => report.RevenueGrowth),
        ("text", Hone.Metric.From<Ask, Report>((_, report) => report.IsConsistent()), 1));

    public static async Task<Books> ReadAsync(CancellationToken cancellationToken) =>
        new(await DataFiles.ReadCsvAsync(new StringReader(Csv), "figures", cancellationToken: cancellationToken).Select(row => row.Fields).ToListAsync(cancellationToken));

    public AIFunction[] Tools() => [AIFunctionFactory.Create(Margin, "margin"), AIFunctionFactory.Create(Growth, "growth")];

    [Description("What is left of a quarter's revenue after some costs, in percent of it.")]
    private double Margin(string quarter, [Description("Names of columns")] string[] costs)
    {
        var revenue = Figure("revenue", IndexOf(quarter));
        return Math.Round(100 * (revenue - costs.Sum(cost => Figure(cost, IndexOf(quarter)))) / revenue, 1);
    }

    [Description("By how many percent an item has grown since the quarter before.")]
    private double Growth([Description("Name of a column")] string item, string quarter) =>
        Math.Round(100 * ((Figure(item, IndexOf(quarter)) / Figure(item, IndexOf(quarter) - 1)) - 1), 1);

    private int IndexOf(string quarter) => rows.FindIndex(row => Equals(row["quarter"], quarter)) is >= 0 and var index ? index : throw new ArgumentException($"There is no quarter '{quarter}'.");

    private double Figure(string item, int index) =>
        index < 0 ? throw new ArgumentException("There is no quarter before the first.") : rows[index].TryGetValue(item, out var value) ? double.Parse($"{value}", CultureInfo.InvariantCulture)
        : throw new ArgumentException($"There is no '{item}'. Columns: {string.Join(", ", rows[index].Keys)}.");

    private static (string, Metric<Ask, Report>, double) Number(string name, Func<Report, double?> of) => (name, Hone.Metric.From<Ask, Report>((example, report) =>
        of(report) is { } given && of(example.Expected) is { } right ? Math.Abs(given - right) < 0.05 : of(report) is null && of(example.Expected) is null), 1);
}
