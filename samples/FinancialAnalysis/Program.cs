using System.CommandLine;
using FinancialAnalysis;
using Hone;
using SampleCommon;

var quarter = new Option<string?>("--quarter") { Description = "Reports on this one, e.g. 2025-Q2, instead of comparing two analysts on all." };

var app = new SampleApp("Reports on a company's quarters, with numbers that are checked.", ScriptedModel.Create, quarter);
return await app.RunAsync(args, async run =>
{
    var books = await Books.ReadAsync(run.CancellationToken);
    var analyst = new ReAct<Ask, Report>("Report on the quarter. Compute every number with the tools.", books.Tools(), new() { MaxSteps = 6 }).WithModel(run.Model);
    if (run.Arguments.GetValue(quarter) is { } name)
    {
        Print(name, await analyst.CallAsync(new(name, Books.Csv), run.CancellationToken));
        return;
    }

    // The same task without tools: the figures are in the prompt, the sums are done in the head.
    var head = new ChainOfThought<Ask, Report>("Report on the quarter.").WithModel(run.Model);
    var comparison = await Evaluator.Create(books.Metric, new() { MaxErrors = 0 }).CompareAsync(head, analyst, books.Examples, run.CancellationToken);
    foreach (var (without, with) in comparison.Baseline.Rows.Zip(comparison.Candidate.Rows))
        Console.WriteLine(FormattableString.Invariant($"{without.Example.Input.Quarter}: {without.Score.Value:0.00} in the head, {with.Score.Value:0.00} with tools"));
    foreach (var (part, mean) in comparison.Candidate.PartMeans)
        Console.WriteLine(FormattableString.Invariant($"{part}: {comparison.Baseline.PartMeans[part]:P0} in the head, {mean:P0} with tools"));
    Console.WriteLine($"{comparison}\n");
    Print(comparison.Candidate.Rows[^1].Name, comparison.Candidate.Rows[^1].Value!);
});

static void Print(string name, Report report) => Console.WriteLine(FormattableString.Invariant(
    $"{name}\n  gross margin     {report.GrossMargin,6:0.0} %\n  operating margin {report.OperatingMargin,6:0.0} %\n  revenue growth   {report.RevenueGrowth,6:0.0} %\n  {report.Verdict}"));
