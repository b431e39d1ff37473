using System.Globalization;
using static Hone.HtmlWriter;

namespace Hone;

/// <summary>An evaluation or a comparison as one page.</summary>
internal static class EvaluationPage
{
    private const int Bins = 10;

    // A page with more rows than this opens slowly; CSV and JSON have all of them.
    private const int MaxRows = 2_000;

    public static string Of<TIn, TOut>(EvaluationResult<TIn, TOut> result, string title)
    {
        var page = new HtmlWriter();
        page.Element("h1", title).Element("p", result.ToString(), "soft");
        page.Tiles(
        [
            ("mean score", Number(result.Mean)),
            ("95 % interval", $"{Number(result.Interval.Low)} – {Number(result.Interval.High)}"),
            ("examples", Count(result.Rows.Length)),
            ("failures", Count(result.FailureCount)),
            ("unreadable answers", Count(result.FormatFailureCount)),
            ("calls", Count(result.Usage.Calls)),
            ("tokens", Count(result.Usage.TotalTokens)),
            ("cost", Cost(result.Usage.Cost)),
            ("time of all runs", Seconds(result.Rows.Sum(row => row.Duration.TotalSeconds))),
        ]);
        if (!result.PartMeans.IsEmpty)
            page.Element("h2", "Parts of the score").Table(result.PartMeans.Select(part => (part.Key, Number(part.Value))));
        if (result.Rows.Length > 0)
            page.Element("h2", "Spread of scores").Raw(Histogram(result.Scores));
        page.Element("h2", "Examples, lowest scores first");
        foreach (var row in result.Rows.OrderBy(row => row.Error is null).ThenBy(row => row.Score.Value).Take(MaxRows))
            WriteRow(page, row);
        if (result.Rows.Length > MaxRows)
            page.Element("p", $"{result.Rows.Length - MaxRows} more rows are left out of the page.", "soft");
        return page.Page(title);
    }

    public static string Of<TIn, TOut>(ProgramComparison<TIn, TOut> comparison, string title)
    {
        var page = new HtmlWriter();
        var scores = comparison.Scores;
        page.Element("h1", title).Element("p", comparison.ToString(), "soft");
        page.Tiles(
        [
            ("baseline", Number(scores.Baseline)),
            ("candidate", Number(scores.Candidate)),
            ("gain", Number(scores.Gain, "+0.000;-0.000;0.000")),
            ("95 % interval", $"{Number(scores.Interval.Low, "+0.000;-0.000;0.000")} – {Number(scores.Interval.High, "+0.000;-0.000;0.000")}"),
            ("significant", scores.IsSignificant ? "yes" : "no"),
        ]);
        WriteChanges(page, "Better with the candidate", comparison.Gains);
        WriteChanges(page, "Worse with the candidate", comparison.Losses);
        return page.Page(title);
    }

    private static void WriteChanges<TIn, TOut>(
        HtmlWriter page, string heading, IEnumerable<(EvaluationRow<TIn, TOut> Baseline, EvaluationRow<TIn, TOut> Candidate)> pairs)
    {
        var all = pairs.ToList();
        page.Element("h2", $"{heading}: {all.Count}");
        foreach (var (before, after) in all.Take(MaxRows))
        {
            page.Raw("<div class=\"card\">").Element("b", $"{before.Name}: {Number(before.Score.Value)} → {Number(after.Score.Value)}");
            page.Raw("<div class=\"pair\"><div>");
            WriteBody(page, before);
            page.Raw("</div><div>");
            WriteBody(page, after);
            page.Raw("</div></div></div>");
        }
    }

    private static void WriteRow<TIn, TOut>(HtmlWriter page, EvaluationRow<TIn, TOut> row)
    {
        var mark = row.Error is null ? "" : " <span class=\"bad\">failed</span>";
        page.Raw($"<details><summary>{Escape(row.Name)} · {Number(row.Score.Value)}{mark} <span class=\"soft\">{Taken(row)}</span></summary>");
        WriteBody(page, row);
        page.Raw("</details>");
    }

    private static void WriteBody<TIn, TOut>(HtmlWriter page, EvaluationRow<TIn, TOut> row)
    {
        page.Element("div", "input", "soft").Element("pre", ValueText.Of(row.Example.Input));
        page.Element("div", "expected", "soft").Element("pre", ValueText.Of(row.Example.Expected));
        if (row.Error is null)
            page.Element("div", "returned", "soft").Element("pre", ValueText.Of(row.Value));
        else
            page.Element("div", "error", "soft").Element("pre", $"{row.Error.GetType().Name}: {row.Error.Message}", "bad");
        if (!row.Score.Parts.IsEmpty)
            page.Table(row.Score.Parts.Select(part => (part.Key, Number(part.Value))));
        if (row.Score.Feedback is { Length: > 0 } feedback)
            page.Element("div", "feedback", "soft").Element("pre", feedback);
    }

    private static string Histogram(IReadOnlyList<double> scores)
    {
        var (low, high) = (Math.Min(0, scores.Min()), Math.Max(1, scores.Max()));
        var counts = new int[Bins];
        foreach (var score in scores)
            counts[Math.Clamp((int)((score - low) / (high - low) * Bins), 0, Bins - 1)]++;
        var bars = counts.Select((count, index) =>
        {
            var height = 80.0 * count / counts.Max();
            var from = low + ((high - low) * index / Bins);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{(index * 40) + 4}\" y=\"{90 - height:0.#}\" width=\"32\" height=\"{height:0.#}\" fill=\"var(--blue)\"><title>{count} from {from:0.##}</title></rect><text x=\"{(index * 40) + 4}\" y=\"104\">{from:0.##}</text>");
        });
        return $"<svg viewBox=\"0 0 410 110\" role=\"img\" aria-label=\"scores\" style=\"max-width:34rem\">{string.Concat(bars)}</svg>";
    }

    private static string Taken<TIn, TOut>(EvaluationRow<TIn, TOut> row) =>
        row.Usage.Cost == 0 ? Seconds(row.Duration.TotalSeconds) : $"{Seconds(row.Duration.TotalSeconds)} · {Cost(row.Usage.Cost)}";

    /// <summary>Dollars. Nothing is known of a price of 0: a local model, or one without a price.</summary>
    public static string Cost(decimal dollars) => dollars == 0 ? "–" : dollars.ToString("$0.00####", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.00 s", CultureInfo.InvariantCulture);

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
