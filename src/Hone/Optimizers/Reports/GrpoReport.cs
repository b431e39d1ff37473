using System.Runtime.InteropServices;
using static Hone.HtmlWriter;

namespace Hone.Optimizers;

/// <summary>What a report shows besides the run itself.</summary>
public sealed record GrpoReportContent<TIn, TOut>
{
    /// <summary>Heading of the page.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence on what was measured and what it does not mean.</summary>
    public string Note { get; init; } = string.Empty;

    /// <summary>Scores of sets that the run never saw, before and after.</summary>
    public IReadOnlyList<(string Name, EvaluationResult<TIn, TOut> Before, EvaluationResult<TIn, TOut> After)> HeldOut { get; init; } = [];

    /// <summary>Settings to show: text, a field map, or an object whose properties are shown a line each.</summary>
    public object? Configuration { get; init; }

    /// <summary>How many examples are shown side by side.</summary>
    /// <value>6 by default.</value>
    public int ShownExamples { get; init; } = 6;

    /// <summary>An example's input in words; its text form by default.</summary>
    public Func<Example<TIn, TOut>, string> Describe { get; init; } = example => $"{example.Input}";

    /// <summary>An output in words; its text form by default.</summary>
    public Func<TOut, string> DescribeOutput { get; init; } = output => $"{output}";
}

/// <summary>Writes a run as one self-contained HTML file: verdict, curves, answers before and after, configuration, environment.</summary>
public static class GrpoReport
{
    /// <summary>Writes the report.</summary>
    public static Task WriteAsync<TIn, TOut>(
        string path, GrpoResult<TIn, TOut> result, GrpoReportContent<TIn, TOut> content, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(content);
        var page = new HtmlWriter();
        page.Element("h1", content.Title);
        if (content.Note.Length > 0)
            page.Element("p", content.Note, "soft");
        WriteVerdict(page, result, content);
        WriteCurves(page, result);
        WriteTimes(page, result);
        foreach (var (name, before, after) in content.HeldOut.Take(1))
            WriteExamples(page, name, before, after, content);
        page.Element("h2", "Configuration");
        page.Raw($"<pre class=\"card\">{Escape(ConfigurationText(content.Configuration))}</pre>");
        page.Element("h2", "Environment");
        page.Table(Environment());
        return AtomicFile.WriteTextAsync(path, page.Page(content.Title), cancellationToken);
    }

    // In a trimmed program the properties of an object that nobody registered are gone: its own text must do.
    private static string ConfigurationText(object? configuration) =>
        configuration is string text ? text
        : configuration is not null && !ClrReflection.CanRead(configuration.GetType()) ? $"{configuration}"
        : ClrValues.ToCanonical(configuration) is FieldMap map
            ? string.Join('\n', map.Select(entry => $"{entry.Key}: {JsonText.Write(entry.Value)}"))
            : JsonText.Write(configuration);

    private static IEnumerable<(string, string)> Environment() =>
    [
        ("Operating system", RuntimeInformation.OSDescription),
        ("Architecture", $"{RuntimeInformation.ProcessArchitecture}, {System.Environment.ProcessorCount} processors"),
        ("Runtime", RuntimeInformation.FrameworkDescription),
        ("Hone", typeof(GrpoReport).Assembly.GetName().Version?.ToString(3) ?? "unknown"),
    ];

    private static void WriteVerdict<TIn, TOut>(HtmlWriter page, GrpoResult<TIn, TOut> result, GrpoReportContent<TIn, TOut> content)
    {
        foreach (var (name, before, after) in content.HeldOut)
        {
            var comparison = Bootstrap.Compare(before.Scores, after.Scores);
            page.Element("h2", name);
            page.Tiles(
            [
                ("before training", Number(comparison.Baseline)), ("after training", Number(comparison.Candidate)),
                ("gain", Number(comparison.Gain, "+0.000;-0.000")), ("95 % interval of the gain", $"{Number(comparison.Interval.Low)} … {Number(comparison.Interval.High)}"),
            ]);
            page.Element("p", comparison.IsSignificant ? "The interval excludes zero." : "No significant change: the interval contains zero.", comparison.IsSignificant ? "good" : "bad");
        }

        page.Element("h2", "The run");
        var used = result.RolloutsGenerated == 0 ? 0 : result.RolloutsUsed / (double)result.RolloutsGenerated;
        page.Tiles(
        [
            ("steps", $"{result.Steps.Count}"), ("rollouts generated", $"{result.RolloutsGenerated:N0}"), ("rollouts used / generated", Number(used, "0.0##")), ("rollouts that missed a predictor", $"{result.Steps.Sum(step => step.SkippedRollouts):N0}"),
            ("tokens sampled", $"{result.TokensSampled:N0}"), ("seconds", Number(result.Duration.TotalSeconds, "0.0")), ("ended because", $"{result.StopReason}"),
            ("returned weights", result.BestStep < 0 ? "original" : $"after step {result.BestStep + 1}"),
        ]);
    }

