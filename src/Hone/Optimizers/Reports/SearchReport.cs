using static Hone.HtmlWriter;

namespace Hone.Optimizers;

/// <summary>The report of an optimizer of prompts as one self-contained page: verdict, candidates, what changed, cost.</summary>
internal static class SearchReport
{
    public static string Page<TIn, TOut>(string optimizer, OptimizationResult<TIn, TOut> result)
    {
        var page = new HtmlWriter();
        page.Element("h1", $"{optimizer}: {result.Program.Module.GetType().Name}");
        page.Element("p", result.Verdict);
        if (result.Error is not null)
            page.Element("p", result.Error, "bad");
        page.Tiles(
        [
            ("before", Shown(result.BaselineScore)),
            ("after", Shown(result.BestScore)),
            ("candidates", $"{result.Candidates.Length}"),
            ("program runs", $"{result.ProgramRuns}"),
            ("time", $"{result.Duration:hh\\:mm\\:ss}"),
            ("ended", $"{result.StopReason}"),
        ]);
        if (result.Test is { } test)
            page.Element("p", FormattableString.Invariant($"Test set: {test.Baseline:0.000} before, {test.Candidate:0.000} after, 95 % interval of the gain {test.Interval.Low:+0.000;-0.000;0.000} to {test.Interval.High:+0.000;-0.000;0.000}."));
        WriteScores(page, result);
        WriteCandidates(page, result);
        WriteChanges(page, result);
        page.Element("h2", "Cost");
        page.Table(result.UsageByRole.Select(role => (role.Key, FormattableString.Invariant($"{role.Value.Calls} calls, {role.Value.InputTokens} tokens in, {role.Value.OutputTokens} out, ${role.Value.Cost:0.####}"))));
        foreach (var warning in result.Warnings)
            page.Element("p", warning, "soft");
        return page.Page($"{optimizer} report");
    }

    private static void WriteScores<TIn, TOut>(HtmlWriter page, OptimizationResult<TIn, TOut> result)
    {
        ChartPoint[] points = [.. result.Candidates.Where(candidate => candidate.Score is not null).Select(candidate => new ChartPoint(candidate.Index, candidate.Score!.Value))];
        if (points.Length < 2)
            return;
        page.Element("h2", "Scores");
        page.Raw(LineChart.Draw("score by candidate", points));
    }

    private static void WriteCandidates<TIn, TOut>(HtmlWriter page, OptimizationResult<TIn, TOut> result)
    {
        page.Element("h2", "Candidates");
        page.Raw("<table><tr><th>#</th><th>score</th><th>made from</th><th>how</th></tr>");
        foreach (var candidate in result.Candidates)
        {
            page.Raw(
                $"<tr{(candidate.Index == result.BestIndex ? " class=\"good\"" : "")}><td class=\"n\">{candidate.Index}</td><td class=\"n\">{Shown(candidate.Score)}</td>"
                + $"<td>{string.Join(", ", candidate.Parents)}</td><td>{Escape(candidate.Origin)}</td></tr>");
        }

        page.Raw("</table>");
        if (result.Candidates.All(candidate => candidate.Parents.IsEmpty))
            return;
        page.Element("h2", "Lineage");
        LineageTree.Write(page, result.Candidates, result.BestIndex);
    }

    private static void WriteChanges<TIn, TOut>(HtmlWriter page, OptimizationResult<TIn, TOut> result)
    {
        if (result.Candidates.IsEmpty)
            return;
        var before = result.Candidates[0].State;
        foreach (var (path, signature) in result.Program.Predictors)
        {
            var (was, now) = (before[path], result.Program.State[path]);
            if (was.Equals(now))
                continue;
            page.Element("h2", path);
            page.Raw("<div class=\"pair\">");
            page.Raw($"<div><p class=\"soft\">before</p><pre class=\"card\">{Escape(was.Instructions ?? signature.Instructions)}</pre></div>");
            page.Raw($"<div><p class=\"soft\">after</p><pre class=\"card\">{Escape(signature.Instructions)}</pre></div></div>");
            foreach (var demo in now.Demos)
                page.Raw($"<details><summary>{(demo.IsAugmented ? "harvested" : "labelled")} demo</summary><pre class=\"card\">{Escape(ValueText.Of(demo.Fields))}</pre></details>");
        }
    }

    private static string Shown(double? score) => score is { } value ? Number(value) : "–";
}
