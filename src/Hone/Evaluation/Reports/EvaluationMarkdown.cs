using System.Globalization;
using System.Text;
using static Hone.HtmlWriter;

namespace Hone;

/// <summary>An evaluation or a comparison as Markdown with tables, e.g. for a pull request or a wiki.</summary>
internal static class EvaluationMarkdown
{
    private const string Gain = "+0.000;-0.000;0.000";

    public static string Of<TIn, TOut>(EvaluationResult<TIn, TOut> result, string title, EvaluationTableOptions options)
    {
        var text = Heading(title, result.ToString());
        AppendTable(
            text,
            [options.MetricName, "95 % interval", "examples", "failures", "unreadable answers", "calls", "tokens", "cost", "seconds"],
            [
                [
                    Number(result.Mean),
                    $"{Number(result.Interval.Low)} – {Number(result.Interval.High)}",
                    Count(result.Rows.Length),
                    Count(result.FailureCount),
                    Count(result.FormatFailureCount),
                    Count(result.Usage.Calls),
                    Count(result.Usage.TotalTokens),
                    EvaluationPage.Cost(result.Usage.Cost),
                    Number(result.Rows.Sum(row => row.Duration.TotalSeconds), "0.00"),
                ],
            ]);
        if (!result.PartMeans.IsEmpty)
            AppendTable(text, ["part of the score", "mean"], result.PartMeans.Select(part => new[] { part.Key, Number(part.Value) }));
        var table = EvaluationTable.Of(result, options.MetricName);
        string[] columns = [.. table.Columns.Where(column => column is not "feedback" || options.ShowFeedback)];
        AppendTable(text, columns, table.Rows.Take(options.MaxRows).Select(row => columns.Select(column => ConsoleTable.Cell(row, column, options)).ToArray()));
        return Ending(text, table.Rows.Count - options.MaxRows);
    }

    public static string Of<TIn, TOut>(ProgramComparison<TIn, TOut> comparison, string title, EvaluationTableOptions options)
    {
        var (text, scores) = (Heading(title, comparison.ToString()), comparison.Scores);
        AppendTable(
            text,
            ["baseline", "candidate", "gain", "95 % interval", "significant"],
            [
                [
                    Number(scores.Baseline),
                    Number(scores.Candidate),
                    Number(scores.Gain, Gain),
                    $"{Number(scores.Interval.Low, Gain)} – {Number(scores.Interval.High, Gain)}",
                    scores.IsSignificant ? "yes" : "no",
                ],
            ]);
        var changes = comparison.Losses.Concat(comparison.Gains).ToList();
        if (changes.Count > 0)
        {
            AppendTable(text, ["example", "input", "baseline", "candidate", "change"], changes.Take(options.MaxRows).Select(pair => new[]
            {
                pair.Baseline.Name,
                ConsoleTable.Cut(ValueText.Of(pair.Baseline.Example.Input), options),
                Answer(pair.Baseline, options),
                Answer(pair.Candidate, options),
                Number(pair.Candidate.Score.Value - pair.Baseline.Score.Value, Gain),
            }));
        }

        return Ending(text, changes.Count - options.MaxRows);
    }

    private static string Answer<TIn, TOut>(EvaluationRow<TIn, TOut> row, EvaluationTableOptions options) =>
        ConsoleTable.Cut(row.Error is { } error ? $"{error.GetType().Name}: {error.Message}" : ValueText.Of(row.Value), options);

    private static StringBuilder Heading(string title, string summary) => new StringBuilder("# ").Append(Cell(title)).Append("\n\n").Append(Cell(summary)).Append('\n');

    private static string Ending(StringBuilder text, int left) =>
        (left > 0 ? text.Append(CultureInfo.InvariantCulture, $"\n{left} more rows are left out.\n") : text).ToString();

    private static void AppendTable(StringBuilder text, string[] columns, IEnumerable<string[]> rows)
    {
        text.Append('\n');
        AppendLine(text, columns.Select(Cell));
        AppendLine(text, columns.Select(_ => "---"));
        foreach (var row in rows)
            AppendLine(text, row.Select(Cell));
    }

    private static void AppendLine(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    // A cell stays one line and one cell, and markup in it is escaped: what models write must not become pictures, links or code of the page.
    private static string Cell(string text)
    {
        var cell = new StringBuilder(text.Length + 8);
        foreach (var letter in text.ReplaceLineEndings(" ").Trim())
        {
            if (letter is '\\' or '|' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '#' or '~' or '!' or '&' or '@')
                cell.Append('\\');
            cell.Append(letter);
        }

        return cell.ToString();
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