    private static void WriteCurves<TIn, TOut>(HtmlWriter page, GrpoResult<TIn, TOut> result)
    {
        // What a training service does not tell is not a number, and has no curve.
        IReadOnlyList<ChartPoint> Curve(Func<GrpoStepReport, double> value) =>
            [.. result.Steps.Select(step => new ChartPoint(step.Step, value(step))).Where(point => double.IsFinite(point.Y))];
        page.Element("h2", "Curves").Raw("<div class=\"charts\">");
        page.Raw(LineChart.Draw("Validation score, 95 % interval", [.. result.Validations.Select(v => new ChartPoint(v.Step, v.Score, v.Interval))]));
        page.Raw(LineChart.Draw("Mean reward of rollouts", Curve(step => step.RewardMean)));
        page.Raw(LineChart.Draw("Unreadable answers a step", Curve(step => step.FormatFailuresByPredictor.Values.Sum()), "0.0"));
        page.Raw(LineChart.Draw("Entropy, nats", Curve(step => step.Entropy)));
        page.Raw(LineChart.Draw("Gradient norm", Curve(step => step.GradientNorm)));
        page.Raw(LineChart.Draw("Completion length, tokens", Curve(step => step.CompletionLengthMean), "0.0"));
        page.Raw("</div>");
    }

    private static void WriteTimes<TIn, TOut>(HtmlWriter page, GrpoResult<TIn, TOut> result)
    {
        if (result.Steps.Count == 0)
            return;
        double Mean(Func<GrpoTimings, double> part) => result.Steps.Average(step => part(step.Seconds));
        page.Element("h2", "Where a step's time goes, mean seconds");
        page.Table(
        [
            ("rollouts", Number(Mean(s => s.Rollout))), ("metric (within rollouts)", Number(Mean(s => s.Metric), "0.0000")), ("forward", Number(Mean(s => s.Forward))),
            ("backward", Number(Mean(s => s.Backward))), ("optimizer and repacking", Number(Mean(s => s.Optimizer))),
            ("handing weights over", Number(Mean(s => s.Sync))), ("tokens sampled a second", Number(result.Steps.Average(step => step.SampledTokensPerSecond), "0")),
            ("tokens trained a second", Number(result.Steps.Average(step => step.TrainedTokensPerSecond), "0")),
            ("largest sampler–trainer difference of a log-probability", Number(result.Steps.Max(step => step.SamplerDifferenceMax), "0.0e0")),
        ]);
    }

    private static void WriteExamples<TIn, TOut>(
        HtmlWriter page, string name, EvaluationResult<TIn, TOut> before, EvaluationResult<TIn, TOut> after, GrpoReportContent<TIn, TOut> content)
    {
        page.Element("h2", $"Answers before and after: {name}");
        var rows = before.Rows.Zip(after.Rows).ToArray();
        // The largest changes in both directions, so that losses are seen as well as gains.
        var ordered = rows.OrderByDescending(pair => pair.Second.Score.Value - pair.First.Score.Value).ToArray();
        var shown = ordered.Take(content.ShownExamples - (content.ShownExamples / 3)).Concat(ordered.TakeLast(content.ShownExamples / 3)).DistinctBy(pair => pair.First.Index);
        foreach (var (first, second) in shown)
        {
            page.Raw("<div class=\"card\" style=\"margin:.8rem 0\">").Element("p", content.Describe(first.Example)).Raw("<div class=\"pair\">");
            WriteRun(page, "before", first, content);
            WriteRun(page, "after", second, content);
            page.Raw("</div></div>");
        }
    }

    private static void WriteRun<TIn, TOut>(HtmlWriter page, string when, EvaluationRow<TIn, TOut> row, GrpoReportContent<TIn, TOut> content)
    {
        page.Raw($"<div><b>{when}</b> · score {Number(row.Score.Value)}");
        page.Element("pre", row.Value is null ? row.Error?.Message ?? "no value" : content.DescribeOutput(row.Value));
        foreach (var call in row.Trace.Calls)
        {
            page.Raw($"<details><summary>{Escape(call.Path)} #{call.Ordinal + 1}{(call.Failure is null ? "" : " <span class=\"bad\">unreadable</span>")}</summary>");
            page.Element("pre", call.Text, call.Failure is null ? null : "bad");
            page.Raw("<details><summary class=\"soft\">prompt</summary>").Element("pre", call.Messages[^1].Text).Raw("</details></details>");
        }

        page.Raw("</div>");
    }
}
